// SPDX-License-Identifier: MIT
// Every test of a page also demands a clean console, no refused and no foreign request.
import { exact as exact_inside } from './inside.mjs';
import { ask } from './site.mjs';
import { expect, playwright } from './tools.mjs';

export { expect };

function watch(page, seen) {
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) seen.console.push(message.text());
  });
  page.on('pageerror', (error) => seen.console.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    seen.requests.push(url);
    const own = seen.origins.some((origin) => url.startsWith(origin));
    if (!own && !/^(data|blob|about):/.test(url)) seen.foreign.push(url);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) seen.console.push(`${response.status()} ${response.url()}`);
  });
  return page.addInitScript(() =>
    addEventListener('securitypolicyviolation', (event) =>
      console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`),
    ),
  );
}

export const test = playwright.extend({
  /** What the page said and asked for; `allow` takes patterns of lines that a test provokes. */
  seen: async ({ baseURL }, use) => {
    const seen = { console: [], requests: [], foreign: [], allowed: [], origins: [baseURL] };
    seen.allow = (...patterns) => seen.allowed.push(...patterns);
    await use(seen);
  },
  page: async ({ page, seen }, use) => {
    await watch(page, seen);
    await use(page);
    const said = seen.console.filter((line) => !seen.allowed.some((p) => p.test(line)));
    expect(said, 'the console').toEqual([]);
    expect(seen.foreign, 'requests to other hosts').toEqual([]);
  },
});

export const field = (page, path) => page.locator(`[id="f-${path}"]`);
export const problem = (page, path) => page.locator(`[id="e-${path}-0"]`);
export const numbers_of = (page, metric) => page.locator(`[data-metric="${metric}"]`);
export const link_of = (page) => new URL(page.url()).hash.slice(1);

/** Waits until the page is more than its built HTML. */
export async function live(page) {
  await expect(page.locator('html')).toHaveAttribute('data-state', 'live', { timeout: 15_000 });
}
/** Waits until a page beside the calculator is as it stays: its embed, where it has one, is live. */
export async function settled(page) {
  await page.waitForLoadState('load');
  const embeds = page.locator('llm-envelope');
  if (await embeds.count()) {
    await embeds.first().scrollIntoViewIfNeeded();
    await expect(embeds.first().locator('iframe')).toBeVisible({ timeout: 15_000 });
  } else {
    await page.waitForLoadState('networkidle');
  }
}
/** Waits for the charts: the last thing that comes. */
export async function drawn(page) {
  await expect(page.locator('figure.chart svg').first()).toBeVisible({ timeout: 15_000 });
}
export async function open(page, link = '') {
  await page.goto(link ? `./#${link}` : './');
  await live(page);
}

/** The exact values behind all numbers on the page, with their metrics. */
export const exact = (page) => page.evaluate(exact_inside);

/** Waits until every number on the page is the core's answer to `scenario` (a link or a patch). */
export async function shows(page, scenario) {
  const { steps } = await ask('estimate', scenario);
  const expected = new Map(steps.map(({ id, value }) => [id, String(value)]));
  await expect
    .poll(
      async () => {
        const found = await exact(page);
        if (found.length < 5) return ['no numbers'];
        return found
          .filter(([id, value]) => expected.get(id) !== value)
          .map(([id, value]) => `${id} shows ${value}, not ${expected.get(id)}`);
      },
      { message: `the numbers of ${scenario}`, intervals: [20, 50, 100, 250] },
    )
    .toEqual([]);
}

/** Files are kept on the page and not saved: not every driver hears of downloads. */
export const keepFiles = (page) =>
  page.addInitScript(() => {
    const blobs = new Map();
    window.files = [];
    const create = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      const url = create.call(URL, blob);
      blobs.set(url, blob);
      return url;
    };
    HTMLAnchorElement.prototype.click = function () {
      const blob = blobs.get(this.href);
      window.files.push(
        blob.arrayBuffer().then((buffer) => ({
          name: this.download,
          type: blob.type,
          text: Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join(''),
        })),
      );
    };
  });

/** The file that a button gives: its name, type and bytes. */
export async function file_of(page, button) {
  await button.click();
  await expect.poll(() => page.evaluate(() => window.files.length)).toBe(1);
  const file = await page.evaluate(() => window.files.pop());
  return { ...file, bytes: Buffer.from(file.text, 'latin1') };
}

export async function first_link() {
  return (await ask('schema')).examples[0].link;
}
