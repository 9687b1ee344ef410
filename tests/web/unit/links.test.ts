// SPDX-License-Identifier: MIT
// Our links in the places where people write: programs that find links in a text, and HTML.
import { existsSync, readFileSync } from 'node:fs';
import Autolinker from 'autolinker';
import { linkifyit } from 'linkify-it';
import * as linkify from 'linkifyjs';
import MarkdownIt from 'markdown-it';
import { marked } from 'marked';
import { micromark } from 'micromark';
import {
  gfmAutolinkLiteral,
  gfmAutolinkLiteralHtml,
} from 'micromark-extension-gfm-autolink-literal';
import { parseFragment, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { describe, expect, test, vi } from 'vitest';
import type { Answer, Field, Replays, Schema, Task, Value } from '../../../web/src/api';

interface Core {
  schema(): string;
  replays(): string;
  open(link: string): string;
  estimate(patch: string): string;
}
const { load } = await import(new URL('../../wasm/module.mjs', import.meta.url).href);
const core = (await load()) as Core;
const schema = JSON.parse(core.schema()) as Schema;
const opened = (link: string) => (JSON.parse(core.open(link)) as { link: string }).link;
const linkOf = (patch: Record<string, Value>) =>
  (JSON.parse(core.estimate(JSON.stringify(patch))) as Answer).link;

vi.setConfig({ testTimeout: 60_000 });

const kHome = 'https://example.org/envelope/';
const kRandom = 300;
const kLongest = 2000; // characters that a chat message may have, with the address of the site

// The same links on every machine (mulberry32).
let state = 4;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

const kLists: Record<string, readonly { id: string }[]> = {
  model: schema.models,
  gpu: schema.accelerators,
  recipe: schema.recipes,
  stack: schema.stacks,
};
function randomValue({ type, key, min, max, whole, choices, default: initial }: Field): Value {
  if (type === 'flag') return random() < 0.5;
  if (type === 'choice') return pick(choices ?? []).id;
  if (type === 'name') return kLists[key] ? pick(kLists[key]).id : (initial as Value);
  const [low, high] = [Math.max(min ?? 0, 1e-3), Math.min(max ?? 1e15, 1e15)];
  const x = low * (high / low) ** random();
  return whole ? Math.round(x) : Number(x.toPrecision(1 + Math.floor(random() * 12)));
}
function randomLink(): string {
  const fields = Array.from({ length: 1 + Math.floor(random() * 14) }, () => pick(schema.fields));
  const link = linkOf(
    Object.fromEntries(
      fields
        .filter(({ key }) => key !== 'd')
        .map((field): [string, Value] => [field.path, randomValue(field)]),
    ),
  );
  const others = ['b', 'c', 'd'].slice(0, Math.floor(random() * 4));
  return opened(link + others.map((s) => `&${s}.n=${pick([8, 64, 512])}&${s}.tp=2`).join(''));
}

const gallery = new URL('../../../web/gallery.json', import.meta.url);
const rows = existsSync(gallery)
  ? (JSON.parse(readFileSync(gallery, 'utf8')) as { link?: string }[])
  : [];
const items = (JSON.parse(core.replays()) as Replays).rows.flatMap((row) => row.items);
const links = [
  ...new Set([
    ...schema.examples.map(({ link }) => link),
    ...rows.flatMap(({ link }) => (link ? [link] : [])),
    ...items.flatMap(({ link, baseline_link }) => [
      link,
      ...(baseline_link ? [baseline_link] : []),
    ]),
    ...Array.from({ length: kRandom }, randomLink),
    // Each key is in one of these, and after an ampersand.
    ...schema.fields.map(({ key }) => `v=1&${key}=1`),
  ]),
];
/** As the calculator's, as that of an embed, and with the link in the query. */
const addresses = links.map((link, i) =>
  i % 3 === 0
    ? `${kHome}?${link}`
    : i % 3 === 1
      ? `${kHome}#${link}`
      : `${kHome}e/#${link}&view=card&edit=n,mfu&theme=dark`,
);

/** The first element of that name, or the text of all, as a browser builds it. */
function find(html: string, name: string): Tree.Element | undefined {
  const visit = (node: Tree.Node): Tree.Element | undefined => {
    if ('tagName' in node && node.tagName === name) return node;
    for (const child of 'childNodes' in node ? node.childNodes : []) {
      const found = visit(child);
      if (found) return found;
    }
    return undefined;
  };
  return visit(parseFragment(html));
}
const href = (html: string) => find(html, 'a')?.attrs.find((a) => a.name === 'href')?.value;
const textOf = (html: string) =>
  find(html, 'p')
    ?.childNodes.map((node) => ('value' in node ? node.value : '<element>'))
    .join('');

test(`${links.length} links are of the safe alphabet, and end in a letter or digit`, () => {
  expect(links.length).toBeGreaterThan(kRandom + 200);
  expect(rows.length > 0 || !existsSync(gallery)).toBe(true);
  for (const link of links) expect(link).toMatch(/^[a-z0-9.,=&-]*[a-z0-9]$/);
});

test('every key survives in HTML that nobody escaped', () => {
  const scopes = ['', 'b.', 'c.', 'd.'];
  const words = ['v', 'd', 'view', 'edit', 'theme', 'lang', 'secret'];
  for (const key of [...schema.fields.map((field) => field.key), ...words])
    for (const scope of scopes) {
      expect(key).toMatch(/^[a-z][a-z0-9]*$/);
      const link = `v=1&${scope}${key}=8&${scope}${key}=auto`;
      expect(textOf(`<p>${link}</p>`), link).toBe(link);
      expect(href(`<a href="#${link}">`), link).toBe(`#${link}`);
    }
  // What this protects against.
  expect(textOf('<p>v=1&params=8</p>')).toBe('v=1¶ms=8');
  expect(textOf('<p>v=1&region=8</p>')).toBe('v=1®ion=8');
});

describe('in HTML that nobody escaped a link is the same bytes', () => {
  const contexts: [string, (html: string) => string | undefined][] = [
    ['<p>URL</p>', textOf],
    ['<p title=x>URL</p>\n', textOf],
    ['<a href="URL">x</a>', href],
    ["<a href='URL'>x</a>", href],
    ['<a href=URL>x</a>', href],
    ['<a class=x href=URL target=_blank>x</a>', href],
  ];
  test.each(contexts)('%s', (context, read) => {
    for (const address of addresses) expect(read(context.replace('URL', address))).toBe(address);
  });
});

describe('programs that find links', () => {
  const linkifyIt = linkifyit();
  const markdownIt = new MarkdownIt({ linkify: true });
  const options = {
    extensions: [gfmAutolinkLiteral()],
    htmlExtensions: [gfmAutolinkLiteralHtml()],
  };
  const inText: Record<string, (text: string) => string | undefined> = {
    'linkify-it': (text) => linkifyIt.match(text)?.[0]?.url,
    linkifyjs: (text) => linkify.find(text, 'url')[0]?.href,
    autolinker: (text) => Autolinker.parse(text, { urls: true })[0]?.getAnchorHref(),
  };
  const inMarkdown: Record<string, (text: string) => string | undefined> = {
    'markdown-it': (text) => href(markdownIt.render(text)),
    marked: (text) => href(marked.parse(text, { async: false })),
    'micromark with GFM': (text) => href(micromark(text, options)),
  };
  const contexts = [
    'URL',
    'see URL and more',
    'see URL.',
    'see URL, and',
    'see URL: it',
    'see URL; it',
    'see URL! ',
    'see URL? ',
    '(URL)',
    '(see URL).',
    '*URL*',
    '**URL**',
    '_URL_',
    '> URL',
    '"URL"',
    "'URL'",
    'URL\nnext',
    'URL > next',
    '| URL | 8 |',
    '- URL\n- next',
  ];
  const markedUp = ['<URL>', '[x](URL)', '[x](<URL>)', '[x](URL "title")', '[x][1]\n\n[1]: URL'];
  // In these some take the marks along that follow: whoever opens that gets the same scenario.
  const loose = new Set(['see URL: it', '*URL*', '**URL**', '_URL_', "'URL'"]);
  const kSkipped = 8; // all addresses bare, and each in every eighth of the other contexts

  const engines = [
    ...Object.entries(inText).map(([name, read]) => [name, read, contexts] as const),
    ...Object.entries(inMarkdown).map(
      ([name, read]) => [name, read, [...contexts, ...markedUp]] as const,
    ),
  ];
  test.each(engines)('%s', (name, read, list) => {
    for (const [c, context] of list.entries())
      for (const [i, address] of addresses.entries()) {
        if (c > 0 && (i + c) % kSkipped) continue;
        const found = read(context.replace('URL', address));
        if (found === address) continue;
        // Behind an underscore it sees the middle of a word, and makes no link of it.
        if (found === undefined && name === 'linkify-it' && context === '_URL_') continue;
        const what = `${address} in ${context} becomes ${found}`;
        expect(loose.has(context), what).toBe(true);
        expect(found?.startsWith(address), what).toBe(true);
        expect(found?.slice(address.length), what).toMatch(/^[:*_']+$/);
        expect(opened(found as string), what).toBe(opened(address));
      }
  });
});

describe('the length of a link', () => {
  const tasks: Task[] = ['pretrain', 'finetune', 'serve'];
  const architecture = (field: Field) => field.path.startsWith('model.');
  const address = (link: string) => `${kHome}#${link}`;

  /** Far from the default, and long. */
  function long({ type, choices, default: initial, min, max, whole }: Field): Value {
    if (type === 'flag') return !initial;
    if (type === 'choice') {
      const ids = (choices ?? []).map(({ id }) => id).filter((id) => id !== initial);
      return ids.sort((a, b) => b.length - a.length)[0] ?? (initial as Value);
    }
    const [low, high] = [Math.max(min ?? 0, 1e-3), Math.min(max ?? 1e15, 1e15)];
    const x = Math.min(high, Math.max(low, Math.sqrt(low * high) * 1.234567));
    return whole ? Math.round(x) : Number(x.toPrecision(4));
  }
  const patchOf = (fields: readonly Field[]) =>
    Object.fromEntries(
      fields
        .filter(({ type, key }) => type !== 'name' && !['d', 'task', 'solve'].includes(key))
        .map((field): [string, Value] => [field.path, long(field)]),
    );
  const asking = '&solve=tokens'.length; // written by hand: every link would be solved
  const longestGpu = schema.accelerators.map(({ id }) => id).sort((a, b) => b.length - a.length)[0];

  const most = { pretrain: 1450, finetune: 1700, serve: 700 }; // today 1406, 1660 and 645
  test.each(tasks)('%s: with a model of the catalog and everything else set', (task) => {
    const set = schema.fields.filter((f) => !architecture(f) && f.tasks.includes(task));
    const patch = { ...patchOf(set), 'run.task': task, 'gpu.id': longestGpu as string };
    const ids = [...schema.models].sort((a, b) => b.id.length - a.id.length);
    const lengths = ids
      .filter((_, i) => i % 8 === 0)
      .map(({ id }) => address(linkOf({ ...patch, 'model.id': id })).length + asking);
    expect(Math.min(...lengths)).toBeGreaterThan(500); // the inputs are in the link
    expect(Math.max(...lengths)).toBeLessThanOrEqual(most[task]);
  });

  const mostOwn = { pretrain: 1400, finetune: 1700, serve: 1200 }; // today 1320, 1622 and 1098
  test.each(tasks)('%s: with each part of an architecture set, and a busy layout', (task) => {
    const busy = schema.fields.filter(
      (f) =>
        f.tasks.includes(task) &&
        (architecture(f) ||
          ['run', 'cluster', 'serve', 'tune'].includes(f.path.split('.')[0] ?? '')),
    );
    const link = linkOf({ ...patchOf(busy), 'run.task': task, 'model.id': 'custom' });
    expect(address(link).length + asking).toBeLessThanOrEqual(mostOwn[task]);
  });

  // 220 inputs and three more scenarios: 2759 characters. No chat message, but every browser.
  test('all that can be set at once is longer, and still opens as it was', () => {
    const link = linkOf({ ...patchOf(schema.fields), 'model.id': 'custom' });
    const four = ['b', 'c', 'd']
      .map((s) => `&${s}.model=llama-3.1-405b&${s}.n=8&${s}.tp=4`)
      .join('');
    const whole = opened(link + four);
    expect(address(whole).length).toBeGreaterThan(kLongest); // else this is no exception any more
    expect(address(whole).length).toBeLessThanOrEqual(2850);
    expect(opened(whole)).toBe(whole);
  });
});
