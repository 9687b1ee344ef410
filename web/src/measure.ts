// SPDX-License-Identifier: MIT
// Text in SVG, where nothing wraps by itself: widths, lines, and what must be escaped.

// Widths of Inter Bold from space to tilde, a base-36 digit each, in 34ths of an em.
const kWidths =
  '8bjmmzncddjnbgbdnflmnlmkmmbcnnnjzpmpplkqpakojwqqmqmmnppzppndddhgcklklkell99k9vllllejclktkkjgdgn';
const kUnit = 34;
const kRegular = 0.97; // of the width in bold
const kWide = /[\u1100-\u115f\u2e80-\uffdc\u{1f000}-\u{3ffff}]/u;

/** The width of a line of text in pixels. */
export function widthOf(text: string, size: number, bold = true): number {
  let units = 0;
  for (const c of text) {
    const digit = kWidths[c.charCodeAt(0) - 32];
    units += digit ? parseInt(digit, 36) : c === '\u00a0' ? 8 : kWide.test(c) ? 37 : 22;
  }
  return (units / kUnit) * size * (bold ? 1 : kRegular);
}

/** The text, or as much of it as there is room for. */
export function cut(text: string, size: number, room: number, bold: boolean): string {
  if (widthOf(text, size, bold) <= room) return text;
  const characters = [...text];
  while (characters.length && widthOf(`${characters.join('')}…`, size, bold) > room)
    characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

/** Lines that fit into `room`; a word that is too long is broken, and what is over `most` lines cut. */
export function wrap(text: string, size: number, room: number, most: number, bold = true) {
  const words = text.split(/[ \n\t]+/).filter(Boolean);
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line ? `${line} ${word}` : word;
    if (line && widthOf(longer, size, bold) > room) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  if (line) lines.push(line);
  const over = lines.splice(most - 1).join(' ');
  return [...lines, ...(over ? [over] : [])].map((l) => cut(l, size, room, bold));
}

/** As many lines, of like lengths: no word stands alone in the last. */
function balanced(text: string, size: number, room: number, lines: string[]): string[] {
  for (let narrower = room - 20; narrower > room / 2; narrower -= 20) {
    const next = wrap(text, size, narrower, lines.length);
    if (next.some((l) => l.endsWith('…'))) break;
    lines = next;
  }
  return lines;
}

/** The largest of the sizes at which nothing is cut. */
export function fitted(text: string, room: number, sizes: readonly [number, number][]) {
  for (const [size, most] of sizes) {
    const lines = wrap(text, size, room, most);
    if (!lines.some((l) => l.endsWith('…')))
      return { size, lines: balanced(text, size, room, lines) };
  }
  const [size, most] = sizes[sizes.length - 1] as [number, number];
  return { size, lines: wrap(text, size, room, most) };
}

const kEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** What XML forbids is left out: controls and halves of surrogate pairs. */
export const escapeXml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"]/g, (c) => kEscapes[c] as string);
