// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawCard, kCardWidth, kPartColours, type CardContent } from '../../../web/src/card';
import { escapeXml, widthOf, wrap } from '../../../web/src/measure';

const kStyle = join(import.meta.dirname, '../../../web/src/style/tokens.css');

/** Every line of text with where it begins and ends. */
function lines(svg: string) {
  return [...svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(([, tag = '', text = '']) => {
    const of = (name: string) => Number(new RegExp(` ${name}="([^"]*)"`).exec(` ${tag}`)?.[1]);
    const [x, y, width] = [of('x'), of('y'), of('textLength')];
    const left = tag.includes('text-anchor="end"') ? x - width : x;
    return { text, y, left, right: left + width };
  });
}

const kLong =
  'An unusually long title about the pre-training of a very large language model '.repeat(6);
const kFull: CardContent = {
  eyebrow: 'Serving',
  title: 'Serve something',
  numbers: [
    { label: 'Throughput', text: '2,043 tokens/s', below: 'modelled' },
    { label: 'Latency', text: '8.11 s', below: 'modelled' },
    { label: 'Cost per million tokens', text: '$3.69', below: '$3.10 – $4.40' },
  ],
  bar: {
    title: 'Memory per GPU: 23.6 GB of 85.9 GB',
    capacity: 85.9,
    segments: [
      { label: 'Weights', text: '17.6 GB', value: 17.6, colour: '#111111' },
      { label: 'KV cache', text: '6.0 GB', value: 6, colour: '#222222' },
    ],
  },
  verdict: { severity: 'good', text: 'Fits, with 62.3 GB free of 85.9 GB on each GPU.' },
  month: 'Data 2026-11',
  place: 'localhost',
};

describe('the card', () => {
  it('is well-formed and holds what it was given', () => {
    const svg = drawCard(kFull);
    const texts = lines(svg).map((l) => l.text);
    for (const text of ['Serve something', '2,043 tokens/s', '$3.69', 'KV cache 6.0 GB'])
      expect(texts).toContain(text);
    expect(svg).toMatch(/^<svg [^>]*width="1200" height="630"/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('keeps every line inside, whatever is said', () => {
    const hostile: CardContent = {
      ...kFull,
      eyebrow: kLong,
      title: kLong,
      numbers: kFull.numbers?.map((b) => ({
        label: kLong,
        text: `${b.text}0000000`,
        below: kLong,
      })),
      verdict: { severity: 'bad', text: kLong },
    };
    for (const content of [kFull, hostile, { ...hostile, title: 'x'.repeat(400) }]) {
      const found = lines(drawCard(content));
      expect(found.length).toBeGreaterThan(10);
      for (const { text, left, right, y } of found) {
        expect(left, text).toBeGreaterThanOrEqual(0);
        expect(right, text).toBeLessThanOrEqual(kCardWidth);
        expect(y, text).toBeLessThan(630);
      }
    }
  });

  it('lets no two lines run into each other', () => {
    const title = 'Fine-tune Llama 3.1 8B with QLoRA on a single RTX 4090 of 24 GB at home';
    for (const content of [kFull, { ...kFull, title }]) {
      const found = lines(drawCard(content));
      for (const [i, a] of found.entries())
        for (const b of found.slice(i + 1))
          if (Math.abs(a.y - b.y) < 20)
            expect(a.right <= b.left || b.right <= a.left, `${a.text} | ${b.text}`).toBe(true);
    }
  });

  it('marks what does not fit', () => {
    const bar = { ...(kFull.bar as NonNullable<CardContent['bar']>), capacity: 10 };
    expect(drawCard({ ...kFull, bar })).toContain('stroke-dasharray');
    expect(drawCard(kFull)).not.toContain('stroke-dasharray');
  });

  it('never takes text for markup', () => {
    const evil = '</text><script>alert(1)</script>&"\u0000\ud800';
    const svg = drawCard({ ...kFull, title: evil, eyebrow: evil });
    expect(svg).not.toMatch(/<script|\u0000|\ud800/);
    expect(svg).toContain('&lt;script&gt;');
    expect(escapeXml('a<b>&"\u0007é×²')).toBe('a&lt;b&gt;&amp;&quot;é×²');
  });

  it('has the colours of the page', () => {
    const css = readFileSync(kStyle, 'utf8');
    for (const [part, colour] of Object.entries(kPartColours))
      expect(css, part).toContain(`--${part}: light-dark(${colour},`);
  });
});

describe('text by measured widths', () => {
  it('wraps at words, breaks none that fits, and says where it was cut', () => {
    const text = 'one two three four five six seven';
    const all = wrap(text, 40, 300, 9);
    expect(all.join(' ')).toBe(text);
    for (const line of all) expect(widthOf(line, 40)).toBeLessThanOrEqual(300);
    const some = wrap(text, 40, 300, 2);
    expect(some).toHaveLength(2);
    expect(some[1]).toMatch(/…$/);
    expect(wrap('', 40, 300, 2)).toEqual([]);
  });

  it('knows that W is wider than i, and bold than regular', () => {
    expect(widthOf('W', 10)).toBeGreaterThan(2 * widthOf('i', 10));
    expect(widthOf('Wi', 10)).toBeGreaterThan(widthOf('Wi', 10, false));
  });
});
