// SPDX-License-Identifier: MIT
// The cases of hosts/cases.mjs in Chromium and Firefox, and what only these two can be asked.
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test as base } from './fixtures.mjs';
import { embed, kCases, live, shows } from './hosts/cases.mjs';
import { start_hosts } from './hosts.mjs';

const test = base.extend({
  hosts: [
    async ({}, use) => {
      const hosts = await start_hosts();
      await use(hosts);
      await hosts.close();
    },
    { scope: 'worker' },
  ],
  /** Drives the page for the cases. */
  tool: async ({ page, seen, hosts }, use) => {
    seen.origins.push(hosts.site, new URL(hosts.url('')).origin, 'file:///', 'http://127.0.0.1');
    // As text: a policy of the page does not reach it.
    const run = (where, f, ...args) =>
      where.evaluate(`(${f})(...${JSON.stringify(args).replaceAll('\u2028', '\\u2028')})`);
    const tool = {
      page,
      async open(url) {
        await page.clock.install();
        await page.goto(url);
      },
      js: (f, ...args) => run(page, f, ...args),
      frame: (id = 'demo') => ({
        async js(f, ...args) {
          const found = page.locator(`iframe#${id}, #${id} iframe`);
          const frame = await (await found.elementHandle({ timeout: 5000 })).contentFrame();
          return run(frame, f, ...args);
        },
      }),
      click: (selector) => page.click(selector),
      pause: sleep,
      patience: async () => {
        await page.waitForTimeout(300);
        await page.clock.fastForward(9000);
      },
      async until(what, probe, expected) {
        const good = (found) =>
          typeof expected === 'function'
            ? expected(found)
            : JSON.stringify(found) === JSON.stringify(expected);
        const look = async () => {
          try {
            const found = await probe();
            return good(found) ? 'as expected' : JSON.stringify(found).slice(0, 400);
          } catch (error) {
            return String(error); // of a frame that is just being replaced
          }
        };
        const options = { message: what, intervals: [30, 60, 120, 250] };
        await expect.poll(look, options).toBe('as expected');
      },
    };
    await use(tool);
  },
});

for (const [name, check, { allow = [] } = {}] of kCases)
  test(name, async ({ tool, hosts, seen }) => {
    seen.allow(...allow);
    await check(tool, hosts);
  });

test('nothing is stored, and nothing is asked for: no storage, no cookie, no other host', async ({
  tool,
  hosts,
  page,
  seen,
}) => {
  // In each frame, before its scripts: whoever touches a store is told of.
  await page.addInitScript(() => {
    const touched = (name) => console.warn(`touched ${name}`);
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookieStore'])
      if (name in window)
        Object.defineProperty(window, name, { get: () => touched(name), configurable: true });
    for (const name of ['cookie', 'domain'])
      Object.defineProperty(Document.prototype, name, {
        get: () => touched(name) ?? '',
        set: () => touched(name),
      });
    for (const name of ['serviceWorker', 'storage', 'sendBeacon'])
      Object.defineProperty(Navigator.prototype, name, { get: () => touched(name) });
    for (const name of ['pushState', 'replaceState']) History.prototype[name] = () => touched(name);
  });
  await tool.open(hosts.url('two.html'));
  await live(tool, 'one');
  await shows(tool, tool.frame('one'), hosts.link);
  await tool.click('#l1');
  await shows(tool, tool.frame('one'), hosts.other);
  await page.evaluate(() => document.cookie); // the instrument works
  await expect.poll(() => seen.console).toContain('touched cookie');
  expect(seen.console.filter((line) => line !== 'touched cookie')).toEqual([]);
  expect(seen.console.length).toBe(1);
  seen.allow(/^touched cookie$/);
  const names = seen.requests.map((url) => new URL(url).pathname.replace(/.*\//, ''));
  expect([...new Set(names)].filter((name) => name && !/favicon/.test(name)).sort()).toEqual([
    'embed.css',
    'embed.js',
    'host.css',
    'llm-envelope.js',
    'two.html',
  ]);
});

test('an embed gives up after 8 seconds, and not before', async ({ page, hosts, tool, seen }) => {
  seen.allow(/ERR_CONNECTION_REFUSED|NS_ERROR/, /WebAssembly|unsafe-eval|CSP/i, /^\{\}$/);
  await tool.open(hosts.url('unable.html'));
  const frames = () => tool.js(embed, 'silent').then((e) => e.frames);
  await tool.until('a frame', frames, 1);
  await page.clock.fastForward(5000);
  expect(await frames()).toBe(1);
  await page.clock.fastForward(3000);
  expect(await frames()).toBe(0);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });
  test('the words of the author are there to read', async ({ page, hosts, seen }) => {
    seen.origins.push(hosts.site, new URL(hosts.url('')).origin);
    // Firefox over BiDi runs scripts all the same; there the one script does not arrive.
    seen.allow(/Failed to load|ERR_FAILED|NetworkError|Loading failed/);
    await page.route(/llm-envelope\.js/, (route) => route.abort());
    await page.goto(hosts.url('element.html'));
    const { sentence, rows, title } = hosts.facts;
    await expect(page.locator('llm-envelope b')).toHaveText(`${title}:`);
    await expect(page.locator('llm-envelope p').first()).toContainText(sentence);
    await expect(page.locator('llm-envelope tr')).toHaveCount(5);
    await expect(page.locator('llm-envelope tr').first()).toContainText(rows[0].text);
    const link = page.locator('llm-envelope a');
    await expect(link).toBeVisible();
    await expect(link).toHaveAttribute('href', `${hosts.site}#${hosts.link}`);
  });
});

test('the words that stay have the key numbers, and read well at 200 px', async ({
  tool,
  hosts,
  page,
  seen,
}) => {
  seen.allow(/script-src/, /llm-envelope\.js/);
  await page.setViewportSize({ width: 232, height: 800 });
  await tool.open(hosts.url('element.html', 'scriptless'));
  const wide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  expect(await tool.js(wide)).toBe(0);
});

test('what is printed is the live frame, with the reader’s numbers', async ({
  tool,
  hosts,
  page,
}) => {
  await tool.open(hosts.url('element.html'));
  await live(tool);
  await page.emulateMedia({ media: 'print' });
  const { live: shown, fallback, height } = await tool.js(embed, 'demo');
  expect([shown, fallback]).toEqual([true, false]);
  expect(height).toBeGreaterThan(150);
});

test.describe('what moves', () => {
  test.skip(({ browserName }) => browserName !== 'chromium', 'only Chromium tells');

  /** How far things have moved without being asked to; Chrome calls 0.1 good. */
  const shift = (page) =>
    page.evaluate(
      () =>
        new Promise((done) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const { value } of list.getEntries()) sum += value;
          }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => done(sum), 400);
        }),
    );

  // The words that authors paste are about as high as what replaces them.
  for (const [name, id, most] of [
    ['element', 'demo', 0.001],
    ['chart', 'chart', 0.01],
  ])
    test(`nothing in ${name}.html, though the loader comes after the first paint`, async ({
      tool,
      hosts,
      page,
      seen,
    }) => {
      seen.origins.push(hosts.site);
      await page.route(/llm-envelope\.js/, async (route) => {
        await sleep(600);
        await route.continue();
      });
      await page.goto(hosts.url(`${name}.html`));
      await live(tool, id);
      expect(await shift(page)).toBeLessThan(most);
    });

  test('nothing while embeds come to life below what is seen', async ({ tool, hosts, page }) => {
    await page.goto(hosts.url('two.html'));
    await live(tool, 'one');
    await live(tool, 'two');
    const before = await shift(page);
    const far = () => tool.js(() => document.getElementById('far').getBoundingClientRect().top);
    const scroll = async (until) => {
      for (; (await far()) > until; await sleep(100)) await page.mouse.wheel(0, 100);
    };
    await scroll(1000); // below the 800 px that are seen, and near enough to load
    await live(tool, 'far');
    await scroll(700);
    expect((await shift(page)) - before).toBeLessThan(0.001);
  });
});
