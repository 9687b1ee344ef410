// SPDX-License-Identifier: MIT
import MarkdownIt from 'markdown-it';
import { parseFragment, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { describe, expect, test } from 'vitest';
import { kViews } from '../../../web/src/embed/views';
import type { Facts } from '../../../web/src/facts';
import * as snippets from '../../../web/src/snippets';

const kHostile = `"><img src=x onerror=alert(1)> '\`{{7*7}} </llm-envelope></script>&para;&lt;\u0000\n\n# x`;
const kRead = kHostile.replace('\u0000\n\n', ' ');
const kLink = 'v=1&d=2026-11&model=llama-3.1-70b&n=8&tp=8';
const kOptions = { home: 'https://example.org/calc/' };

const good: Facts = {
  task: 'serve',
  title: 'Llama 3.1 70B on 8 × NVIDIA H100 SXM5 80GB',
  sentence: 'Serving Llama 3.1 70B in BF16 takes 168\u00a0GB: [8] × H100, about $3.69 a million.',
  verdict: { severity: 'good', text: 'Fits, with 62.3\u00a0GB free.' },
  rows: ['Throughput', 'Memory per GPU', 'GPUs', 'Latency', 'Cost', 'Parameters'].map(
    (label, i) => ({
      id: 'cost.total',
      label,
      text: `${i} GB`,
      value: i,
      unit: 'byte',
      kind: 'modelled',
      band: i === 3 ? '7 s – 9 s' : '',
    }),
  ),
  link: kLink,
  d: '2026-11',
  version: '0.4.0',
};
const hostile: Facts = {
  ...good,
  title: kHostile,
  sentence: kHostile,
  verdict: { severity: 'warning', text: kHostile },
  rows: good.rows.map((row) => ({ ...row, label: kHostile, text: kHostile, band: kHostile })),
  d: kHostile,
};

interface Element {
  name: string;
  attributes: Record<string, string>;
  text: string;
}

/** All elements of the HTML in their order, as a browser builds them. */
function elements(html: string): Element[] {
  const found: Element[] = [];
  const textOf = (node: Tree.Node): string =>
    'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
  const visit = (node: Tree.Node): void => {
    if ('tagName' in node)
      found.push({
        name: node.tagName,
        attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
        text: textOf(node),
      });
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(
    parseFragment(html, {
      onParseError: ({ code }) => {
        throw new Error(`${code} in ${html}`);
      },
    }),
  );
  return found;
}
const of = (all: Element[], name: string): Element[] => all.filter((e) => e.name === name);

describe('the fallback', () => {
  test('has the sentence, five numbers with their kind, the link and the month', () => {
    const all = elements(snippets.fallback(good, `${kOptions.home}#${kLink}`));
    expect(all.map(({ name }) => name).filter((name) => !/^(t|small)/.test(name))).toEqual([
      'p',
      'b',
      'a',
    ]);
    expect(of(all, 'b')[0]?.text).toBe(`${good.title}:`);
    expect(of(all, 'p')[0]?.text).toBe(
      `${good.title}: ${good.sentence} ${good.verdict.text} Open in Envelope (data of 2026-11)`,
    );
    expect(of(all, 'tr').map(({ text }) => text)).toEqual([
      'Throughput0 GB modelled',
      'Memory per GPU1 GB modelled',
      'GPUs2 GB modelled',
      'Latency3 GB (7 s – 9 s) modelled',
      'Cost4 GB modelled',
    ]);
    expect(of(all, 'th').every(({ attributes }) => attributes.scope === 'row')).toBe(true);
    expect(of(all, 'a')[0]?.attributes).toEqual({ href: `https://example.org/calc/#${kLink}` });
  });

  test('hostile words stay words', () => {
    const all = elements(snippets.fallback(hostile, `${kOptions.home}#${kHostile}`));
    const calm = elements(snippets.fallback(good, kOptions.home));
    expect(all.map(({ name }) => name)).toEqual(calm.map(({ name }) => name));
    expect(of(all, 'b')[0]?.text).toBe(`${kRead}:`);
    expect(of(all, 'th')[0]?.text).toBe(kRead);
    expect(of(all, 'a')[0]?.attributes).toEqual({ href: `https://example.org/calc/#${kRead}` });
  });
});

describe('the element', () => {
  test('is the fallback in the element, and the loader', () => {
    const html = snippets.elementSnippet(good, {
      ...kOptions,
      view: 'chart',
      edit: ['n', 'mfu'],
      theme: 'dark',
      id: 'demo1',
    });
    const all = elements(html);
    expect(all[0]).toMatchObject({
      name: 'llm-envelope',
      attributes: {
        src: `https://example.org/calc/e/#${kLink}&view=chart&edit=n,mfu&theme=dark`,
        id: 'demo1',
      },
    });
    expect(all.at(-1)).toMatchObject({
      name: 'script',
      attributes: { defer: '', src: 'https://example.org/calc/embed/1/llm-envelope.js' },
      text: '',
    });
    expect(html).toContain(snippets.fallback(good, `https://example.org/calc/#${kLink}`));
  });

  test('frozen, all three addresses are the release’s', () => {
    const options = { ...kOptions, frozen: '0.4.0', integrity: 'sha384-abc+/=' };
    const all = elements(snippets.elementSnippet(good, options));
    expect(all[0]?.attributes.src).toBe(`https://example.org/calc/r/0.4.0/e/#${kLink}&view=card`);
    expect(of(all, 'a')[0]?.attributes.href).toBe(`https://example.org/calc/r/0.4.0/#${kLink}`);
    expect(all.at(-1)?.attributes).toEqual({
      defer: '',
      src: 'https://example.org/calc/r/0.4.0/embed/1/llm-envelope.js',
      integrity: 'sha384-abc+/=',
      crossorigin: 'anonymous',
    });
  });

  test('updating, no address has a month', () => {
    const link = snippets.updating(kLink);
    expect(link).toBe('v=1&model=llama-3.1-70b&n=8&tp=8');
    expect(snippets.updating('d=2026-11')).toBe('');
    expect(snippets.embedAddress('', kOptions)).toBe('https://example.org/calc/e/#view=card');
    expect(snippets.elementSnippet(good, kOptions, link)).not.toContain('d=2026');
  });

  test('nothing in it begins an element or an attribute of its own', () => {
    const options = {
      home: `https://example.org/${kHostile}/`,
      edit: [kHostile],
      id: kHostile,
      integrity: kHostile,
    };
    const all = elements(snippets.elementSnippet({ ...hostile, link: kHostile }, options));
    const calm = elements(snippets.elementSnippet(good, { ...kOptions, integrity: 'x', id: 'y' }));
    const shape = ({ name, attributes }: Element) => [name, ...Object.keys(attributes)];
    expect(all.map(shape)).toEqual(calm.map(shape));
    expect(all[0]?.attributes.id).toBe(kRead);
  });

  test('is one block of HTML in Markdown, without style and code of template languages', () => {
    for (const facts of [good, hostile]) {
      const html = snippets.elementSnippet(facts, kOptions);
      expect(html).not.toMatch(/\n\s*\n|style=|[{}]/);
      const rendered = new MarkdownIt({ html: true }).render(`Before.\n\n${html}\n\nAfter.`);
      expect(rendered).toBe(`<p>Before.</p>\n${html}\n<p>After.</p>\n`);
    }
  });
});

describe('the plain frame', () => {
  test('has the height of its view, the sandbox and a title', () => {
    for (const { height, narrow } of Object.values(kViews))
      expect(narrow).toBeGreaterThanOrEqual(height);
    for (const view of Object.keys(kViews) as (keyof typeof kViews)[]) {
      const all = elements(snippets.iframeSnippet(good, { ...kOptions, view }));
      expect(all.length).toBe(1);
      expect(all[0]).toEqual({
        name: 'iframe',
        text: '',
        attributes: {
          src: `https://example.org/calc/e/#${kLink}&view=${view}`,
          title: good.title,
          width: '100%',
          height: String(kViews[view].narrow),
          frameborder: '0',
          loading: 'lazy',
          sandbox: 'allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads',
          allow: 'clipboard-write',
        },
      });
    }
  });

  test('hostile words stay in its title', () => {
    const all = elements(snippets.iframeSnippet(hostile, kOptions));
    expect(all.map(({ name, attributes }) => [name, attributes.title])).toEqual([
      ['iframe', kRead],
    ]);
  });
});

test('a link in the text opens the calculator, and names the embed', () => {
  const all = elements(snippets.proseLink(kLink, kHostile, { ...kOptions, id: 'demo1' }));
  expect(all).toEqual([
    {
      name: 'a',
      attributes: { href: `https://example.org/calc/#${kLink}`, 'data-llm-envelope': 'demo1' },
      text: kRead,
    },
  ]);
});
