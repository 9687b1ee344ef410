// SPDX-License-Identifier: MIT
// The share dialog: what it gives away is read back by what reads it.
import { createHash } from 'node:crypto';

import {
  exact,
  expect,
  field,
  file_of,
  first_link,
  keepFiles,
  live,
  open,
  shows,
  test,
} from './fixtures.mjs';
import { modules } from './hosts.mjs';
import { ask, patched } from './site.mjs';
import { jsQR } from './tools.mjs';

const kFirst = await first_link();
const { examples, fields, version } = await ask('schema');
const kServe = examples.find(({ task }) => task === 'serve');
const kTabs = ['Link', 'Embed', 'Text', 'Files', 'Paper', 'Image', 'Open'];

const dialog = (page) => page.getByRole('dialog', { name: 'Share' });
const button = (page, name) => dialog(page).getByRole('button', { name, exact: true });
const tab = (page, name) => dialog(page).getByRole('tab', { name, exact: true });
const area = (page, id) => dialog(page).locator(`#share-${id}`);
const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const root = (page) => page.url().split('#')[0];

// It would answer for somebody's page, once it is there.
test.use({ serviceWorkers: 'block' });
test.beforeEach(({ seen }) => seen.allow(/Service Worker registration blocked/));

/** Somebody's page with this HTML in it. */
async function post(page, home, html) {
  const body = `<!doctype html>${html}`;
  const contentType = 'text/html; charset=utf-8';
  await page.route('**/post.html', (route) => route.fulfill({ contentType, body }));
  await page.goto(`${home}post.html`);
}

async function start(page, name = 'Link') {
  await page.getByRole('button', { name: 'Share', exact: true }).first().click();
  await expect(dialog(page)).toBeVisible();
  if (name !== 'Link') await tab(page, name).click();
}

/** What the clipboard holds, pasted where text is welcome: reading it needs a permission. */
async function clipboard(page) {
  await tab(page, 'Open').click();
  await area(page, 'open').focus();
  await page.keyboard.press('Control+V');
  await expect(area(page, 'open')).not.toHaveValue('');
  return area(page, 'open').inputValue();
}

const saved = (page, name) => file_of(page, button(page, name));

test.describe('takes', () => {
  test('two clicks to a link that brings the scenario back', async ({ page, context, seen }) => {
    await open(page);
    await field(page, 'cluster.gpus').fill('8x64');
    await field(page, 'cluster.gpus').blur();
    const scenario = await patched(kFirst, { 'cluster.gpus': 512 });
    await shows(page, scenario);
    expect(
      seen.requests.filter((url) => /sharing/.test(url)),
      'it is loaded on demand',
    ).toEqual([]);
    await page.getByRole('button', { name: 'Share', exact: true }).first().click();
    await button(page, 'Copy link').click();
    await expect(button(page, 'Copy link')).toHaveText('Copied');
    await expect(dialog(page).locator('#share-live')).toHaveText('Copied: Link');
    const { link } = await ask('estimate', scenario);
    const copied = await clipboard(page);
    expect(copied).toBe(`${root(page)}#${link}`);
    const other = await context.newPage();
    await other.goto(copied);
    await live(other);
    await shows(other, scenario);
    await other.close();
  });

  test('three clicks to an embed', async ({ page }) => {
    await open(page);
    await page.getByRole('button', { name: 'Share', exact: true }).first().click();
    await tab(page, 'Embed').click();
    await expect(button(page, 'Copy HTML')).toBeInViewport({ ratio: 1 });
    await button(page, 'Copy HTML').click();
    const html = await clipboard(page);
    const found = await page.evaluate((text) => {
      const body = new DOMParser().parseFromString(text, 'text/html').body;
      const element = body.querySelector('llm-envelope');
      return {
        src: element.getAttribute('src'),
        text: element.textContent,
        link: element.querySelector('a').href,
        script: body.querySelector('script').getAttribute('src'),
      };
    }, html);
    expect(found.src).toBe(`${root(page)}e/#${kFirst}&view=card`);
    expect(found.link).toBe(`${root(page)}#${kFirst}`);
    expect(found.script).toBe(`${root(page)}embed/1/llm-envelope.js`);
    expect(found.text).toContain('Llama 3.1 405B');
  });
});

test.describe('the link', () => {
  const choose = (page, name) => dialog(page).getByRole('radio', { name }).check();

  test('keeps the data, follows the newest, or is frozen', async ({ page }) => {
    await open(page);
    await start(page);
    await expect(area(page, 'link')).toHaveValue(`${root(page)}#${kFirst}`);
    await expect(dialog(page)).toContainText(`${`${root(page)}#${kFirst}`.length} characters.`);
    await choose(page, /^Updating/);
    const updating = kFirst.replace(/&d=[^&]*/, '');
    await expect(area(page, 'link')).toHaveValue(`${root(page)}#${updating}`);
    const [now, then] = await Promise.all([ask('estimate', updating), ask('estimate', kFirst)]);
    expect(now.patch).toEqual(then.patch);
    await choose(page, /^Frozen/);
    await expect(area(page, 'link')).toHaveValue(`${root(page)}r/${version}/#${kFirst}`);
    await expect(dialog(page).getByRole('link', { name: 'Open in a new tab' })).toHaveAttribute(
      'href',
      `${root(page)}r/${version}/#${kFirst}`,
    );
    // From there the newest is where it was.
    const site = root(page);
    await page.goto(await area(page, 'link').inputValue());
    await live(page);
    await shows(page, kFirst);
    await start(page);
    const frozen = `${site}r/${version}/#${kFirst}`;
    await expect(area(page, 'link')).toHaveValue(frozen);
    await choose(page, /^Data of/);
    await expect(area(page, 'link')).toHaveValue(`${site}#${kFirst}`);
    // The texts have numbers of this release, and so its address.
    await tab(page, 'Text').click();
    for (const id of ['markdown', 'markdown-table', 'plain-table'])
      await expect(area(page, id)).toHaveValue(new RegExp(`${escape(frozen)}\\)?$`));
    await tab(page, 'Paper').click();
    await expect(area(page, 'bibtex')).toHaveValue(
      new RegExp(`url +=[^\n]*${escape(`${site}r/${version}/`)}\\}`),
    );
  });

  test('is a QR code too', async ({ page }) => {
    await keepFiles(page);
    await open(page);
    await start(page);
    const image = dialog(page).getByRole('img', { name: 'QR code of the link' });
    const pixels = await image.evaluate(async (img) => {
      await img.decode();
      const size = 360;
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = size;
      const context = canvas.getContext('2d');
      context.drawImage(img, 0, 0, size, size);
      const { data } = context.getImageData(0, 0, size, size);
      return btoa(data.reduce((text, byte) => text + String.fromCharCode(byte), ''));
    });
    const data = new Uint8ClampedArray(Buffer.from(pixels, 'base64'));
    expect(jsQR(data, 360, 360)?.data).toBe(`${root(page)}#${kFirst}`);
    const { name, bytes } = await saved(page, 'Download QR code');
    expect(name).toMatch(/-qr\.svg$/);
    expect(String(bytes)).toMatch(/^<svg/);
  });

  test('is warned of when it is long', async ({ page }) => {
    const numbers = fields.filter((f) => f.type === 'number' && f.group !== 'task').slice(0, 50);
    const many = (f) => (f.whole ? Math.min(f.max ?? 1e9, 1234567) : (f.min ?? 0) + 0.12345678);
    const others = ['b', 'c', 'd'].flatMap((scope) =>
      numbers.map((f) => `${scope}.${f.key}=${many(f)}`),
    );
    await open(page, [kFirst, ...others].join('&'));
    await start(page);
    expect((await area(page, 'link').inputValue()).length).toBeGreaterThan(1900);
    await expect(dialog(page).locator('.problem.warning')).toContainText('2,000');
    await tab(page, 'Embed').click();
    await expect(area(page, 'element')).not.toHaveValue(/;b\./); // an embed shows one scenario
    await tab(page, 'Link').click();
    await page.keyboard.press('Escape');
    await open(page, kFirst);
    await page.reload();
    await live(page);
    await start(page);
    await expect(dialog(page).locator('.problem.warning')).toHaveCount(0);
  });
});

test.describe('the embed', () => {
  test('is previewed as it is chosen', async ({ page }) => {
    await open(page);
    await start(page, 'Embed');
    const frame = page.frameLocator('#share-preview');
    await expect(frame.locator('body')).toContainText('Llama 3.1 405B');
    const { height } = await page.locator('#share-preview').boundingBox();
    expect(height).toBeGreaterThan(100);
    await dialog(page).getByText('Bar', { exact: true }).click();
    await dialog(page).getByText('Dark', { exact: true }).click();
    await dialog(page).getByLabel('GPUs', { exact: true }).check();
    await dialog(page).getByLabel('Tokens', { exact: true }).check();
    const src = `e/#${kFirst}&view=bar&edit=tokens,n&theme=dark`;
    await expect(page.locator('#share-preview')).toHaveAttribute('src', `./${src}`);
    await expect(area(page, 'element')).toHaveValue(new RegExp(src.replaceAll('&', '&amp;')));
    await expect(area(page, 'iframe')).toHaveValue(/^<iframe [^>]*sandbox="allow-scripts/);
    await expect(area(page, 'prose')).toHaveValue(
      /^<a href="[^"]*" data-llm-envelope="llama-3-1-405b-[a-z0-9]+">/,
    );
    await expect(frame.locator('svg:not(.patterns)').first()).toBeVisible();
    // The choices are still there for the next scenario.
    await page.keyboard.press('Escape');
    await field(page, 'cluster.gpus').fill('64');
    await field(page, 'cluster.gpus').blur();
    await shows(page, await patched(kFirst, { 'cluster.gpus': 64 }));
    await start(page, 'Embed');
    await expect(area(page, 'element')).toHaveValue(
      /n=64&amp;.*view=bar&amp;edit=tokens,n&amp;theme=dark/,
    );
  });

  test('twice on a page: links in the text set the one that they were made for', async ({
    page,
  }) => {
    const home = await open(page).then(() => root(page));
    const take = async (n) => {
      await field(page, 'cluster.gpus').fill(String(n));
      await field(page, 'cluster.gpus').blur();
      await shows(page, await patched(kFirst, { 'cluster.gpus': n }));
      await start(page, 'Embed');
    };
    const parts = [];
    for (const n of [512, 1024]) {
      await take(n);
      await button(page, 'Copy HTML').click();
      parts.push(await area(page, 'element').inputValue());
      await page.keyboard.press('Escape');
    }
    // The inputs are others by now; the link is for the embed that was copied last.
    await take(4096);
    parts.push(await area(page, 'prose').inputValue());
    await post(page, home, parts.join('\n'));
    const embeds = page.locator('llm-envelope');
    const text = (i) => embeds.nth(i).locator('iframe').contentFrame().locator('body');
    for (const [i, n] of ['512', '1,024'].entries()) {
      await embeds.nth(i).scrollIntoViewIfNeeded();
      await expect(text(i)).toContainText(`${n} × NVIDIA H100`);
    }
    const ids = await embeds.evaluateAll((all) => all.map((e) => e.id));
    expect(new Set(ids).size).toBe(2);
    await page.getByRole('link', { name: 'with these inputs' }).click();
    await expect(text(1)).toContainText('4,096 × NVIDIA H100');
    await expect(text(0)).toContainText('512 × NVIDIA H100');
    expect(page.url()).toBe(`${home}post.html`);
  });

  test('frozen, is checked by its hash where the host allows it', async ({ page }) => {
    const script = `**/r/${version}/embed/1/llm-envelope.js`;
    let hash = '';
    await page.route(script, async (route) => {
      const response = await route.fetch();
      hash = createHash('sha384')
        .update(await response.body())
        .digest('base64');
      const headers = { ...response.headers(), 'access-control-allow-origin': '*' };
      await route.fulfill({ response, headers });
    });
    await open(page);
    await start(page, 'Embed');
    await expect(area(page, 'element')).not.toHaveValue(/integrity/);
    await dialog(page)
      .getByRole('radio', { name: /^Frozen/ })
      .check();
    await expect(area(page, 'element')).toHaveValue(
      / integrity="sha384-[^"]+" crossorigin="anonymous">/,
    );
    expect(await area(page, 'element').inputValue()).toContain(`integrity="sha384-${hash}"`);
    // With that hash the script runs.
    const home = root(page);
    await post(page, home, await area(page, 'element').inputValue());
    await expect(page.locator('llm-envelope iframe').contentFrame().locator('body')).toContainText(
      'NVIDIA H100',
    );
  });

  test('offers inputs of the task alone', async ({ page }) => {
    await open(page, kServe.link);
    await start(page, 'Embed');
    const offered = dialog(page).locator('.checks label');
    await expect(offered.filter({ hasText: 'Concurrent sequences' })).toHaveCount(1);
    await expect(offered.filter({ hasText: 'Tokens' })).toHaveCount(0);
  });

  test('offers the size only of a model by size', async ({ page }) => {
    const offered = dialog(page).getByLabel('Parameters', { exact: true });
    await open(page);
    await start(page, 'Embed');
    await expect(dialog(page).getByLabel('Tokens', { exact: true })).toHaveCount(1);
    await expect(offered).toHaveCount(0);
    await page.goto('about:blank');
    await open(page, 'v=1&model=by-size&size=7e9');
    await start(page, 'Embed');
    await expect(offered).toHaveCount(1);
  });
});

test.describe('what is given away reads back', () => {
  for (const { id, link } of [examples[0], kServe])
    test(`as CSV and JSON: ${id}`, async ({ page }) => {
      await keepFiles(page);
      await open(page, link);
      const before = await exact(page);
      await start(page, 'Files');
      const { steps, patch } = await ask('estimate', link);
      const csv = await saved(page, 'Download CSV');
      expect(csv).toMatchObject({ type: 'text/csv' });
      expect(csv.name).toMatch(/^[a-z0-9.-]+\.csv$/);
      const rows = String(csv.bytes).split('\r\n').slice(1, -1);
      const values = rows.map((row) => /^([\w.]+),(?:"(?:[^"]|"")*"|[^",]*),([^,]*),/.exec(row));
      expect(values.map((m) => [m[1], m[2] === '' ? null : Number(m[2])])).toEqual(
        steps.map((s) => [s.id, s.value]),
      );
      const json = await saved(page, 'Download JSON');
      await expect(area(page, 'json')).toHaveValue(String(json.bytes));
      const found = JSON.parse(String(json.bytes));
      expect(found.scenario).toEqual(patch);
      expect(found.envelope).toBe(version);
      for (const step of steps) expect(found.values[step.id].value).toBe(step.value);
      await page.goto('about:blank');
      await page.goto(found.link);
      await live(page);
      await expect.poll(() => exact(page)).toEqual(before);
    });

  test('as one HTML file', async ({ page }) => {
    await keepFiles(page);
    await open(page, kServe.link);
    await start(page, 'Files');
    const file = await saved(page, 'Download HTML');
    expect(file.type).toBe('text/html');
    expect(file.name).toMatch(/\.html$/);
    const head = file.text.slice(0, file.text.indexOf('<body'));
    expect(file.text).toContain(`data-link="${kServe.link.replaceAll('&', '&amp;')}"`);
    expect(head).toContain('Llama 3.1 70B');
    expect(head).toContain(` data-home="${root(page)}"`);
  });

  test('as texts', async ({ page }) => {
    await open(page);
    const sentence = (await page.locator('h1').innerText()).replace(/\s+/g, ' ');
    const plain = async (id) => (await area(page, id).inputValue()).replace(/\s+/g, ' ');
    await start(page, 'Text');
    expect(await plain('sentence')).toBe(sentence);
    expect(await plain('markdown')).toBe(
      `[${sentence.replaceAll('$', '\\$')}](${root(page)}#${kFirst})`,
    );
    expect(await plain('markdown-table')).toContain('| Compute | 3.80 × 10²⁵ FLOP | counted |');
    expect(await plain('plain-table')).toContain(`${root(page)}#${kFirst}`);
    await tab(page, 'Paper').click();
    expect(await plain('latex')).toContain('\\toprule');
    expect(await plain('methods')).toContain(`\\url{${root(page)}#${kFirst}}`);
    expect(await plain('bibtex')).toContain('@software{envelope,');
    const keys = [...(await plain('bibtex')).matchAll(/@\w+\{([^,]+),/g)].map((m) => m[1]);
    const cited = [...(await plain('methods')).matchAll(/\\cite\{([^}]+)\}/g)].flatMap((m) =>
      m[1].split(','),
    );
    expect(cited).toEqual(expect.arrayContaining(['envelope', 'llama-3.1-405b', 'kaplan-2020']));
    for (const key of cited) expect(keys).toContain(key);
  });

  test('as the same texts that its sources make, not changed by the build', async ({ page }) => {
    await keepFiles(page);
    await open(page, kServe.link);
    await start(page, 'Text');
    const names = ['bibtex', 'latex', 'tables'].map((name) => `texts/${name}`);
    const parts = ['facts', 'view', 'markdown', 'sharing/embed', 'snippets'];
    const made = await modules([...names, ...parts]);
    const tables = made.tables(await ask('schema'));
    const answer = await ask('estimate', kServe.link);
    const facts = made.factsOf(tables, answer);
    const url = `${root(page)}#${facts.link}`;
    const options = { home: root(page), view: 'card', edit: [], theme: 'auto' };
    options.id = made.idOf(answer.inputs['model.id'], facts.link, 'card');
    const kMade = {
      Text: {
        markdown: made.markdownLink(facts.sentence, url),
        'markdown-table': made.markdownTable(facts, url),
        'plain-table': made.plainTable(facts, url),
      },
      Paper: {
        latex: made.latexTable(facts),
        methods: made.methods(tables, answer, facts, url),
        bibtex: made.bibtex(tables, answer, facts, root(page)),
      },
      Files: {
        csv: made.csv(tables, answer),
        json: made.json(tables, answer, url, facts.sentence),
      },
      Embed: {
        element: made.elementSnippet(facts, options),
        iframe: made.iframeSnippet(facts, options),
      },
    };
    // A text area knows one kind of line end; and of two builds the last digit may be another.
    const shape = (id, text) =>
      text
        .replaceAll('\r\n', '\n')
        .replace(/\d[\d.e+-]*/g, (n) => (id === 'csv' || id === 'json' ? '0' : n));
    for (const [name, texts] of Object.entries(kMade)) {
      await tab(page, name).click();
      for (const [id, text] of Object.entries(texts))
        expect(shape(id, await area(page, id).inputValue()), id).toBe(shape(id, text));
    }
  });

  test('as a picture', async ({ page }) => {
    await keepFiles(page);
    await open(page);
    await start(page, 'Image');
    await expect(dialog(page).getByRole('img')).toHaveAttribute('alt', /Llama 3\.1 405B/);
    // The line that shows the picture elsewhere, with the address of the file to be filled in.
    const alt = await dialog(page).getByRole('img').getAttribute('alt');
    const line = await area(page, 'picture').inputValue();
    const [, text, image, link] = /^\[!\[(.*)\]\(([^()]*)\)\]\(([^()]*)\)$/.exec(line);
    expect(text.replace(/\\(.)/g, '$1')).toBe(alt);
    expect(image).toMatch(/^https:\/\/YOUR-SITE\/[a-z0-9.-]+\.png$/);
    await expect(dialog(page).getByRole('tabpanel')).toContainText(`in place of ${image}`);
    expect(link).toBe(`${root(page)}#${kFirst}`);
    const png = await saved(page, 'Download PNG');
    expect(image.endsWith(`/${png.name}`)).toBe(true);
    expect(png.type).toBe('image/png');
    expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
    expect([png.bytes.readUInt32BE(16), png.bytes.readUInt32BE(20)]).toEqual([1200, 630]);
    expect(png.bytes.length).toBeLessThanOrEqual(300e3);
    expect(png.bytes.length).toBeGreaterThan(10e3); // something is drawn on it
    const svg = await saved(page, 'Download SVG');
    const read = await page.evaluate((text) => {
      const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
      return [
        parsed.querySelector('parsererror')?.textContent ?? '',
        parsed.documentElement.tagName,
      ];
    }, String(svg.bytes));
    expect(read).toEqual(['', 'svg']);
  });
});

test.describe('where the browser refuses the clipboard', () => {
  test('the text is selected, and the page says so', async ({ page }) => {
    await page.addInitScript(() => {
      const refuse = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
      Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: refuse, write: refuse },
      });
    });
    await open(page);
    await start(page);
    await button(page, 'Copy link').click();
    await expect(area(page, 'link')).toBeFocused();
    await expect(dialog(page).locator('.problem.error')).toContainText('did not allow copying');
    await expect(dialog(page).locator('#share-live')).toContainText('did not allow');
    const selected = await area(page, 'link').evaluate((a) => [a.selectionStart, a.selectionEnd]);
    expect(selected).toEqual([0, (await area(page, 'link').inputValue()).length]);
    await tab(page, 'Image').click();
    await button(page, 'Copy image').click();
    await expect(dialog(page).locator('.problem.error')).toContainText('Download it');
  });
});

test.describe('by keyboard', () => {
  test('tabs, texts and the way out', async ({ page }) => {
    await open(page);
    const share = page.getByRole('button', { name: 'Share', exact: true }).first();
    await share.focus();
    await page.keyboard.press('Enter');
    await expect(tab(page, 'Link')).toBeFocused();
    for (const name of kTabs.slice(1)) {
      await page.keyboard.press('ArrowRight');
      await expect(tab(page, name)).toBeFocused();
      await expect(tab(page, name)).toHaveAttribute('aria-selected', 'true');
      await expect(dialog(page).getByRole('tabpanel', { name })).toBeVisible();
    }
    await page.keyboard.press('ArrowRight');
    await expect(tab(page, 'Link')).toBeFocused();
    await page.keyboard.press('End');
    await expect(tab(page, 'Open')).toBeFocused();
    await page.keyboard.press('Home');
    await page.keyboard.press('Tab');
    await expect(button(page, 'Copy link')).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(area(page, 'link')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(dialog(page)).toBeHidden();
    await expect(share).toBeFocused();
  });
});

test.describe('the dialog', () => {
  test.use({ viewport: { width: 320, height: 640 } });
  test('fits 320 px, and its controls are large enough', async ({ page }) => {
    await open(page);
    await page.locator('.foot-bar').getByRole('button', { name: 'Share' }).click();
    for (const name of kTabs) {
      await tab(page, name).click();
      const wide = await dialog(page).evaluate((d) => [
        d.scrollWidth - d.clientWidth,
        document.documentElement.scrollWidth - document.documentElement.clientWidth,
      ]);
      expect(wide, name).toEqual([0, 0]);
      const small = await dialog(page)
        .locator('button:visible, a:visible, label:has(input):visible')
        .evaluateAll((all) =>
          all
            .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
            .filter(([, r]) => r.height < 24 || r.width < 24)
            .map(([text]) => text),
        );
      expect(small, name).toEqual([]);
    }
  });
});

test('an answer that waits for an input is shared as it was', async ({ page }) => {
  await open(page);
  await field(page, 'cluster.gpus').fill('many');
  await expect(page.locator('main')).toHaveClass(/stale/);
  await start(page);
  await expect(dialog(page)).toContainText('the last good answer');
  await expect(area(page, 'link')).toHaveValue(`${root(page)}#${kFirst}`);
});

test('paper does not show it', async ({ page, browserName }) => {
  test.skip(browserName === 'firefox', 'over BiDi it does not emulate paper');
  await open(page);
  await start(page);
  await page.emulateMedia({ media: 'print' });
  await expect(dialog(page)).toBeHidden();
  await expect(page.locator('h1')).toBeVisible();
});
