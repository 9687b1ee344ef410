// SPDX-License-Identifier: MIT
// The pages below s/: without a script they say what the core says, and machines can read them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ask, kHome, kSite, kinds, pages, read } from './site.mjs';
import { expect, live, open, shows, test } from './fixtures.mjs';

const gallery = JSON.parse(readFileSync(new URL('../../web/gallery.json', import.meta.url), 'utf8'));
const schema = await ask('schema');
const replays = await ask('replays');
const example = (slug) => schema.examples.find(({ id }) => id === slug);

/** Every page below s/ but the index: its slug, and the scenario whose numbers it shows. */
const kPages = [
  ...gallery.map(({ slug, link }) => ({ slug, link: link ?? example(slug).link })),
  ...replays.rows.map((row) => ({
    slug: `${row.document}-${row.id.toLowerCase()}`,
    link: row.items[0].link,
    row,
  })),
];
const kShown = kinds().filter((path) => path.startsWith('s/'));
const kTo = { width: 1200, height: 630, bytes: 300e3 };

const text = (html) =>
  html
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    .replaceAll('&amp;', '&');
const meta = (html, name) => {
  const [, content] = new RegExp(`<meta\\s+(?:name|property)="${name}"\\s+content="([^"]*)"`).exec(html) ?? [];
  return content === undefined ? undefined : text(content);
};
const json = (html) => JSON.parse(/ld\+json">([^]*?)<\/script>/.exec(html)[1]);

/** Width and height of a PNG, from its header. */
function sizeOf(png) {
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}

test('there is a page for each row of the gallery and each calculation', () => {
  const found = pages().filter((path) => /^s\/./.test(path));
  expect(found).toEqual(kPages.map(({ slug }) => `s/${slug}/`).sort());
  for (const { id } of replays.documents)
    expect(kPages.some(({ row }) => row?.document === id), id).toBe(true);
});

test('every page is consistent in what machines read', () => {
  const seen = { title: new Set(), description: new Set() };
  for (const path of pages()) {
    const html = read(path);
    const url = kHome + path;
    const title = text(/<title>([^<]*)/.exec(html)[1]).replace(/ · Envelope$/, '');
    const description = meta(html, 'description');
    expect(html.match(/<h1\b/g), `one h1 in ${path}`).toHaveLength(1);
    expect(html, path).toContain(`<link rel="canonical" href="${url}" />`);
    expect(meta(html, 'og:url'), path).toBe(url);
    expect(meta(html, 'og:title'), path).toBe(title);
    expect(meta(html, 'og:description'), path).toBe(description);
    expect(meta(html, 'twitter:card'), path).toBe('summary_large_image');
    const image = meta(html, 'og:image');
    expect(image.startsWith(kHome), image).toBe(true);
    const png = readFileSync(join(kSite, image.slice(kHome.length)));
    expect(sizeOf(png), image).toEqual({ width: kTo.width, height: kTo.height });
    expect(png.length, image).toBeLessThanOrEqual(kTo.bytes);
    expect(png.length, image).toBeGreaterThan(10e3);
    for (const [kind, value] of Object.entries({ title, description })) {
      expect(value.length, `${kind} of ${path}`).toBeGreaterThan(5);
      expect(seen[kind].has(value), `${kind} of ${path} is its own`).toBe(false);
      seen[kind].add(value);
    }
    const map = readFileSync(join(kSite, 'sitemap.xml'), 'utf8');
    expect(map).toContain(`<loc>${url}</loc>`);
  }
  expect(readFileSync(join(kSite, 'robots.txt'), 'utf8')).toContain(`${kHome}sitemap.xml`);
});

test('every page of the gallery has the core’s numbers, units, sources and dates in its HTML', async () => {
  for (const { slug, link, row } of kPages) {
    const html = read(`s/${slug}/`);
    const answer = await ask('estimate', link);
    const values = new Map(answer.steps.map(({ id, value }) => [id, value]));
    const rows = [...html.matchAll(/<tr data-id="([^"]*)">[^]*?<data value="([^"]*)">([^<]*)</g)];
    expect(rows.length, slug).toBeGreaterThan(5);
    for (const [, id, value, said] of rows) {
      expect(Number(value), `${id} of ${slug}`).toBe(values.get(id));
      expect(said, `${id} of ${slug}`).toMatch(/\d/);
    }
    expect(html, slug).toContain(`<time datetime="${answer.d}">`);
    expect(html, slug).toMatch(/<th scope="row">GPU<\/th>[^]*?<a href="https:[^]*?20\d\d-\d\d/);
    expect(text(html), slug).toContain(`href="../../#${link}"`);
    const { mainEntity } = json(html);
    expect(mainEntity.variableMeasured.length, slug).toBeGreaterThan(0);
    if (row) {
      const figures = row.items.filter(({ value }) => value !== null);
      expect(mainEntity.variableMeasured.map(({ value }) => value)).toEqual(
        figures.map(({ value }) => value),
      );
      for (const { link, why, figure } of row.items) {
        expect(text(html), `${slug} ${figure}`).toContain(`href="../../#${link}"`);
        if (why) expect(text(html).replace(/\s+/g, ' ')).toContain(why.replace(/\s+/g, ' '));
      }
    } else
      for (const { propertyID, value } of mainEntity.variableMeasured)
        expect(value, `${propertyID} of ${slug}`).toBe(values.get(propertyID));
  }
});

test('every page of the gallery can be turned into a frame by its address', () => {
  for (const { slug, link } of kPages) {
    const html = read(`s/${slug}/`);
    const [, at] = /<link rel="alternate" type="application\/json\+oembed" href="([^"]*)"/.exec(html);
    expect(at).toBe(`${kHome}s/${slug}/oembed.json`);
    const answer = JSON.parse(readFileSync(join(kSite, at.slice(kHome.length)), 'utf8'));
    expect(answer).toMatchObject({ version: '1.0', type: 'rich', provider_url: kHome });
    expect(answer.title).toBe(meta(html, 'og:title'));
    expect(answer.thumbnail_url).toBe(meta(html, 'og:image'));
    const frame = /^<iframe [^<>]*><\/iframe>$/.exec(answer.html)?.[0];
    expect(frame, slug).toBeTruthy();
    expect(text(frame)).toContain(`src="${kHome}e/#${link}&view=`);
    expect(frame).toContain(` width="${answer.width}" height="${answer.height}"`);
    expect(frame).toContain(' sandbox="allow-scripts');
    // The page's own embed is the same scenario.
    expect(text(html)).toMatch(/<llm-envelope\s[^>]*src="\.\.\/\.\.\/e\/#v=1&/);
    expect(existsSync(join(kSite, 'e/index.html'))).toBe(true);
  }
});

test.describe('without a script', () => {
  test.use({ javaScriptEnabled: false });
  for (const path of kShown)
    test(`/${path} reads in full`, async ({ page, seen }) => {
      // Firefox over BiDi runs scripts all the same.
      seen.allow(/Failed to load|ERR_FAILED|NetworkError|Loading failed/);
      await page.route(/\.js(\?|$)/, (route) => route.abort());
      await page.goto(path);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      if (path === 's/') {
        for (const { slug } of kPages)
          await expect(page.locator(`main a[href$="${slug}/"]`).first()).toBeVisible();
        return;
      }
      await expect(page.locator('.said').first()).toBeVisible();
      await expect(page.locator('table.results tbody tr').first()).toBeVisible();
      await expect(page.locator('svg.bar').first()).toBeVisible();
      await expect(page.locator('time').first()).toBeVisible();
      await expect(page.locator('.doors a').first()).toHaveAttribute('href', /^\.\.\/\.\.\/#v=1/);
    });
});

for (const path of kShown.filter((path) => path !== 's/'))
  test(`/${path} comes to life`, async ({ page }) => {
    await page.goto(path);
    const frame = page.frameLocator('llm-envelope iframe');
    await page.locator('llm-envelope').scrollIntoViewIfNeeded();
    await expect(frame.locator('body')).toContainText(/\d/, { timeout: 15_000 });
    await expect(page.locator('llm-envelope .said')).toBeHidden();
    await page.locator('.embedding summary').click();
    const [element] = await page.locator('.snippet').allInnerTexts();
    expect(element).toContain('<llm-envelope ');
    expect(element).toContain(`${kHome}e/#v=1`);
  });

test('a link of another version says so, and what is shown', async ({ page }) => {
  const { version, snapshots } = schema;
  const newest = snapshots.at(-1);
  const later = `${Number(newest.slice(0, 4)) + 1}-01`;
  for (const [link, words] of [
    [`v=1&d=${later}&n=64`, [later, newest]],
    [`v=${schema.v + 1}&n=64`, [`version ${schema.v + 1}`, `version ${schema.v}`]],
  ]) {
    await open(page, link);
    for (const word of words) await expect(page.locator('.answer')).toContainText(word);
    await expect(page.locator('footer')).toContainText(`data ${newest}`);
  }
  // The footer leads to this very release, and from there back.
  await page.locator('footer').getByRole('link', { name: version }).click();
  await live(page);
  expect(new URL(page.url()).pathname).toMatch(new RegExp(`/r/${version}/$`));
  await shows(page, schema.examples[0].link);
  await page.goto(`r/${version}/#${kPages[0].link}`);
  await shows(page, kPages[0].link);
  await page.locator('footer').getByRole('link', { name: 'the newest' }).click();
  await expect(page).not.toHaveURL(/\/r\//);
});

test('the gallery can be reached from every page', () => {
  for (const path of pages()) {
    const root = '../'.repeat(path.split('/').length - 1);
    expect(read(path), path).toContain(`href="${root}s/"`);
  }
});
