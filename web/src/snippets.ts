// SPDX-License-Identifier: MIT
// What authors paste into their pages, as text. No blank lines, so that a Markdown file takes a snippet as
// one block of HTML; no style attributes, so that it works under a strict policy.
import { kSandbox, kViews, type ViewName } from './embed/views';
import type { Facts } from './facts';

export interface Embedding {
  /** The root of the site, absolute, ends in a slash. */
  home: string;
  view?: ViewName;
  /** Link keys that the reader may change. */
  edit?: readonly string[];
  theme?: 'auto' | 'light' | 'dark';
  /** The release that the embed stays with; without one it follows the newest. */
  frozen?: string;
  /** `sha384-...` of the loader; only a frozen one keeps its bytes. */
  integrity?: string;
  /** The id by which links in the text find the embed. */
  id?: string;
}

const kRows = 5;
// The frame gets an origin of its own: no cookies, no storage, nothing of the host page.

const kNamed: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For text and for attributes in quotes. Braces would be code in MDX and in templates of site builders. */
export function escaped(text: string): string {
  // Control characters are not allowed in HTML, and a blank line would end a block of Markdown.
  return text
    .replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ')
    .replace(/[&<>"'`{}]/g, (c) => kNamed[c] ?? `&#${c.charCodeAt(0)};`);
}

/** The link without its month: its prices and specifications are then those of the newest catalog. */
export function updating(link: string): string {
  return link
    .split('&')
    .filter((pair) => !pair.startsWith('d='))
    .join('&');
}

const root = ({ home, frozen }: Embedding): string => (frozen ? `${home}r/${frozen}/` : home);

export function calculatorAddress(link: string, options: Embedding): string {
  return `${root(options)}#${link}`;
}

export function embedAddress(link: string, options: Embedding): string {
  const words = [link, `view=${options.view ?? 'card'}`];
  if (options.edit?.length) words.push(`edit=${options.edit.join(',')}`);
  if (options.theme && options.theme !== 'auto') words.push(`theme=${options.theme}`);
  return `${root(options)}e/#${words.filter(Boolean).join('&')}`;
}

export function loaderAddress(options: Embedding): string {
  return `${root(options)}embed/1/llm-envelope.js`;
}

/** What a reader sees where nothing runs: in feeds, mail, print, search engines, without scripts. */
export function fallback(facts: Facts, address: string): string {
  const rows = facts.rows.slice(0, kRows).map(({ label, text, band, kind }) => {
    const value = band ? `${text} (${band})` : text;
    const cell = `${escaped(value)} <small>${escaped(kind)}</small>`;
    return `<tr><th scope="row" align="left">${escaped(label)}</th><td>${cell}</td></tr>`;
  });
  const { title, sentence, verdict, d } = facts;
  const link = `<a href="${escaped(address)}">Open in Envelope</a> (data of ${escaped(d)})`;
  return [
    `<p><b>${escaped(title)}:</b> ${escaped(sentence)} ${escaped(verdict.text)} ${link}</p>`,
    // Parsers add the tbody; React and Vue, which render the text twice, would find it missing.
    '<table><tbody>',
    ...rows,
    '</tbody></table>',
  ].join('\n');
}

const attribute = (name: string, value: string | undefined): string =>
  value ? ` ${name}="${escaped(value)}"` : '';

/** The live embed: the fallback, and the loader that puts a frame in its place. */
export function elementSnippet(facts: Facts, options: Embedding, link = facts.link): string {
  const { id, integrity } = options;
  const src = embedAddress(link, options);
  const check = integrity ? `${attribute('integrity', integrity)} crossorigin="anonymous"` : '';
  return [
    `<llm-envelope${attribute('src', src)}${attribute('id', id)}>`,
    fallback(facts, calculatorAddress(link, options)),
    '</llm-envelope>',
    `<script defer${attribute('src', loaderAddress(options))}${check}></script>`,
  ].join('\n');
}

/** For sites that allow frames and no scripts: of a fixed height, which is enough on a phone too. */
export function iframeSnippet(facts: Facts, options: Embedding, link = facts.link): string {
  const { narrow } = kViews[options.view ?? 'card'];
  return (
    `<iframe${attribute('src', embedAddress(link, options))}${attribute('title', facts.title)}` +
    ` width="100%" height="${narrow}" frameborder="0" loading="lazy" sandbox="${kSandbox}"` +
    ` allow="clipboard-write"></iframe>`
  );
}

/** A link in the text that sets the embed `options.id`; without a script it opens the calculator. */
export function proseLink(link: string, text: string, options: Embedding): string {
  const href = attribute('href', calculatorAddress(link, options));
  return `<a${href}${attribute('data-llm-envelope', options.id)}>${escaped(text)}</a>`;
}
