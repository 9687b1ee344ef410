// SPDX-License-Identifier: MIT
// The page, and embeds in pages of others, in WebKitGTK, driven by WebDriver alone. On its own: node webkit.mjs
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { corpus, differences } from '../links/corpus.mjs';
import { kCases } from './hosts/cases.mjs';
import { start_hosts } from './hosts.mjs';
import { exact, in_worker, times_to_plan } from './inside.mjs';
import { same, scenarios_of_all_kinds } from './scenarios.mjs';
import { serve } from './serve.mjs';
import { ask, asset, core, core_in_node, kHome, kSite, patched } from './site.mjs';
import { slack } from './tools.mjs';
import { display, kKeys, start, user, watch } from './webdriver.mjs';

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
    const said = () => page.text('[id="e-run.tokens-0"]');
    await page.until('a problem with the text', said, (now) => now?.includes(text));
    holds(/number/.test(await said()), await said());
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
  async 'a scenario is shared as a link, an embed and a picture, and pasted and undone'(page, url) {
    await page.goto(`${url}#${kServe}`);
    await page.live();
    await page.click('.share .button:nth-child(2)');
    const value = (id) => page.value(`#share-${id}`);
    await page.until('the link', () => page.count('#share-link'), 1);
    equal(
      await value('link'),
      await page.js((link) => `${location.href.split('#')[0]}#${link}`, kServe),
      'the link',
    );
    await page.click('#share-tab-embed');
    holds((await value('element')).startsWith('<llm-envelope src="'), 'the element');
    const height = () => page.js(() => Number(document.getElementById('share-preview').height));
    const reserved = await height();
    await page.until('the height of the preview', height, (now) => now !== reserved && now > 32);
    await page.click('#share-tab-image');
    const size = await page.js(async () => {
      const keep = URL.createObjectURL;
      const click = HTMLAnchorElement.prototype.click;
      const made = new Promise((done) => {
        URL.createObjectURL = (blob) => {
          if (blob.type === 'image/png') done(blob);
          return keep.call(URL, blob);
        };
      });
      HTMLAnchorElement.prototype.click = () => {};
      document.querySelector('#share-panel .primary').click();
      const png = await made;
      [URL.createObjectURL, HTMLAnchorElement.prototype.click] = [keep, click];
      const { width, height } = await createImageBitmap(png);
      return [width, height, png.size > 10e3 && png.size < 300e3];
    });
    equal(size, [1200, 630, true], 'the picture');
    await page.key(kKeys.escape);
    await page.until('the dialog is closed', () => page.count('dialog[open]'), 0);
    await page.js((text) => {
      const event = new Event('paste', { bubbles: true, cancelable: true });
      event.clipboardData = { getData: () => text };
      document.body.dispatchEvent(event);
    }, `see https://a.example/#${kFirst} there`);
    await page.shows(kFirst);
    await page.click('.undo button');
    await page.shows(kServe);
  },
  async 'the work behind a number opens and closes by keyboard'(page, url) {
    await page.goto(url);
    await page.live();
    await page.js(() => document.querySelector('[data-metric="time.total"]').focus());
    await page.key(kKeys.enter);
    await page.until(
      'the panel',
      () => page.count('dialog[open] math'),
      (n) => n > 2,
    );
    await page.until(
      'its title has the focus',
      () => page.js(() => document.activeElement.id),
      'panel-title',
    );
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
    await page.until(
      'four charts',
      () => page.count('figure.chart svg path.line'),
      (n) => n >= 4,
    );
    // By script: plans come in above, and move it under a pointer.
    await page.js(() =>
      document.querySelector('figure[data-chart=time] figcaption button').click(),
    );
    await page.until(
      'a table',
      () => page.count('figure[data-chart=time] tbody tr'),
      (n) => n > 8,
    );
  },
  async 'an edit is planned for within a tenth of a second'(page, url) {
    await page.goto(url);
    await page.live();
    await page.js(() => document.getElementById('plans').scrollIntoView());
    await page.until('the plans', () => page.count('.plan-count'), 1);
    const { times } = await page.js(times_to_plan, ['11T', '12T', '13T', '14T', '16T']);
    const median = times.sort((a, b) => a - b)[2];
    holds(median < 100 * slack(), `${times.map(Math.round).join(' ')} ms`);
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
    await page.until(
      'the bar',
      () => page.text('.foot-bar'),
      (text) => text !== before,
    );
    await page.send('POST', '/frame', { id: null });
    await page.js(watch); // of the host, for what is asked after each test
  },
  async 'links that were ever shared open, and show what they showed'(page, url) {
    await page.goto(url);
    const worker = new URL(`assets/${asset(/^worker-.*\.js$/)}`, url).href;
    holds(corpus.length > 59, `${corpus.length} links`);
    // In parts: an answer of the driver must not take long.
    for (let start = 0; start < corpus.length; start += 20) {
      const part = corpus.slice(start, start + 20);
      const answers = await page.js(in_worker, [worker, part.map(({ raw }) => ['estimate', raw])]);
      for (const [i, row] of part.entries()) equal(differences(row, answers[i]), [], row.raw);
    }
  },
  async 'the file that works alone opens from a disk, edits and imports'(page) {
    await page.goto(pathToFileURL(join(kSite, 'offline.html')).href);
    await page.live();
    await page.shows(kFirst);
    await page.fill(kTokens, '2T');
    await page.shows(await patched(kFirst, { 'run.tokens': '2T' }));
    await page.until('the address', page.hash, (hash) => hash.includes('tokens=2e12'));
    await page.click('.import-button');
    await page.type('#import-text', '{"model_type":"gpt2"}');
    await page.until(
      'what is missing',
      () => page.text('.import'),
      (text) => /n_embd|hidden_size/.test(text),
    );
    const out = () => page.js(() => document.querySelector('.pages a').href);
    equal(await out(), `${kHome}replays/`, 'a link to the site');
  },
  async 'the page opens with a link after its host is gone'(page) {
    const own = await serve(kSite, { port: 8900, host: 'localhost' });
    try {
      await page.goto(own.url);
      await page.live();
      const worker = () =>
        page.js(
          async () => (await navigator.serviceWorker.getRegistration())?.active?.state ?? null,
        );
      await page.until('the service worker', worker, 'activated');
      await own.close();
      await page.goto(`${own.url}?x=1#${kServe}`);
      await page.live();
      await page.shows(kServe);
    } finally {
      await own.close();
      await page.goto('about:blank');
    }
  },
  async 'the worker’s answers are the same bytes as natively'(page, url) {
    await page.goto(url);
    const scenarios = await scenarios_of_all_kinds();
    const worker = new URL(`assets/${asset(/^worker-.*\.js$/)}`, url).href;
    const answers = await page.js(in_worker, [worker, scenarios]);
    for (const [i, [call, argument]] of scenarios.entries()) {
      holds(answers[i] === (await core_in_node(call, argument)), `${call} ${argument}: as in Node`);
      equal(same(answers[i], await core(call, argument)), [], `${call} ${argument}`);
    }
  },
};

/** Drives the browser for the cases of hosts/cases.mjs. */
function tool_of(page) {
  const inside = async (id, f, args) => {
    const frame = await page.js((name) => {
      const found = document.getElementById(name);
      return found.tagName === 'IFRAME'
        ? found
        : (found.shadowRoot ?? found).querySelector('iframe');
    }, id);
    if (!frame) throw new Error(`#${id} has no frame`);
    await page.send('POST', '/frame', { id: frame });
    try {
      return await page.js(f, ...args);
    } finally {
      await page.send('POST', '/frame', { id: null });
    }
  };
  return {
    open: page.goto,
    js: page.js,
    frame: (id = 'demo') => ({ js: (f, ...args) => inside(id, f, args) }),
    click: page.click,
    pause: sleep,
    patience: () => sleep(8500), // the driver has no clock to turn
    until: (what, probe, expected) => {
      const look = async () => probe();
      // A frame that is just being replaced cannot be asked.
      return page.until(
        what,
        () => look().catch(({ message }) => ({ error: message })),
        (found) =>
          found?.error
            ? false
            : typeof expected === 'function'
              ? expected(found)
              : isDeepStrictEqual(found, expected),
      );
    },
  };
}

export async function webkit() {
  // A folder with the site in it and the frame's host beside it.
  const folder = mkdtempSync(join(tmpdir(), 'envelope-webkit-'));
  symlinkSync(kSite, join(folder, 'site'));
  writeFileSync(
    join(folder, 'phone.html'),
    '<!doctype html><title>phone</title><iframe src="site/" width="360" height="740" frameborder="0"></iframe>',
  );
  const results = [];
  const attempt = async (title, test) => {
    const name = `webkit: ${title}`;
    const begin = Date.now();
    try {
      await test();
      results.push({ name, ok: true });
      console.log(`  ok  ${name} (${Date.now() - begin} ms)`);
    } catch (error) {
      results.push({ name, ok: false });
      console.log(`  FAILED  ${name}\n    ${error.message}`);
    }
  };
  let server, hosts, screen, browser;
  try {
    server = await serve(folder, { port: 8500 });
    hosts = await start_hosts();
    screen = await display();
    browser = await start(screen.name);
    const page = user(browser);
    for (const [title, test] of Object.entries(kTests))
      await attempt(title, async () => {
        await test(page, `${server.url}site/`);
        equal(await page.complaints(), [], 'errors, refusals and foreign requests');
      });
    for (const [title, check, { allow = [] } = {}] of kCases)
      await attempt(`hosts: ${title}`, async () => {
        await check(tool_of(page), hosts);
        const said = await page.js(() => window.complaints ?? []);
        const unasked = said.filter((line) => !allow.some((pattern) => pattern.test(line)));
        equal(unasked, [], 'errors and refusals');
      });
  } finally {
    await browser?.quit();
    screen?.stop();
    await hosts?.close();
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
