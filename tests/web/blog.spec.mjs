// SPDX-License-Identifier: MIT
// A post of a Hugo blog on another origin, with the shortcodes of the recipe: three live embeds, links
// in the text that set one, and what is left of it in feeds and without scripts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AxeBuilder } from './tools.mjs';
import { build, fallback, kPost, read } from './blog.mjs';
import { expect, test } from './fixtures.mjs';
import { serve } from './serve.mjs';
import { ask } from './site.mjs';

const { embeds, links, prose } = read();
const folder = mkdtempSync(join(tmpdir(), 'envelope-blog-site-'));
let blog;

test.beforeAll(async () => {
  blog = await serve(folder, { port: 8300 });
  build(blog.url, process.env.ENVELOPE_URL, folder);
});
test.afterAll(async () => {
  await blog?.close();
  rmSync(folder, { recursive: true, force: true });
});

const values = async (link) =>
  new Map((await ask('estimate', link)).steps.map(({ id, value }) => [id, value]));
const frame = (page, id) => page.frameLocator(`llm-envelope#${id} iframe`);
const embed = (page, id) => page.locator(`llm-envelope#${id}`);
const kNamed = { amp: '&', lt: '<', gt: '>', quot: '"', '#34': '"', '#39': "'", '#43': '+' };
const unescaped = (html) => html.replace(/&(#?\w+);/g, (all, name) => kNamed[name] ?? all);
const withoutTags = (html) => unescaped(html.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();

/** Waits until all numbers of an embed are the core's answer to `link`. */
async function shows(page, id, link) {
  await embed(page, id).scrollIntoViewIfNeeded();
  const expected = await values(link);
  const numbers = frame(page, id).locator('[data-metric]');
  await expect
    .poll(
      async () => {
        const found = await numbers.evaluateAll((all) =>
          all.map((n) => [n.dataset.metric, n.title.split(': ').at(-1)]),
        );
        if (found.length < 3) return `${found.length} numbers`;
        return found.filter(([id, value]) => String(expected.get(id)) !== value).join(' ');
      },
      { message: `the numbers of ${id}`, timeout: 20_000 },
    )
    .toBe('');
}

async function open(page, seen) {
  seen.origins.push(blog.url);
  await page.goto(blog.url + kPost);
}

test('three embeds are live with the numbers of the core', async ({ page, seen }) => {
  expect(embeds.map(({ view }) => view).sort()).toEqual(['bar', 'card', 'chart']);
  await open(page, seen);
  for (const { id, link } of embeds) await shows(page, id, link);
  await expect(frame(page, 'serve').locator('.memory')).toBeVisible();
  await expect(frame(page, 'train').locator('figure svg').first()).toBeVisible();
  await expect(frame(page, 'tune').locator('.numbers')).toBeVisible();
  for (const { id } of embeds) await expect(embed(page, id).locator('table')).toBeHidden();
});

test('links in the text set their embed', async ({ page, seen }) => {
  expect(links.length).toBe(2);
  await open(page, seen);
  await shows(page, 'serve', embeds[0].link);
  for (const { id, link, words } of links) {
    await page.getByRole('link', { name: words }).click();
    await shows(page, id, link);
    await expect(page.getByRole('link', { name: words })).toHaveAttribute('aria-current', 'true');
  }
  expect(page.url()).toBe(blog.url + kPost);
  const tune = embeds.find(({ id }) => id === 'tune');
  await shows(page, 'tune', tune.link); // the others stay
});

test('each embed is a calculation of another document', async () => {
  const { rows } = await ask('replays');
  const documents = embeds.map(({ link }) => {
    const row = rows.find(({ items }) =>
      items.some((item) => item.link === link || item.baseline_link === link),
    );
    return row?.document;
  });
  expect(documents.every(Boolean)).toBe(true);
  expect(new Set(documents).size).toBe(3);
});

test('what the post says is true', async () => {
  const [serve, tune, train] = await Promise.all(embeds.map(({ link }) => values(link)));
  const [many, fp8] = await Promise.all(links.map(({ link }) => values(link)));
  const full = await values('task=finetune&model=llama-65b&recipe=mixed-16&mdt=none');
  const more = await values(embeds[2].link.replace(/\bn=10\b/, 'n=1000'));
  const ratio = (a, b, id) => a.get(id) / b.get(id);
  const gigabytes = (map, id) => `${(map.get(id) / 1e9).toPrecision(3)} GB`;

  expect(links[1].words).toBe('at FP8 the KV cache halves');
  expect(ratio(fp8, many, 'memory.kv_cache')).toBe(0.5);
  expect(links[0].words).toBe('With 32 readers at once');
  expect(many.get('memory.kv_cache')).toBeGreaterThan(many.get('memory.weights'));
  const said = [
    `LLaMA 65B has ${gigabytes(serve, 'memory.weights')} of weights in BF16`,
    `a footnote: ${gigabytes(serve, 'memory.kv_cache')} beside the weights`,
    `the KV cache is ${gigabytes(many, 'memory.kv_cache')}, more than the weights`,
    `write ${ratio(fp8, many, 'serving.tokens_per_s').toPrecision(3)} times as fast`,
    `in 16 bits needs ${gigabytes(full, 'memory.states')} for weights, gradients and optimizer`,
    `GPU of ${tune.get('layout.capacity') / 2 ** 30} GiB is enough`,
    `training would take ${(train.get('time.total') / (365.25 * 86400)).toPrecision(3)} years`,
    `the bill, $${(train.get('cost.total') / 1e6).toPrecision(3)}M, stays the same`,
  ];
  for (const sentence of said) expect(prose).toContain(sentence);
  expect(tune.get('gpus.to_fit')).toBe(1);
  expect(ratio(train, more, 'time.total')).toBeCloseTo(100, 9);
  expect(ratio(train, more, 'cost.total')).toBeCloseTo(1, 9);
});

test('the texts of the embeds are what the core says (node blog.mjs writes them)', async () => {
  for (const { link, inner } of embeds) expect(inner).toBe(await fallback(link));
});

test('the feed has the sentence and the link, and nothing that runs', async () => {
  const feed = unescaped(readFileSync(join(folder, 'index.xml'), 'utf8'));
  for (const { link, inner } of embeds) {
    const sentence = withoutTags(/<p>(.*?)<\/p>/s.exec(inner)[1]);
    expect(withoutTags(feed)).toContain(sentence);
    expect(unescaped(feed)).toContain(`${process.env.ENVELOPE_URL}#${link}`);
  }
  expect(feed).not.toMatch(/<(script|iframe|llm-envelope)/);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });
  test('the texts are there, and the links lead to the calculator', async ({ page, seen }) => {
    await open(page, seen);
    for (const { id, inner } of embeds) {
      await expect(embed(page, id).locator('table')).toBeVisible();
      const words = (await embed(page, id).innerText()).replace(/\s+/g, ' ');
      expect(words).toContain(withoutTags(/<p>(.*?)<\/p>/s.exec(inner)[1]));
      await expect(embed(page, id).getByRole('link')).toHaveText('Open in Envelope');
    }
    const { words, link } = links[1];
    const address = `${process.env.ENVELOPE_URL}#${link}`;
    await expect(page.getByRole('link', { name: words })).toHaveAttribute('href', address);
  });
});

for (const colorScheme of ['light', 'dark'])
  test(`axe finds nothing, ${colorScheme}`, async ({ page, seen, browserName }) => {
    test.skip(browserName !== 'chromium', 'the same document in each');
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    await open(page, seen);
    for (const { id, link } of embeds) await shows(page, id, link);
    const { violations } = await new AxeBuilder({ page }).exclude('llm-envelope').analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map((n) => n.target)])).toEqual([]);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(over).toBeLessThanOrEqual(0);
  });
