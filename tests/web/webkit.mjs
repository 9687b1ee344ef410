// SPDX-License-Identifier: MIT
// The page in WebKitGTK, driven by WebDriver alone. On its own: node webkit.mjs
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { same, scenarios_of_all_kinds } from './scenarios.mjs';
import { serve } from './serve.mjs';
import { ask, asset, core, core_in_node, kSite, patched } from './site.mjs';

const kBrowser = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const kPatience = 10_000;
const kPort = 4455;

/** A virtual display; the first free number. */
async function display() {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise((done, fail) => {
    server.once('error', fail);
    server.once('exit', (status) => fail(new Error(`Xvfb ended with ${status}`)));
    server.stdio[3].once('data', (text) => done(String(text).trim()));
  });
  return { name: `:${number}`, stop: () => server.kill() };
}

/** A WebDriver session of MiniBrowser: `call` speaks the protocol, `js` runs a function in the page. */
async function start(where) {
  // With more than these in its environment WebKit has been seen to hang.
  const { PATH, HOME = tmpdir(), LANG = 'C.UTF-8' } = process.env;
  const driver = spawn('WebKitWebDriver', [`--port=${kPort}`], {
    env: { PATH, HOME, LANG, DISPLAY: where },
    stdio: 'ignore',
    detached: true, // a group of its own, so that the browser ends with it
  });
  const stop = () => {
    try {
      process.kill(-driver.pid);
    } catch {
      // It has ended already.
    }
  };
  const base = `http://127.0.0.1:${kPort}`;
  const call = async (method, path, body) => {
    const response = await fetch(base + path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  try {
    for (let tries = 100; ; --tries) {
      try {
        await call('GET', '/status');
        break;
      } catch (error) {
        if (tries === 0) throw error;
        await sleep(100);
      }
    }
    const options = { binary: kBrowser, args: ['--automation'] };
    const { sessionId } = await call('POST', '/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
    });
    const session = `/session/${sessionId}`;
    const send = (method, path, body) => call(method, session + path, body);
    await send('POST', '/window/rect', { width: 1200, height: 900 });
    const js = async (what, ...args) => {
      const script = `const done = arguments[arguments.length - 1];
        Promise.resolve((${what})(...[].slice.call(arguments, 0, -1)))
          .then((value) => done({ value }), (error) => done({ error: String(error) }));`;
      const { value, error } = await send('POST', '/execute/async', { script, args });
      if (error) throw new Error(error);
      return value;
    };
    const quit = async () => {
      await send('DELETE', '').catch(() => {});
      stop();
    };
    return { send, js, quit };
  } catch (error) {
    stop();
    throw error;
  }
}

const kKeys = { backspace: '\uE003', control: '\uE009', enter: '\uE007', escape: '\uE00C', tab: '\uE004' };

/** What tests say: navigation, typing, waiting. All DOM is that of `scope`, the page or a frame in it. */
function user({ send, js }) {
  const element = async (selector) =>
    Object.values(await send('POST', '/element', { using: 'css selector', value: selector }))[0];
  const self = {
    send,
    js,
    async until(what, probe, expected) {
      let found;
      for (const end = Date.now() + kPatience; Date.now() < end; await sleep(60)) {
        found = await probe();
        if (typeof expected === 'function' ? expected(found) : isDeepStrictEqual(found, expected))
          return found;
      }
      throw new Error(`${what}: found ${JSON.stringify(found)}`);
    },
    text: (selector) =>
      js((s) => document.querySelector(s)?.textContent.replace(/\s+/g, ' ').trim() ?? null, selector),
    count: (selector) => js((s) => document.querySelectorAll(s).length, selector),
    value: (selector) => js((s) => document.querySelector(s).value, selector),
    attribute: (selector, name) =>
      js((s, n) => document.querySelector(s)?.getAttribute(n) ?? null, selector, name),
    hash: () => js(() => location.hash.slice(1)),
    async goto(url) {
      await send('POST', '/url', { url: 'about:blank' }); // or a new fragment would not load the page
      await send('POST', '/url', { url });
      await js(watch);
    },
    /** The script has drawn into the page. */
    live: () =>
      self.until(
        'the page is live',
        () => js(() => document.documentElement.dataset.state === 'live'),
        true,
      ),
    async click(selector) {
      await send('POST', `/element/${await element(selector)}/click`, {});
    },
    async type(selector, text) {
      await send('POST', `/element/${await element(selector)}/value`, { text });
    },
    async fill(selector, text) {
      await self.type(selector, `${kKeys.control}a`);
      await self.type(selector, kKeys.backspace + text);
    },
    key: (key) =>
      send('POST', '/actions', {
        actions: [
          {
            type: 'key',
            id: 'keys',
            actions: [
              { type: 'keyDown', value: key },
              { type: 'keyUp', value: key },
            ],
          },
        ],
      }),
    /** Waits until every number on the page is the core's. */
    async shows(scenario) {
      const { steps } = await ask('estimate', scenario);
      const expected = new Map(steps.map(({ id, value }) => [id, String(value)]));
      await self.until(
        `the numbers of ${scenario}`,
        async () => {
          const found = await js(exact);
          if (found.length < 5) return ['no numbers'];
          return found
            .filter(([id, value]) => expected.get(id) !== value)
            .map(([id, value]) => `${id} shows ${value}, not ${expected.get(id)}`);
        },
        [],
      );
    },
    /** Errors, refusals and foreign requests since the page was opened. */
    complaints: () =>
      js(() => [
        ...(window.complaints ?? []),
        ...performance
          .getEntriesByType('resource')
          .map(({ name }) => name)
          .filter((name) => !name.startsWith(location.origin)),
      ]),
  };
  return self;
}

// Functions that run in the page.
function watch() {
  window.complaints = [];
  const note = (text) => window.complaints.push(String(text));
  addEventListener('error', ({ message }) => note(message));
  addEventListener('unhandledrejection', ({ reason }) => note(reason));
  // Buffered: also tells what was refused before this ran.
  new ReportingObserver((reports) => reports.forEach(({ body }) => note(JSON.stringify(body))), {
    buffered: true,
  }).observe();
  for (const level of ['error', 'warn']) {
    const say = console[level];
    console[level] = (...words) => {
      note(words.join(' '));
      say.apply(console, words);
    };
  }
}
function exact() {
  return [...document.querySelectorAll('[data-metric]')].map((door) => [
    door.dataset.metric,
    /: (\S+)\. Show the work\.$/.exec(door.title)?.[1] ?? door.title,
  ]);
}
async function in_worker(url, calls) {
  const worker = new Worker(url, { type: 'module' });
  const replies = [];
  for (const [id, [call, argument]] of calls.entries()) {
    const reply = new Promise((done, fail) => {
      worker.onmessage = ({ data }) => (data.error ? fail(new Error(data.error)) : done(data.result));
      worker.onerror = ({ message }) => fail(new Error(message));
    });
    worker.postMessage({ id, call, argument });
    replies.push(await reply);
  }
  worker.terminate();
  return replies;
}

const kTokens = '[id="f-run.tokens"]';
const kGpus = '[id="f-cluster.gpus"]';

function equal(found, expected, what) {
  if (!isDeepStrictEqual(found, expected))
    throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}
function holds(condition, what) {
  if (!condition) throw new Error(what);
}

const { examples } = await ask('schema');
const kFirst = examples[0].link;
const kServe = examples.find(({ task }) => task === 'serve').link;

/** Each gets a user and the site's address. */
const kTests = {
  async 'the first view is live and says what was built'(page, url) {
    await page.goto(url);
    await page.live();
    await page.shows(kFirst);
    holds(/FLOP/.test(await page.text('h1')), 'the headline has FLOPs');
    equal(await page.hash(), '', 'the address');
  },
  async 'an edit changes the answer at each keystroke'(page, url) {
    await page.goto(url);
    await page.live();
    await page.fill(kTokens, '2');
    await page.shows(await patched(kFirst, { 'run.tokens': '2' }));
    await page.type(kTokens, 'T');
    await page.shows(await patched(kFirst, { 'run.tokens': '2T' }));
    equal(await page.value(kTokens), '2T', 'the text');
  },
  async 'a link holds the scenario and brings it back'(page, url) {
    await page.goto(url);
    await page.live();
    await page.fill(kGpus, '8x64');
    const scenario = await patched(kFirst, { 'cluster.gpus': '8x64' });
    await page.shows(scenario);
    const { link } = await ask('estimate', scenario);
    await page.until('the address', page.hash, link);
    const before = await page.js(exact);
    await page.goto(`${url}#${link}`);
    await page.live();
    equal(await page.js(exact), before, 'the numbers');
    equal(await page.hash(), link, 'the address');
  },
  async 'a link written by hand is understood'(page, url) {
    await page.goto(`${url}#tokens=15T&n=8x64&mfu=40%`);
    await page.live();
    await page.shows('tokens=15e12&n=512&mfu=0.4');
  },
  async 'a link that is partly wrong says so and keeps the rest'(page, url) {
    await page.goto(`${url}#v=99&foo=3&model=nosuch&n=64&x=<b>y</b>`);
    await page.live();
    await page.shows('v=1&n=64');
    const answer = await page.text('.answer');
    for (const word of ['99', 'foo']) holds(answer.includes(word), `a notice with ${word}`);
    holds((await page.text('[id="e-model.id-0"]')).includes('nosuch'), 'the model’s problem');
    equal(await page.count('main b, main img'), 0, 'elements made of values');
  },
  async 'a mistake is explained at its field and the last answer stays'(page, url) {
    await page.goto(url);
    await page.live();
    const text = '<b>many';
    await page.fill(kTokens, text);
    const said = await page.until('a problem', () => page.text('[id="e-run.tokens-0"]'), Boolean);
    holds(said.includes(text) && /not a number/.test(said), said);
    equal(await page.value(kTokens), text, 'the text');
    equal(await page.attribute(kTokens, 'aria-invalid'), 'true', 'aria-invalid');
    holds((await page.attribute('main', 'class')).includes('stale'), 'the answer is dimmed');
    equal(await page.count('main b'), 0, 'elements made of values');
    await page.shows(kFirst);
    await page.fill(kTokens, '3T');
    await page.shows(await patched(kFirst, { 'run.tokens': '3T' }));
    equal(await page.count('[id="e-run.tokens-0"]'), 0, 'problems');
  },
  async 'Back returns to the scenario before a jump'(page, url) {
    await page.goto(url);
    await page.live();
    await page.fill(kGpus, '1024');
    const scenario = await patched(kFirst, { 'cluster.gpus': 1024 });
    const { link } = await ask('estimate', scenario);
    await page.until('the address', page.hash, link);
    await page.click('.tabs a:last-child');
    await page.shows(kServe);
    await page.send('POST', '/back', {});
    await page.shows(scenario);
    equal(await page.value(kGpus), await page.js(() => '1024'), 'the field');
  },
  async 'the work behind a number opens and closes by keyboard'(page, url) {
    await page.goto(url);
    await page.live();
    await page.js(() => document.querySelector('[data-metric="time.total"]').focus());
    await page.key(kKeys.enter);
    await page.until('the panel', () => page.count('dialog[open] math'), (n) => n > 2);
    await page.until('its title has the focus', () => page.js(() => document.activeElement.id), 'panel-title');
    holds(
      await page.js(() => document.querySelector('dialog math').getBoundingClientRect().height > 8),
      'the formula has a size',
    );
    await page.key(kKeys.escape);
    await page.until('the panel is closed', () => page.count('dialog[open]'), 0);
    await page.until(
      'focus returns',
      () => page.js(() => document.activeElement.dataset.metric ?? null),
      'time.total',
    );
  },
  async 'charts are drawn, and can be read as tables'(page, url) {
    await page.goto(url);
    await page.live();
    await page.until('four charts', () => page.count('figure.chart svg path.line'), (n) => n >= 4);
    await page.click('figure[data-chart=time] figcaption button');
    await page.until('a table', () => page.count('figure[data-chart=time] tbody tr'), (n) => n > 8);
  },
  async 'replays are worked out again, and open their scenario'(page, url) {
    const { rows } = await ask('replays');
    const { id, document, items } = rows[0];
    await page.goto(`${url}replays/${document}/`);
    const count = rows
      .filter((row) => row.document === document)
      .reduce((sum, row) => sum + row.items.length, 0);
    await page.until('all rows', () => page.count('section.replay tbody tr'), count);
    await page.click(`[id="${id}"] tbody a`);
    await page.live();
    await page.shows(items[0].link);
  },
  async 'the walk through 6 N D counts to six'(page, url) {
    await page.goto(`${url}flops/`);
    for (let step = 0; step <= 6; ++step) {
      await page.until('the counter', () => page.text('.walker .counter strong'), String(step));
      if (step < 6) await page.click('.pager .primary');
    }
  },
  async 'nothing scrolls sideways at 360 px'(page, url) {
    // MiniBrowser itself does not get that narrow. The frame's host is beside the site, not in it.
    await page.goto(new URL('../phone.html', url).href);
    await page.send('POST', '/frame', { id: 0 });
    await page.live();
    equal(await page.js(() => innerWidth), 360, 'the width');
    const widths = () =>
      page.js(() => [document.documentElement.scrollWidth - document.documentElement.clientWidth]);
    equal(await widths(), [0], 'pixels too wide');
    holds(
      await page.js(() => {
        const bar = document.querySelector('.foot-bar').getBoundingClientRect();
        return bar.height > 20 && Math.abs(bar.bottom - innerHeight) < 2;
      }),
      'the answer bar is at the foot',
    );
    const before = await page.text('.foot-bar');
    await page.fill(kGpus, '512');
    await page.until('the bar', () => page.text('.foot-bar'), (text) => text !== before);
    await page.send('POST', '/frame', { id: null });
    await page.js(watch); // of the host, for what is asked after each test
  },
  async 'the worker’s answers are the same bytes as natively'(page, url) {
    await page.goto(url);
    const scenarios = await scenarios_of_all_kinds();
    const worker = new URL(`assets/${asset(/^worker-.*\.js$/)}`, url).href;
    const answers = await page.js(in_worker, worker, scenarios);
    for (const [i, [call, argument]] of scenarios.entries()) {
      holds(answers[i] === (await core_in_node(call, argument)), `${call} ${argument}: as in Node`);
      equal(same(answers[i], await core(call, argument)), [], `${call} ${argument}`);
    }
  },
};

export async function webkit() {
  // A folder with the site in it and the frame's host beside it.
  const folder = mkdtempSync(join(tmpdir(), 'envelope-webkit-'));
  symlinkSync(kSite, join(folder, 'site'));
  writeFileSync(
    join(folder, 'phone.html'),
    '<!doctype html><title>phone</title><iframe src="site/" width="360" height="740" frameborder="0"></iframe>',
  );
  const results = [];
  let server, screen, browser;
  try {
    server = await serve(folder, { port: 8500 });
    screen = await display();
    browser = await start(screen.name);
    const page = user(browser);
    for (const [title, test] of Object.entries(kTests)) {
      const name = `webkit: ${title}`;
      const begin = Date.now();
      try {
        await test(page, `${server.url}site/`);
        equal(await page.complaints(), [], 'errors, refusals and foreign requests');
        results.push({ name, ok: true });
        console.log(`  ok  ${name} (${Date.now() - begin} ms)`);
      } catch (error) {
        results.push({ name, ok: false });
        console.log(`  FAILED  ${name}\n    ${error.message}`);
      }
    }
  } finally {
    await browser?.quit();
    screen?.stop();
    await server?.close();
    rmSync(folder, { recursive: true });
  }
  return results;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const results = await webkit();
  const failed = results.filter(({ ok }) => !ok).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
