// SPDX-License-Identifier: MIT
// The embed page in frames without an origin, on pages of another host; and the inline element.
// Over 400 lines because each view, each message and each hostile link has its test.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';

import { expect, test as base } from './fixtures.mjs';
import { ask, kSite, patched } from './site.mjs';
import { AxeBuilder } from './tools.mjs';

const { examples, version } = await ask('schema');
const link = (task) => examples.find((example) => example.task === task).link;
const kTrain = link('pretrain');
const kServe = link('serve');
const kSandbox = 'allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads';
const kMiddle = 640; // px: a column of text

const escaped = (text) => text.replace(/[&"<]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A host of pages with any body and policy; it also has the script of the inline element. */
function host() {
  const pages = new Map();
  const server = createServer(({ url }, response) => {
    const { body, policy } = pages.get(url) ?? {};
    if (url.startsWith('/embed/')) {
      response.writeHead(200, { 'content-type': 'text/javascript' });
      response.end(readFileSync(join(kSite, 'embed/1/inline.js')));
    } else if (body === undefined) response.writeHead(404).end();
    else {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        ...(policy && { 'content-security-policy': policy }),
      });
      response.end(`<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">
        <meta name="color-scheme" content="light dark"><body>${body}`);
    }
  });
  const add = (page) => {
    const path = `/page/${pages.size}`;
    pages.set(path, page);
    return path.slice(1);
  };
  return { server, add };
}

const test = base.extend({
  pages: [
    async ({}, use) => {
      const { server, add } = host();
      await once(server.listen(0, '127.0.0.1'), 'listening');
      await use({ url: `http://127.0.0.1:${server.address().port}/`, add });
      server.closeAllConnections();
      server.close();
    },
    { scope: 'worker' },
  ],
  /** Opens a page of the host. */
  visit: async ({ page, pages, seen }, use) => {
    seen.origins.push(pages.url);
    await use((body, policy) => page.goto(pages.url + pages.add({ body, policy })));
  },
  /** A page with one frame; what the frame says is kept. Returns the frame. */
  embed: async ({ page, visit, baseURL }, use) => {
    await use(async (fragment, { width = kMiddle, wait = true } = {}) => {
      await page.addInitScript(() => {
        window.heard = [];
        if (parent === window)
          addEventListener('message', ({ source, data }) => {
            const of = [...document.querySelectorAll('iframe')].find(
              (f) => f.contentWindow === source,
            );
            window.heard.push({ from: of?.id, data });
            if (of && data?.type === 'envelope:height') of.height = data.height;
          });
      });
      await visit(`<iframe id="a" width="${width}" height="60" frameborder="0" sandbox="${kSandbox}"
        title="An embed" src="${escaped(`${baseURL}e/#${fragment}`)}"></iframe>`);
      const frame = await (await page.$('iframe')).contentFrame();
      if (wait) await live(frame);
      return frame;
    });
  },
});

const live = (frame) =>
  expect(frame.locator('html')).toHaveAttribute('data-state', 'live', { timeout: 15_000 });

/** The numbers that can be seen, with their metrics. */
const numbers = (frame) =>
  frame.evaluate(() =>
    [...document.querySelectorAll('[data-metric]')]
      .filter((number) => number.getClientRects().length > 0)
      .map(({ dataset, title }) => [dataset.metric, /: (\S+)$/.exec(title)[1]]),
  );

/** Waits until every number that can be seen is the core's answer. */
async function shows(frame, scenario, least = 3) {
  const { steps } = await ask('estimate', scenario);
  const expected = new Map(steps.map(({ id, value }) => [id, String(value)]));
  const wrong = async () => {
    const found = await numbers(frame);
    if (found.length < least) return [`${found.length} numbers`];
    return found.filter(([id, value]) => expected.get(id) !== value);
  };
  await expect.poll(wrong, { message: `the numbers of ${scenario}` }).toEqual([]);
}

const kParts = ['.line', '.card-part', '.bar-part', '.chart-part', '.table-part'];
const parts = (frame) =>
  frame.evaluate(
    (all) =>
      all
        .filter(
          (part) =>
            document.querySelector(`.embed > ${part}, .box > ${part}`)?.getClientRects().length,
        )
        .map((part) => part.slice(1).replace('-part', '')),
    kParts,
  );
const heard = (page, type) =>
  page.evaluate(
    (t) => window.heard.filter(({ data }) => data?.type === t).map(({ data }) => data),
    type,
  );
const input = (frame, path) => frame.locator(`[id="f-${path}"]`);
const open_link = async (frame) =>
  new URL(await frame.locator('.open:visible').first().getAttribute('href'), frame.url()).href;
const problem = (frame, path) => frame.locator(`[id="e-${path}-0"]`);

// What each view shows, from wide to narrow.
const kViews = {
  line: [
    [kMiddle, 'line'],
    [200, 'line'],
  ],
  card: [
    [kMiddle, 'card'],
    [280, 'card'],
    [279, 'line'],
    [200, 'line'],
  ],
  bar: [
    [kMiddle, 'bar'],
    [320, 'bar'],
    [319, 'card'],
    [279, 'line'],
  ],
  chart: [
    [kMiddle, 'chart'],
    [360, 'chart'],
    [359, 'bar'],
    [319, 'card'],
    [200, 'line'],
  ],
  table: [
    [kMiddle, 'table'],
    [320, 'table'],
    [319, 'card'],
    [279, 'line'],
  ],
  full: [
    [kMiddle, 'card bar chart table'],
    [480, 'card bar chart table'],
    [479, 'chart'],
    [359, 'bar'],
    [319, 'card'],
    [279, 'line'],
  ],
};

/** What the loader reserves for a view. */
const reserved = (view) => {
  const source = readFileSync(join(import.meta.dirname, '../../web/src/embed/views.ts'), 'utf8');
  return Number(new RegExp(`${view}: \\{.*height: (\\d+)`).exec(source)[1]);
};

for (const [view, widths] of Object.entries(kViews))
  test(`${view}: the core's numbers, and what there is room for`, async ({ page, embed }) => {
    for (const task of [kTrain, kServe]) {
      const frame = await embed(`${task}&view=${view}`);
      const { height } = (await heard(page, 'envelope:height')).at(-1);
      expect(Math.abs(height / reserved(view) - 1), `${height} px`).toBeLessThan(0.2);
      for (const [width, shown] of widths) {
        await page.$eval('iframe', (f, w) => (f.width = w), width);
        await expect.poll(() => parts(frame), `${width} px`).toEqual(shown.split(' '));
        await shows(frame, task, shown === 'chart' ? 0 : 3);
        const over = () => frame.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(await over(), `${width} px are wide enough`).toBeLessThanOrEqual(0);
        const { d } = await ask('open', task).then(() => ask('estimate', task));
        await expect(frame.locator('.month:visible')).toHaveText(`Data ${d}`);
        expect(await open_link(frame)).toMatch(
          new RegExp(`/#${(await ask('estimate', task)).link}$`),
        );
      }
    }
  });

test('a chart has the points of the core, and its dot is where the numbers are', async ({
  embed,
}) => {
  const frame = await embed(`${kTrain}&view=chart`);
  const { steps } = await ask('estimate', kTrain);
  const days = steps.find(({ id }) => id === 'time.total').value / 86400;
  await expect(frame.locator('.mark text')).toHaveText(`${Math.round(days)}\u00a0d`);
  await frame.getByRole('button', { name: 'Time against GPUs: table' }).click();
  const row = frame.locator('.chart tbody tr').first();
  const gpus = Number((await row.locator('th').textContent()).replaceAll(',', ''));
  const at = await ask('estimate', await patched(kTrain, { 'cluster.gpus': gpus }));
  const years = at.steps.find(({ id }) => id === 'time.total').value / (365.25 * 86400);
  expect(parseFloat(await row.locator('td').textContent())).toBeCloseTo(years, 0);
  await frame.getByRole('button', { name: 'Cost', exact: true }).click();
  await expect(frame.locator('[data-chart="cost"]')).toBeVisible();
});

test('numbers, choices, names and flags can be edited, and go along to the calculator', async ({
  embed,
}) => {
  const frame = await embed(`${kServe}&view=card&edit=batch,wfmt,gpu,kvcache,mbu`);
  await input(frame, 'serve.batch').fill('8x4');
  await shows(frame, await patched(kServe, { 'serve.batch': '8x4' }));
  await input(frame, 'serve.weights').selectOption('fp8-e4m3');
  await input(frame, 'gpu.id').selectOption('h200-sxm');
  await input(frame, 'serve.kv_cache').uncheck();
  await input(frame, 'serve.mbu').fill('40%');
  const all = await patched(kServe, {
    'serve.batch': '32',
    'serve.weights': 'fp8-e4m3',
    'gpu.id': 'h200-sxm',
    'serve.kv_cache': false,
    'serve.mbu': 0.4,
  });
  await shows(frame, all);
  const { link } = await ask('estimate', all);
  expect(await open_link(frame)).toMatch(new RegExp(`/#${link}$`));
  expect(frame.url(), 'the address of the frame').not.toContain('h200');
  await frame.getByRole('button', { name: 'Reset' }).first().click();
  await shows(frame, kServe);
  await expect(frame.locator('.reset')).toHaveCount(0);
});

test('a slider and the arrows move a number over round values', async ({ page, embed }) => {
  const frame = await embed(`${kTrain}&view=card&edit=n,mfu`);
  const slider = frame.getByRole('slider', { name: 'GPUs' });
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await shows(frame, await patched(kTrain, { 'cluster.gpus': 24576 }));
  await expect(input(frame, 'cluster.gpus')).toHaveValue('24576');
  await expect(slider).toHaveAttribute('aria-valuetext', '24,576');
  await input(frame, 'cluster.gpus').fill('1024');
  await page.keyboard.press('ArrowUp');
  await shows(frame, await patched(kTrain, { 'cluster.gpus': 2048 }));
  await input(frame, 'run.mfu').fill('38%');
  await page.keyboard.press('ArrowDown');
  await shows(frame, await patched(kTrain, { 'cluster.gpus': 2048, 'run.mfu': 0.37 }));
});

test('the axis of a chart can be edited, and nothing of a card', async ({ embed }) => {
  for (const [fragment, paths] of [
    [`${kTrain}&view=chart`, ['cluster.gpus']],
    [`${kServe}&view=chart`, ['serve.batch']],
    [`${kServe}&view=chart&edit=`, []],
    [`${kServe}&view=card`, []],
    [`${kServe}&view=full`, []],
  ]) {
    const frame = await embed(fragment);
    const found = () =>
      frame.evaluate(() => [...document.querySelectorAll('[id^="f-"]')].map((f) => f.id.slice(2)));
    expect(await found(), fragment).toEqual(paths);
  }
});

test('a value that the core refuses is named, and the last good answer stays', async ({
  embed,
}) => {
  const frame = await embed(`${kTrain}&view=card&edit=n`);
  await input(frame, 'cluster.gpus').fill('1024');
  await input(frame, 'cluster.gpus').fill('1024 or so');
  await expect(problem(frame, 'cluster.gpus')).toContainText('must be a number');
  await expect(input(frame, 'cluster.gpus')).toHaveValue('1024 or so');
  await shows(frame, await patched(kTrain, { 'cluster.gpus': 1024 }));
  await input(frame, 'cluster.gpus').fill('2048');
  await expect(problem(frame, 'cluster.gpus')).toHaveCount(0);
  await shows(frame, await patched(kTrain, { 'cluster.gpus': 2048 }));
});

test('what is not understood is named, and the rest is shown', async ({ embed }) => {
  const frame = await embed(
    `${kServe.replace('n=8', 'n=some')}&foo=1&view=poster&theme=pink&edit=batch,bar,pp,d`,
  );
  await frame.getByText('Not everything in the link was used').click();
  for (const text of ['"foo"', '"some"', '“poster”', '“pink”', '“bar”', '“pp”', '“d”'])
    await expect(frame.locator('.notice li').filter({ hasText: text }), text).toHaveCount(1);
  await expect(input(frame, 'serve.batch')).toBeVisible();
  const { n: _, ...rest } = Object.fromEntries(new URLSearchParams(kServe));
  await shows(frame, new URLSearchParams(rest).toString());
});

const kHostile = {
  nothing: '',
  'no scenario': 'view=card',
  markup: '<img src=x onerror=parent.postMessage("pwned","*")>=1&model=<script>alert(1)</script>',
  'a lone percent sign': 'n=%&model=%E0%A4%A',
  prototypes:
    '__proto__=1&constructor=2&toString=3&edit=__proto__,constructor,toString&view=constructor',
  'a very long value': `model=${'x'.repeat(100_000)}`,
  'very many keys': Array.from({ length: 3000 }, (_, i) => `k${i}=1`).join('&'),
  'numbers without end': 'n=1e309&tokens=-1&layers=NaN&hidden=9999999999999999999999',
  'an own script address': 'javascript:alert(1)//&view=card',
};
for (const [name, fragment] of Object.entries(kHostile))
  test(`a link of ${name}: an answer, and no script of it`, async ({ page, embed }) => {
    const frame = await embed(fragment);
    expect((await numbers(frame)).length).toBeGreaterThan(2);
    expect(
      await frame.evaluate(() => document.querySelectorAll('img, script:not([src])').length),
    ).toBe(0);
    const said = await page.evaluate(() => window.heard.map(({ data }) => data?.type ?? data));
    expect(said.filter((type) => !/^envelope:/.test(type))).toEqual([]);
    expect(await open_link(frame)).toMatch(/^http:.*\/#v=1&d=/);
  });

test('the frame says how high it is, when it is ready, and what WordPress wants to hear', async ({
  page,
  embed,
}) => {
  const frame = await embed(`${kServe}&view=card&edit=batch#?secret=abc123`);
  const height = () =>
    frame.evaluate(() => document.getElementById('embed').getBoundingClientRect().height);
  const last = async () => (await heard(page, 'envelope:height')).at(-1)?.height;
  await expect.poll(last).toBe(Math.ceil(await height()));
  expect(await heard(page, 'envelope:ready')).toEqual([{ type: 'envelope:ready', version }]);
  const first = await last();
  await input(frame, 'serve.batch').fill('many');
  await expect.poll(last).toBeGreaterThan(first);
  await page.$eval('iframe', (f) => (f.width = 320));
  await expect.poll(last).toBe(Math.ceil(await height()));
  const wordpress = await page.evaluate(() =>
    window.heard.map(({ data }) => data).filter(({ message }) => message === 'height'),
  );
  expect(wordpress.at(-1)).toEqual({ message: 'height', value: await last(), secret: 'abc123' });
});

test('the host sets another link; nobody else does, and nothing else is taken', async ({
  page,
  embed,
  baseURL,
}) => {
  const frame = await embed(`${kServe}&view=card&edit=batch&theme=dark`);
  const post = (data) =>
    page.evaluate((d) => document.querySelector('#a').contentWindow.postMessage(d, '*'), data);
  await input(frame, 'serve.batch').fill('64');
  await post({ type: 'envelope:set', link: `${kTrain}&view=table&edit=n&theme=light` });
  await shows(frame, kTrain);
  expect(await parts(frame)).toEqual(['card']);
  await expect(frame.locator('html')).toHaveAttribute('data-theme', 'dark');
  for (const data of [
    null,
    17,
    'envelope:set',
    { type: 'envelope:set' },
    { type: 'envelope:set', link: 17 },
    { type: 'envelope:set', link: { toString: 1 } },
    { type: 'envelope:set', link: ['n=8'] },
    { type: 'envelope:get', link: kServe },
    { type: 'envelope:set', link: `n=8&model=${'x'.repeat(20_001)}` },
  ])
    await post(data);
  // A frame beside it is not the host.
  await page.evaluate(
    ([url, text]) => {
      const other = document.createElement('iframe');
      other.srcdoc = `<script>parent.frames[0].postMessage({type:'envelope:set',link:${JSON.stringify(text)}},'*');
        parent.postMessage({type:'done'},'*')</script>`;
      document.body.append(other);
    },
    [baseURL, kServe],
  );
  await expect.poll(() => heard(page, 'done')).toHaveLength(1);
  await shows(frame, kTrain);
  await post({ type: 'envelope:set', link: kServe });
  await shows(frame, kServe);
});

test('a theme is taken from the link, else from the system', async ({ page, embed }) => {
  const ink = (frame) =>
    frame.evaluate(() => getComputedStyle(document.querySelector('.embed')).color);
  const [dark, light] = ['rgb(233, 234, 238)', 'rgb(22, 24, 29)'];
  expect(await ink(await embed(`${kServe}&theme=dark`))).toBe(dark);
  expect(await ink(await embed(`${kServe}&theme=light`))).toBe(light);
  expect(await ink(await embed(kServe))).toBe(light);
  const frame = await embed(kServe);
  expect(
    await frame.evaluate(() => getComputedStyle(document.documentElement).backgroundColor),
  ).toBe('rgba(0, 0, 0, 0)');
});

test('nothing is stored, nothing else is loaded, and the address stays', async ({
  page,
  embed,
  seen,
  baseURL,
}) => {
  const frame = await embed(`${kServe}&view=full&edit=batch,wfmt`);
  await input(frame, 'serve.batch').fill('64');
  await input(frame, 'serve.weights').selectOption('int8');
  await shows(frame, await patched(kServe, { 'serve.batch': 64, 'serve.weights': 'int8' }));
  expect(frame.url()).toBe(`${baseURL}e/#${kServe}&view=full&edit=batch,wfmt`);
  const loaded = seen.requests
    .filter((url) => url.startsWith(baseURL))
    .map((url) => url.split(/[?#]/)[0]);
  expect(loaded.sort()).toEqual(
    ['', 'embed.css', 'embed.js'].map((name) => `${baseURL}e/${name}`).sort(),
  );
  expect(await page.context().cookies()).toEqual([]);
});

/** The next answer of the core cannot be read. */
const breaks = (frame) =>
  frame.evaluate(() => {
    const { parse } = JSON;
    JSON.parse = () => {
      JSON.parse = parse;
      throw new Error('broken on purpose');
    };
  });

test('after a breakdown the inline element draws what it is given next', async ({
  page,
  visit,
  seen,
}) => {
  seen.allow(/broken on purpose|^Error$/); // Firefox names only the kind
  await visit(`<llm-envelope-inline src="${escaped(kServe)}"></llm-envelope-inline>${kInline}`);
  await inline_shows(page, kServe);
  await breaks(page);
  await inline(page).evaluate((e, link) => e.setAttribute('src', link), kTrain);
  await expect(inline(page).locator('.failure')).toBeVisible();
  await inline(page).evaluate((e, link) => e.setAttribute('src', link), kServe);
  await inline_shows(page, kServe);
  await expect(inline(page)).toHaveAttribute('data-state', 'live');
});

const kBroken = {
  'WebAssembly is switched off': [
    (page) => page.addInitScript(() => Reflect.deleteProperty(window, 'WebAssembly')),
    'WebAssembly is switched off',
  ],
  'the browser cannot unpack': [
    (page) => page.addInitScript(() => Reflect.deleteProperty(window, 'DecompressionStream')),
    'browser of this age',
  ],
  'the core is damaged': [
    (page) =>
      page.route(/embed\.js/, async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace(/[\w+/]{100000}/, (core) =>
          core.replace(/A/g, 'B'),
        );
        await route.fulfill({ response, body });
      }),
    'cannot be worked out here',
  ],
};
for (const [name, [damage, text]] of Object.entries(kBroken))
  test(`a sentence with a link where ${name}`, async ({ page, embed, seen }) => {
    seen.allow(/./);
    await damage(page);
    const frame = await embed(`${kServe}&view=card`, { wait: false });
    await expect(frame.locator('.failure')).toContainText(text);
    const href = await frame.getByRole('link', { name: /Envelope/ }).getAttribute('href');
    expect(href).toContain(`#${kServe}`);
    await expect.poll(() => heard(page, 'envelope:height')).not.toEqual([]);
    expect(await heard(page, 'envelope:ready')).toEqual([]);
  });

test('a sentence with a link where the script does not arrive', async ({ page, embed, seen }) => {
  seen.allow(/./);
  await page.route(/embed\.js/, (route) => route.abort());
  const frame = await embed(kServe, { wait: false });
  await expect(frame.getByText('did not load')).toBeVisible();
  await expect(frame.getByRole('link', { name: 'Open Envelope' })).toHaveAttribute('href', '../');
});

test('a sentence with a link without JavaScript', async ({ browser, browserName, baseURL }) => {
  test.skip(browserName === 'firefox', 'there Playwright cannot switch it off');
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${baseURL}e/#${kServe}`);
  await expect(page.locator('main')).toHaveText(/needs JavaScript/, { useInnerText: true });
  await expect(page.locator('noscript a')).toBeVisible();
  await context.close();
});

const kInline = '<script type="module" src="/embed/1/inline.js"></script>';
const kAllowed = "default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'";
const inline = (page) => page.locator('llm-envelope-inline');

/** As in a frame, from the element's shadow. */
async function inline_shows(page, scenario) {
  const { steps } = await ask('estimate', scenario);
  const expected = new Map(steps.map(({ id, value }) => [id, String(value)]));
  const wrong = () =>
    inline(page).evaluate((element) =>
      [...element.shadowRoot.querySelectorAll('[data-metric]')]
        .filter((number) => number.getClientRects().length > 0)
        .map(({ dataset, title }) => [dataset.metric, /: (\S+)$/.exec(title)[1]]),
    );
  await expect
    .poll(async () => {
      const found = await wrong();
      return found.length > 2 ? found.filter(([id, v]) => expected.get(id) !== v) : found.length;
    })
    .toEqual([]);
}

test('the inline element is live under a strict policy, and follows its attributes', async ({
  page,
  visit,
}) => {
  await visit(
    `<llm-envelope-inline src="${escaped(kServe)}" edit="batch"><p>In words</p></llm-envelope-inline>${kInline}`,
    kAllowed,
  );
  await expect(inline(page)).toHaveAttribute('data-state', 'live');
  await inline_shows(page, kServe);
  await expect(page.getByText('In words')).toBeHidden();
  await input(inline(page), 'serve.batch').fill('64');
  const edited = await patched(kServe, { 'serve.batch': 64 });
  await inline_shows(page, edited);
  const href = await inline(page).locator('.open:visible').getAttribute('href');
  expect(href).toBe(`${new URL('/', page.url())}#${(await ask('estimate', edited)).link}`);
  // Another look keeps what was edited; another link does not.
  await inline(page).evaluate((e) => e.setAttribute('theme', 'dark'));
  await expect(inline(page).locator('.embed')).toHaveAttribute('data-theme', 'dark');
  await inline_shows(page, edited);
  await inline(page).evaluate((e) => e.setAttribute('view', 'table'));
  await expect(inline(page).locator('table')).toBeVisible();
  await inline_shows(page, edited);
  await inline(page).evaluate(
    (e, link) => e.setAttribute('src', `https://example.org/#${link}`),
    kTrain,
  );
  await inline_shows(page, kTrain);
  // A platform may have made a query of it; a link alone may have a slash in it.
  for (const src of [`https://example.org/e/?${kServe}&view=card`, `e/?${kServe}`, `#${kServe}`]) {
    await inline(page).evaluate((e, s) => e.setAttribute('src', s), src);
    await inline_shows(page, kServe);
    await inline(page).evaluate((e, s) => e.setAttribute('src', s), kTrain);
    await inline_shows(page, kTrain);
  }
  // Moved, it is drawn once more, and once only.
  await inline(page).evaluate((e) => document.body.append(e));
  await inline_shows(page, kTrain);
  await expect(inline(page).locator('.embed')).toHaveCount(1);
});

test('where the policy blocks WebAssembly the words stay, and the reason is said', async ({
  page,
  visit,
  seen,
}) => {
  seen.allow(/./);
  await visit(
    `<llm-envelope-inline src="${escaped(kServe)}"><p>In words</p></llm-envelope-inline>${kInline}`,
    kAllowed.replace(" 'wasm-unsafe-eval'", ''),
  );
  await expect(inline(page)).toHaveAttribute('data-state', 'failed');
  await expect(page.getByText('In words')).toBeVisible();
  await expect(inline(page).locator('.failure')).toContainText("has no 'wasm-unsafe-eval'");
});

test('the inline element is of the size and the colours of its page', async ({ page, visit }) => {
  const style = (css) => `<script>document.documentElement.style.cssText = '${css}'</script>`;
  const of = async (css) => {
    await visit(
      `${style(css)}<llm-envelope-inline src="${escaped(kServe)}"></llm-envelope-inline>${kInline}`,
    );
    const embed = inline(page).locator('.embed');
    await expect(embed).toBeVisible();
    return embed.evaluate((e) => [
      getComputedStyle(e).color,
      getComputedStyle(e.querySelector('.title')).fontSize,
    ]);
  };
  expect(await of('')).toEqual(['rgb(22, 24, 29)', '16px']);
  expect(await of('font-size: 10px; color: #eee; background: #111')).toEqual([
    'rgb(233, 234, 238)',
    '16px',
  ]);
});

for (const view of Object.keys(kViews))
  for (const theme of ['light', 'dark'])
    test(`axe finds nothing in ${view}, ${theme}`, async ({ page, browserName }) => {
      test.skip(
        browserName === 'firefox',
        'one engine is enough for rules about markup and colours',
      );
      for (const fragment of [
        `${kTrain}&view=${view}&edit=n,prec,flash&theme=${theme}`,
        `${kServe}&view=${view}&edit=batch,x&foo=1&theme=${theme}`,
      ]) {
        await page.goto('about:blank');
        await page.goto(`./e/#${fragment}`);
        await live(page.mainFrame());
        if (fragment.includes('foo')) await input(page, 'serve.batch').fill('many');
        // A frame shows the host's ground; its text is measured on what browsers give it alone.
        await page.evaluate(
          (ground) => (document.documentElement.style.background = ground),
          theme === 'dark' ? '#1e1e1e' : '#fff',
        );
        const { violations, passes } = await new AxeBuilder({ page })
          .setLegacyMode(true)
          .disableRules(['page-has-heading-one']) // the host has it
          .analyze();
        expect(passes.length).toBeGreaterThan(10);
        expect(
          violations.map(({ id, nodes }) => [id, nodes[0].html, nodes[0].failureSummary]),
        ).toEqual([]);
      }
    });
