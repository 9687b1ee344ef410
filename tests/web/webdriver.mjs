// SPDX-License-Identifier: MIT
// WebKitGTK without any package: a display, a session of WebDriver, and words to drive it with.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { exact } from './inside.mjs';
import { ask } from './site.mjs';

// Debian keeps it in a folder of the architecture.
const kBrowser = readdirSync('/usr/lib')
  .map((name) => join('/usr/lib', name, 'webkit2gtk-4.1/MiniBrowser'))
  .find((file) => existsSync(file));
const kPatience = 10_000;

/** A port that nobody listens on. */
async function free_port() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A virtual display; the first free number. */
export async function display() {
  const server = spawn(
    'Xvfb',
    ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    },
  );
  const number = await new Promise((done, fail) => {
    server.once('error', fail);
    server.once('exit', (status) => fail(new Error(`Xvfb ended with ${status}`)));
    server.stdio[3].once('data', (text) => done(String(text).trim()));
  });
  return { name: `:${number}`, stop: () => server.kill() };
}

/** A WebDriver session of MiniBrowser: `call` speaks the protocol, `js` runs a function in the page. */
export async function start(where) {
  if (!kBrowser) throw new Error('MiniBrowser of webkit2gtk-driver is not there');
  const port = await free_port();
  // With more than these in its environment WebKit has been seen to hang.
  const { PATH, HOME = tmpdir(), LANG = 'C.UTF-8' } = process.env;
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
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
  const base = `http://127.0.0.1:${port}`;
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

export const kKeys = {
  backspace: '\uE003',
  control: '\uE009',
  enter: '\uE007',
  escape: '\uE00C',
  tab: '\uE004',
};

/** What tests say: navigation, typing, waiting. The page is whatever frame the session is in. */
export function user({ send, js }) {
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
      js(
        (s) => document.querySelector(s)?.textContent.replace(/\s+/g, ' ').trim() ?? null,
        selector,
      ),
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
      // The driver's own scrolling may stop where the middle is still out of sight.
      await js((s) => document.querySelector(s)?.scrollIntoView({ block: 'center' }), selector);
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

/** Runs in the page. */
export function watch() {
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
