// SPDX-License-Identifier: MIT
// Without a network: the service worker of the site, and the calculator as one file on a disk.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { serve } from './serve.mjs';
import { ask, kHome, kSite, patched } from './site.mjs';
import { exact, expect, field, first_link, link_of, live, numbers_of, shows, test } from './fixtures.mjs';

const kOther = 'v=1&d=2026-11&task=serve&model=llama-3.1-8b&n=1';

/** The names of the caches, when the worker of this page has done its work. */
const installed = (page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return [registration.scope, await caches.keys(), registration.active.state];
  });

test.describe('the service worker', () => {
  // Playwright's Firefox has none over BiDi for a host without TLS other than localhost.
  let server;
  test.beforeEach(async ({ seen }) => {
    server = await serve(kSite, { port: 8700, host: 'localhost', prefix: '/some/folder/' });
    seen.origins.push(server.url);
  });
  test.afterEach(() => server.close());

  test('opens the page with a link after the host is gone', async ({ page, seen }) => {
    test.slow();
    await page.goto(server.url);
    await live(page);
    await expect
      .poll(() => page.evaluate(async () => (await caches.keys()).length), { timeout: 30_000 })
      .toBe(1);
    const [scope, names, state] = await installed(page);
    expect(scope).toBe(server.url);
    expect(names[0]).toContain(server.url);
    await expect.poll(async () => (await installed(page))[2], state).toBe('activated');
    await page.goto(`${server.url}formats/`); // kept, because it is visited
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await server.close();
    seen.allow(/Failed to load resource|ERR_CONNECTION_REFUSED|ERR_FAILED/);
    await page.goto(`${server.url}?utm_source=x#${kOther}`);
    await live(page);
    await shows(page, kOther);
    await field(page, 'cluster.gpus').fill('2');
    await shows(page, await patched(kOther, { 'cluster.gpus': 2 }));
    // What few need is kept as well.
    await page.getByRole('button', { name: 'Import config.json' }).click();
    await page.locator('#import-text').fill('{"model_type":"gpt2"}');
    await expect(page.locator('.import')).toContainText('num_hidden_layers');
    await page.goto(`${server.url}formats/`);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    seen.allow(/favicon\.ico/); // asked for when a frame's page is opened on its own
    await page.goto(`${server.url}e/#${kOther}&view=card`);
    await expect(page.locator('body')).toContainText(/\d/);
  });

  test('keeps what belongs together when a release came in between', async ({ page, seen }) => {
    test.slow();
    const folder = mkdtempSync(join(tmpdir(), 'envelope-release-'));
    cpSync(kSite, folder, { recursive: true });
    const own = await serve(folder, { port: 8750, host: 'localhost' });
    seen.origins.push(own.url);
    try {
      await page.goto(own.url);
      await live(page);
      await expect
        .poll(() => page.evaluate(async () => (await caches.keys()).length), { timeout: 30_000 })
        .toBe(1);
      await expect.poll(async () => (await installed(page))[2]).toBe('activated');
      await page.reload(); // controlled from here on
      await live(page);
      // The next release: its page names files that this visitor has not.
      const index = join(folder, 'index.html');
      const html = readFileSync(index, 'utf8');
      writeFileSync(index, html.replace(/assets\/index-/g, 'assets/later-'));
      const status = await page.evaluate(async () => {
        const text = await (await fetch('./')).text();
        return text.includes('assets/later-');
      });
      expect(status, 'the network gives the next release').toBe(true);
      await own.close();
      seen.allow(/Failed to load resource|ERR_CONNECTION_REFUSED|ERR_FAILED/);
      await page.reload();
      await live(page);
      await page.getByRole('button', { name: 'Share' }).first().click();
      await expect(page.getByRole('dialog', { name: 'Share' })).toBeVisible();
    } finally {
      await own.close();
      rmSync(folder, { recursive: true });
    }
  });

  test('clears what an older one kept, and nothing of others', async ({ page }) => {
    test.slow();
    await page.goto(`${server.url}replays/`);
    const older = `envelope ${server.url} 000000000000`;
    await page.evaluate(async (name) => {
      await caches.open(name);
      await caches.open('envelope http://elsewhere/ 1');
      await navigator.serviceWorker.register('../sw.js');
      await navigator.serviceWorker.ready;
    }, older);
    await expect
      .poll(async () => (await page.evaluate(() => caches.keys())).includes(older))
      .toBe(false);
    const names = await page.evaluate(() => caches.keys());
    expect(names).toContain('envelope http://elsewhere/ 1');
    expect(names.filter((name) => name.includes(server.url))).toHaveLength(1);
  });

  test('is never registered by embeds, pages of others and frozen releases', async ({ page, seen }) => {
    seen.allow(/favicon\.ico/); // asked for when a frame's page is opened on its own
    const { version } = await ask('schema');
    const asked = [];
    page.context().on('request', (request) => asked.push(request.url()));
    await page.addInitScript(() => {
      const container = globalThis.ServiceWorkerContainer?.prototype;
      if (container) container.register = async () => (globalThis.registered = true);
      // The page waits; a test need not.
      const wait = globalThis.setTimeout;
      globalThis.setTimeout = (work, ms, ...rest) => wait(work, Math.min(ms ?? 0, 200), ...rest);
    });
    const registers = async (path) => {
      await page.goto(server.url + path);
      await page.waitForTimeout(1500);
      const all = await Promise.all(
        page.frames().map((frame) => frame.evaluate(() => globalThis.registered === true)),
      );
      return all.some(Boolean);
    };
    expect(await registers('')).toBe(true); // so that the others can be trusted
    expect(await registers(`e/#${kOther}&view=card`)).toBe(false);
    expect(await registers(`s/llama-70b-serve/`)).toBe(false);
    expect(await registers(`r/${version}/`)).toBe(false);
    expect(asked.filter((url) => url.endsWith('/sw.js'))).toEqual([]);
  });
});

test.describe('the file that works alone', () => {
  let folder, file;
  test.beforeEach(async ({ context, seen }) => {
    folder = mkdtempSync(join(tmpdir(), 'envelope-file-'));
    file = join(folder, 'my calculation.html');
    writeFileSync(file, readFileSync(join(kSite, 'offline.html')));
    seen.origins.push('file:'); // and of files only the page itself, below
    await context.setOffline(true).catch(() => {}); // Firefox over BiDi has no such switch
  });
  test.afterEach(({ seen }) => {
    const asked = seen.requests.filter((url) => !/^(data|blob):/.test(url));
    expect(new Set(asked.map((url) => url.split('#')[0])).size, asked.join(' ')).toBeLessThan(2);
    rmSync(folder, { recursive: true });
  });
  const open = async (page, link = '') => {
    await page.goto(pathToFileURL(file).href + (link && `#${link}`));
    await live(page);
  };

  test('computes, edits, and keeps the scenario in its address', async ({ page }) => {
    await open(page);
    await shows(page, await first_link());
    await field(page, 'run.tokens').fill('2T');
    await shows(page, await patched(await first_link(), { 'run.tokens': '2T' }));
    await expect.poll(() => link_of(page)).toContain('tokens=2e12');
    await numbers_of(page, 'time.total').first().click();
    await expect(page.getByRole('dialog')).toContainText('Exactly');
    await page.keyboard.press('Escape');
    await page.locator('#charts').scrollIntoViewIfNeeded();
    await expect(page.locator('figure.chart svg').first()).toBeVisible();
  });

  test('opens a link', async ({ page }) => {
    await open(page, kOther);
    await shows(page, kOther);
  });

  test('reads a config.json', async ({ page }) => {
    await open(page);
    await page.getByRole('button', { name: 'Import config.json' }).click();
    await page
      .locator('#import-text')
      .fill('{"model_type":"gpt2","n_embd":768,"n_layer":12,"n_head":12,"vocab_size":50257}');
    await page.getByRole('button', { name: /^Use/ }).click();
    await expect.poll(() => link_of(page)).toMatch(/layers=12/);
    expect((await exact(page)).length).toBeGreaterThan(5);
  });

  test('explains its inputs, shares the site’s links, and leads to the site', async ({ page }) => {
    await open(page);
    const outward = await page
      .locator('a[href]')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')).filter((h) => h[0] !== '#'));
    for (const name of ['', 'replays/', 'method/', 's/']) expect(outward).toContain(kHome + name);
    for (const href of outward) expect(href).toMatch(/^https?:\/\//);
    await page.getByRole('button', { name: 'Share', exact: true }).first().click();
    const link = page.getByRole('dialog').locator('textarea').first();
    await expect(link).toHaveValue(`${kHome}#${await first_link()}`);
  });

  test('holds a scenario, which it opens with', async ({ page }) => {
    // As web/src/offline.ts writes it; the unit tests hold it to this.
    const made = readFileSync(file, 'utf8').replace(
      'data-link=""',
      () => `data-link="${kOther.replaceAll('&', '&amp;')}"`,
    );
    writeFileSync(file, made);
    await open(page);
    await shows(page, kOther);
    await open(page, await first_link());
    await shows(page, await first_link());
  });

  test('leads to the site that it was taken from', async ({ page }) => {
    const site = 'https://calc.example.org/of/ours/';
    const head = (home) => `data-link="${kOther.replaceAll('&', '&amp;')}" data-home="${home}"`;
    const template = readFileSync(file, 'utf8');
    writeFileSync(file, template.replace('data-link=""', () => head(site)));
    await open(page);
    await shows(page, kOther);
    const share = page.getByRole('button', { name: 'Share', exact: true }).first();
    const link = page.getByRole('dialog').locator('textarea').first();
    await share.click();
    await expect(link).toHaveValue(`${site}#${kOther}`);
    await page.keyboard.press('Escape');
    const outward = await page
      .locator('a[href]')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')).filter((h) => h[0] !== '#'));
    for (const name of ['', 'replays/', 'method/', 's/']) expect(outward).toContain(site + name);
    expect(outward.filter((href) => href.startsWith(kHome))).toEqual([]);
    // Not a place that no page can be at.
    writeFileSync(file, template.replace('data-link=""', () => head('javascript:alert(1)/')));
    await page.goto('about:blank');
    await open(page);
    await share.click();
    await expect(link).toHaveValue(`${kHome}#${kOther}`);
  });

  test('has a policy that allows its own script and style, and no request', () => {
    const html = readFileSync(file, 'utf8');
    const policy = /Content-Security-Policy"\s+content="([^"]*)"/.exec(html)[1];
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[^']+' 'wasm-unsafe-eval'; /);
    expect(policy).not.toMatch(/unsafe-inline|connect-src|https?:|'self'/);
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<link\b/);
    expect(html.length).toBeLessThan(1.2e6); // the module of all answers, charts and plans too
  });
});
