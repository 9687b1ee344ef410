// SPDX-License-Identifier: MIT
// The picture of a result for feeds and slides: 1200 × 630, as SVG text. Drawn with the bundled font at
// build time and with the system's in a browser, so every line states the width it was laid out for.
import type { Answer, Finding, Task } from './api';
import { colour, memoryOf, partName } from './bars';
import type { Fact, Facts } from './facts';
import { cut, escapeXml, fitted, widthOf, wrap } from './measure';
import { bytes } from './units';
import type { Tables } from './view';

export const kCardWidth = 1200;
export const kCardHeight = 630;

/** A big number with its name above it and a remark below. */
export interface Big {
  label: string;
  text: string;
  below: string;
}

export interface Segment {
  label: string;
  text: string;
  value: number;
  colour: string;
}

/** A printed figure beside ours. */
export interface Pair {
  label: string;
  theirs: string;
  ours: string;
}

export interface CardContent {
  /** Above the title: what kind of thing this is. */
  eyebrow: string;
  title: string;
  /** Prose under the title, where there is room. */
  lead?: string;
  numbers?: readonly Big[];
  pairs?: { theirs: string; ours: string; rows: readonly Pair[] };
  bar?: { title: string; capacity: number; segments: readonly Segment[] };
  verdict?: { severity: Finding['severity']; text: string };
  /** At the foot, left and right. */
  month?: string;
  place?: string;
}

const kMargin = 60;
const kInner = kCardWidth - 2 * kMargin;
const kEnd = kCardWidth - kMargin;
const kFonts = "Inter, 'Helvetica Neue', Arial, 'Liberation Sans', Roboto, sans-serif";

const kInk = '#16181d';
const kMuted = '#5a606b';
const kPaper = '#fcfcfa';
const kLine = '#dddfe4';
const kAccent = '#1d5fc2';
const kBad = '#b3261e';
const kVerdicts: Record<Finding['severity'], [string, string]> = {
  good: ['#1c6b3a', 'M-9 0l6 7 12-14'],
  info: [kAccent, 'M0-9v2M0-2v11'],
  warning: ['#855300', 'M0-9V3M0 7v2'],
  bad: [kBad, 'M-8-8 8 8M8-8-8 8'],
};
/** The same as on the page in light. */
export const kPartColours: Record<string, string> = {
  weights: '#2b6cb0',
  adapters: '#b85c8e',
  gradients: '#d98f00',
  optimizer: '#1f8f6f',
  activations: '#6fb7e0',
  logits: '#c8552b',
  kv_cache: '#c9b400',
  reserve: '#8b8f98',
  master: '#5b4aa8',
  working: '#a4c98a',
  gathered: '#2f8fa3',
  communication: '#7d5a3c',
  context: '#6b707b',
  slack: '#b3b7bf',
};

const n = (x: number) => String(Math.round(x * 10) / 10);

interface Style {
  size: number;
  fill?: string;
  bold?: boolean;
  end?: boolean;
}

function say(text: string, x: number, y: number, { size, fill = kInk, bold = false, end }: Style) {
  if (text === '') return '';
  const width = n(widthOf(text, size, bold));
  return `<text x="${n(x)}" y="${n(y)}" font-size="${n(size)}" fill="${fill}"${
    bold ? ' font-weight="700"' : ''
  }${end ? ' text-anchor="end"' : ''} textLength="${width}" lengthAdjust="spacingAndGlyphs">${escapeXml(text)}</text>`;
}

const rect = (x: number, y: number, width: number, height: number, fill: string, more = '') =>
  `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" fill="${fill}"${more}/>`;

function head({ eyebrow }: CardContent): string {
  return `${rect(kMargin, 36, 40, 40, kAccent, ' rx="8"')}
<path transform="translate(${kMargin} 36) scale(1.25)" d="M6 9h20v14H6zM6 9.5l10 8 10-8" fill="none" stroke="#fff" stroke-width="2" stroke-linejoin="round"/>
${say('Envelope', kMargin + 54, 67, { size: 31, bold: true })}
${say(cut(eyebrow, 27, kInner - 320, false), kEnd, 66, { size: 27, fill: kMuted, end: true })}`;
}

const kMostBig = 66;
const kLeastBig = 36;
const kGap = 44;
const kTop = 96; // of the title

/** Side by side, as large as all of them allow; what is left goes to those with long names. */
function bigs(list: readonly Big[], y: number): string {
  const room = kInner - kGap * (list.length - 1);
  const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
  const needs = (size: number) =>
    list.map((b) => Math.max(widthOf(b.text, size), widthOf(b.below, 26, false)));
  let size = kMostBig;
  while (size > kLeastBig && sum(needs(size)) > room) size -= 1;
  const least = needs(size);
  const spare = room - sum(least);
  const wants = list.map((b, i) => Math.max(0, widthOf(b.label, 27, false) - (least[i] ?? 0)));
  const given = Math.min(1, spare / (sum(wants) || 1)); // of what the names want
  const left = Math.max(0, spare - sum(wants)) / list.length;
  let x = kMargin;
  return list
    .map(({ label, text, below }, i) => {
      const at = x;
      // One who wants more than there is gets an equal share.
      const own = (least[i] ?? 0) + (wants[i] ?? 0) * given + left;
      const width = spare < 0 ? room / list.length : own;
      x += width + kGap;
      return [
        say(cut(label, 27, width + 1, false), at, y, { size: 27, fill: kMuted }),
        say(cut(text, size, width + 1, true), at, y + 20 + size * 0.8, {
          size,
          bold: true,
          fill: kAccent,
        }),
        say(cut(below, 26, width + 1, false), at, y + 62 + size * 0.8, { size: 26, fill: kMuted }),
      ].join('');
    })
    .join('\n');
}

const kBar = 54;

function memoryBar({ title, capacity, segments }: NonNullable<CardContent['bar']>, y: number) {
  const total = segments.reduce((sum, s) => sum + s.value, 0);
  const scale = kInner / (Math.max(capacity, total) * 1.005); // the line stays off the edge
  const top = y + 18;
  const out = [say(cut(title, 27, kInner, false), kMargin, y, { size: 27, fill: kMuted })];
  out.push(
    rect(kMargin, top, capacity * scale, kBar, '#fff', ` stroke="${kLine}" stroke-width="2"`),
  );
  let x = kMargin;
  for (const s of segments) {
    out.push(rect(x, top, s.value * scale, kBar, s.colour));
    x += s.value * scale;
  }
  const limit = kMargin + capacity * scale;
  if (total > capacity)
    out.push(
      `<path d="M${n(limit)} ${n(top + kBar / 2)}H${n(x)}" stroke="${kBad}" stroke-width="${kBar}" stroke-opacity=".45" stroke-dasharray="5 5"/>`,
    );
  out.push(rect(limit - 2, top - 8, 4, kBar + 16, total > capacity ? kBad : kInk));
  // The names of the largest parts, as many as there is room for.
  const named = new Set<Segment>();
  let room = kInner;
  for (const s of [...segments].sort((a, b) => b.value - a.value)) {
    const width = 24 + widthOf(`${s.label} ${s.text}`, 25, false) + 34;
    if (width - 34 > room) break;
    named.add(s);
    room -= width;
  }
  x = kMargin;
  for (const s of segments.filter((s) => named.has(s))) {
    const text = `${s.label} ${s.text}`;
    out.push(rect(x, top + kBar + 19, 17, 17, s.colour, ' rx="3"'));
    out.push(say(text, x + 25, top + kBar + 36, { size: 25 }));
    x += 24 + widthOf(text, 25, false) + 34;
  }
  return out.join('\n');
}

const kTheirs = 800; // right edge of the column of printed figures

function pairs({ theirs, ours, rows }: NonNullable<CardContent['pairs']>, y: number): string {
  const out = [
    say(theirs, kTheirs, y, { size: 25, fill: kMuted, end: true }),
    say(ours, kEnd, y, { size: 25, fill: kMuted, end: true }),
  ];
  rows.forEach((row, i) => {
    const at = y + 58 + i * 64;
    const figure = cut(row.theirs, 29, 300, false);
    const room = kTheirs - kMargin - widthOf(figure, 29, false) - 36;
    const own = kEnd - kTheirs - 30;
    const size = Math.max(24, Math.min(36, (own / widthOf(row.ours, 100)) * 100));
    out.push(
      rect(kMargin, at - 42, kInner, 2, kLine),
      say(cut(row.label, 29, room, false), kMargin, at, { size: 29 }),
      say(figure, kTheirs, at, { size: 29, fill: kMuted, end: true }),
      say(cut(row.ours, size, own + 1, true), kEnd, at, {
        size,
        bold: true,
        fill: kAccent,
        end: true,
      }),
    );
  });
  return out.join('\n');
}

function foot({ verdict, month = '', place = '' }: CardContent): string {
  const out = [];
  if (verdict) {
    const [fill, mark] = kVerdicts[verdict.severity];
    out.push(
      `<circle cx="${kMargin + 17}" cy="553" r="17" fill="${fill}"/><path transform="translate(${kMargin + 17} 553)" d="${mark}" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/>`,
      say(cut(verdict.text, 29, kInner - 52, true), kMargin + 50, 563, {
        size: 29,
        bold: true,
        fill,
      }),
    );
  }
  out.push(
    say(month, kMargin, 606, { size: 23, fill: kMuted }),
    say(place, kEnd, 606, { size: 23, fill: kMuted, end: true }),
  );
  return out.join('\n');
}

/** Title, then what there is, spread over the height that is left above the foot. */
export function drawCard(content: CardContent): string {
  const { title, lead, numbers = [], pairs: figures, bar } = content;
  const dense = numbers.length > 0 && bar !== undefined;
  const { size, lines } = fitted(title, kInner, [
    [64, dense ? 1 : 2],
    [54, dense ? 1 : 2],
    [47, dense ? 1 : 2],
    [47, 2],
    [40, dense ? 2 : 3],
  ]);
  const step = size * 1.16;
  let y = kTop + size;
  const blocks: [number, (at: number) => string][] = [];
  const titleHeight = size + (lines.length - 1) * step;
  const prose = lead ? wrap(lead, 32, kInner, dense ? 0 : figures ? 1 : 3, false) : [];
  if (prose.length && !dense)
    blocks.push([
      prose.length * 42 - 10,
      (at) =>
        prose
          .map((l, i) => say(l, kMargin, at + 30 + i * 42, { size: 32, fill: kMuted }))
          .join('\n'),
    ]);
  if (numbers.length) blocks.push([138, (at) => bigs(numbers, at + 24)]);
  if (figures) blocks.push([24 + 64 * figures.rows.length, (at) => pairs(figures, at + 22)]);
  if (bar) blocks.push([132, (at) => memoryBar(bar, at + 22)]);
  const bottom = content.verdict ? 516 : 570;
  const used = titleHeight + blocks.reduce((sum, [height]) => sum + height, 0);
  const gap = Math.min(64, (bottom - kTop - used) / Math.max(1, blocks.length));
  const out = lines.map((l, i) => say(l, kMargin, y + i * step - size * 0.1, { size, bold: true }));
  y += (lines.length - 1) * step + gap;
  for (const [height, draw] of blocks) {
    out.push(draw(y));
    y += height + gap;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${kCardWidth}" height="${kCardHeight}" viewBox="0 0 ${kCardWidth} ${kCardHeight}" font-family="${kFonts}" role="img" aria-label="${escapeXml(title)}">
${rect(0, 0, kCardWidth, kCardHeight, kPaper)}
${rect(0, 0, kCardWidth, 10, kAccent)}
${head(content)}
${out.join('\n')}
${foot(content)}
</svg>
`;
}

export const kTaskNames: Record<Task, string> = {
  pretrain: 'Pre-training',
  finetune: 'Fine-tuning',
  serve: 'Serving',
};
const kInTheBar = 'layout.per_gpu';
const kInTheTitle = 'gpus.used';
const kMostBigs = 3;

export interface CardOptions {
  /** In place of the model and the GPUs. */
  title?: string;
  eyebrow?: string;
  /** In place of the key numbers of the task. */
  numbers?: readonly Fact[];
  /** The address to print at the foot. */
  place?: string;
}

/** The memory of the fullest GPUs, part by part. */
export function barOf(tables: Tables, answer: Answer): CardContent['bar'] {
  const memory = memoryOf(answer);
  const stage = memory?.stages[memory.fullest];
  if (!memory || !stage) return undefined;
  const segments = memory.parts.flatMap((id) => {
    const value = stage.parts[id];
    return value
      ? [
          {
            label: partName(tables, id),
            text: bytes(value),
            value,
            colour: kPartColours[colour(id)] ?? kMuted,
          },
        ]
      : [];
  });
  const where = memory.stages.length > 1 ? 'Memory of the fullest GPU' : 'Memory per GPU';
  return {
    title: `${where}: ${bytes(stage.total)} of ${bytes(memory.capacity)}`,
    capacity: memory.capacity,
    segments,
  };
}

/** The card of one result. */
export function cardSvg(
  facts: Facts,
  answer: Answer,
  tables: Tables,
  options: CardOptions = {},
): string {
  const bar = barOf(tables, answer);
  const hidden = [kInTheTitle, ...(bar ? [kInTheBar] : [])];
  const numbers = (options.numbers ?? facts.rows.filter((r) => !hidden.includes(r.id)))
    .slice(0, kMostBigs)
    .map((r) => ({ label: r.label, text: r.text, below: r.band || r.kind }));
  return drawCard({
    eyebrow: options.eyebrow ?? kTaskNames[facts.task],
    title: options.title ?? facts.title,
    lead: bar ? undefined : facts.sentence,
    numbers,
    bar,
    verdict: facts.verdict,
    month: `Data ${facts.d} · Envelope ${facts.version}`,
    place: options.place,
  });
}
