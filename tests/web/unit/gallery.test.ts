// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { load } from '../../wasm/module.mjs';
import type { Answer, Replays, Schema } from '../../../web/src/api';
import { factsOf } from '../../../web/src/facts';
import { readGallery, replaySlugs, type GalleryRow } from '../../../web/src/gallery';
import { metaTags, oembed, webPage } from '../../../web/src/meta';
import { withLink } from '../../../web/src/offline';
import { drafts, sitemap } from '../../../web/src/shelving';
import { tables } from '../../../web/src/view';

const kRows = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../web/gallery.json'), 'utf8'),
) as GalleryRow[];
const kHome = 'https://example.org/envelope/';

let schema: Schema;
let replays: Replays;
let estimate: (link: string) => Answer;

beforeAll(async () => {
  const core = await load();
  schema = JSON.parse(core.schema());
  replays = JSON.parse(core.replays());
  estimate = (link) => JSON.parse(core.estimate(link));
});

const read = (rows: readonly GalleryRow[], taken: readonly string[] = []) =>
  readGallery(rows, schema, taken, estimate);
const with_ = (change: Partial<GalleryRow>): GalleryRow[] => [
  ...kRows,
  { slug: 'fine', title: 'Fine', description: 'Fine.', link: kGood, view: 'card', ...change },
];
const kGood = 'v=1&d=2026-11&model=gpt2&n=1';

describe('the rows of the gallery', () => {
  it('are right, and cover the examples and each task', () => {
    const entries = read(kRows, replaySlugs(replays));
    expect(entries.length).toBeGreaterThanOrEqual(20);
    for (const e of schema.examples) expect(entries.map((x) => x.slug)).toContain(e.id);
    const tasks = new Set(entries.map((e) => e.answer.inputs['run.task']));
    expect([...tasks].sort()).toEqual(['finetune', 'pretrain', 'serve']);
  });

  it('are taken where one more is right', () => {
    expect(read(with_({})).at(-1)?.link).toBe(kGood);
  });

  const kWrong: [string, Partial<GalleryRow>, RegExp][] = [
    ['a slug twice', { slug: 'llama-405b' }, /llama-405b: another page has this slug/],
    ['the slug of a replay', { slug: 'why-so-many-gpus-d1' }, /another page/],
    ['a slug that is no path', { slug: '../x' }, /slug must be/],
    ['a link that is not canonical', { link: 'n=1&model=gpt2' }, /not canonical; it is v=1&d=/],
    ['a link with a mistake', { link: 'v=1&d=2026-11&model=nosuch' }, /model\.id: .*nosuch/],
    ['a link with an unknown key', { link: `${kGood}&foo=1` }, /foo/],
    ['an unknown view', { view: 'pie' as GalleryRow['view'] }, /pie is not a view/],
    ['an unknown key to edit', { edit: ['cluster.gpus'] }, /cluster\.gpus in edit/],
    ['an unknown metric', { numbers: ['cost.nothing'] }, /cost\.nothing in numbers is not/],
    ['a metric of another task', { numbers: ['serving.latency'] }, /does not apply/],
    ['no description', { description: ' ' }, /no description/],
    ['no title', { title: undefined }, /must be that of an example/],
    ['a misspelt member', { nubmers: [] } as Partial<GalleryRow>, /nubmers is not a member/],
  ];
  for (const [what, change, message] of kWrong)
    it(`are refused for ${what}`, () => {
      expect(() => read(with_(change), replaySlugs(replays))).toThrow(message);
    });

  it('are refused where an example has none', () => {
    const [first, ...rest] = kRows;
    expect(() => read(rest)).toThrow(`the example ${first?.slug} has no row`);
  });
});

describe('what is built for the pages', () => {
  it('has a page for each row and each calculation, with different titles and descriptions', () => {
    const all = drafts(schema, replays, kRows, estimate, kHome);
    expect(all.length).toBe(1 + kRows.length + replays.rows.length);
    for (const of of ['path', 'title', 'description'] as const)
      expect(new Set(all.map((d) => d[of])).size, of).toBe(all.length);
    for (const d of all) expect(d.description.length, d.path).toBeGreaterThan(20);
    const map = sitemap(
      kHome,
      all.map((d) => d.path),
    );
    for (const d of all) expect(map).toContain(`<loc>${kHome}${d.path}</loc>`);
  });
});

describe('what machines read', () => {
  const kEvil = '</script><script>alert(1)</script>"\'&';

  it('cannot be ended by a text in it', () => {
    const html = metaTags({
      title: kEvil,
      description: kEvil,
      url: kHome,
      image: kHome,
      alt: kEvil,
      data: { name: kEvil },
    });
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html.match(/<\/script/g)).toHaveLength(1);
    const [, text = ''] = /ld\+json">(.*?)<\/script>/s.exec(html) ?? [];
    expect(JSON.parse(text).name).toBe(kEvil);
    expect(html).not.toMatch(/content="[^"]*<script/);
  });

  it('names every number with its unit', () => {
    const of = factsOf(tables(schema), estimate(kGood));
    const page = webPage({
      url: kHome,
      title: 'T',
      description: 'D',
      image: kHome,
      home: kHome,
      month: of.d,
      version: of.version,
      facts: of.rows,
    }) as { mainEntity: { variableMeasured: { value: number; unitText: string }[] } };
    const measured = page.mainEntity.variableMeasured;
    expect(measured.map((m) => m.value)).toEqual(of.rows.map((r) => r.value));
    expect(measured.map((m) => m.unitText)).toEqual(of.rows.map((r) => r.unit));
  });

  it('is a sandboxed frame of the embed page in oEmbed', () => {
    const of = factsOf(tables(schema), estimate(kGood));
    const answer = oembed(of, 'T', `${kHome}card.png`, { home: kHome, view: 'bar' }) as {
      [key: string]: string;
    };
    expect(answer).toMatchObject({ version: '1.0', type: 'rich', thumbnail_width: 1200 });
    expect(answer.html).toContain(
      `src="${kHome}e/#${kGood.replaceAll('&', '&amp;')}&amp;view=bar"`,
    );
    expect(answer.html).toContain('sandbox="allow-scripts');
    expect(answer.html).toContain(`width="${answer.width}"`);
    expect(answer.html).toContain(`height="${answer.height}"`);
  });
});

describe('a file made of a scenario', () => {
  const kFile = '<html data-link=""><title>Old · Envelope</title><script>a="<title>"</script>';

  it('holds the link and the title as data', () => {
    expect(withLink(kFile, 'v=1&n=8', 'New', '')).toBe(
      '<html data-link="v=1&amp;n=8"><title>New · Envelope</title><script>a="<title>"</script>',
    );
  });

  it('holds the site that it was taken from, where that is one', () => {
    const head = (home: string) => withLink(kFile, 'n=8', 'New', home).split('>')[0];
    expect(head('https://a.org/calc/')).toBe(
      '<html data-link="n=8" data-home="https://a.org/calc/"',
    );
    expect(head('http://a.org/"x&')).toBe(
      '<html data-link="n=8" data-home="http://a.org/&quot;x&amp;"',
    );
    for (const none of ['file:///tmp/', 'javascript:alert(1)//', 'about:srcdoc', ''])
      expect(head(none)).toBe('<html data-link="n=8"');
  });

  it('never makes markup or patterns of them', () => {
    const evil = '"><script>alert(1)</script>$&$1';
    const html = withLink(kFile, evil, evil, `https://${evil}`);
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).toContain('$&amp;$1');
  });

  it('is made of the template and nothing else', () => {
    expect(() => withLink('<html>', 'n=8', 'New', '')).toThrow(/not offline\.html/);
  });
});
