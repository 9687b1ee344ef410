// SPDX-License-Identifier: MIT
// The pages beside the calculator: replays, number formats, the walk through 6 N D, method.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ask, asset, kinds, kSite, pages, read } from './site.mjs';
import { expect, link_of, live, settled, shows, test } from './fixtures.mjs';

const kPages = pages();
const replays = await ask('replays');
const links = [...new Set(replays.rows.flatMap(({ items }) => items.map(({ link }) => link)))];
const kClaims = { A: 14, B: 14, C: 4, D: 4 }; // rows of the four documents

test.describe('every page', () => {
  test('is there: the calculator, a page for each document, and the explanations', () => {
    const documents = replays.documents.map(({ id }) => `replays/${id}/`);
    for (const path of ['', 'replays/', 'flops/', 'formats/', 'accuracy/', 'method/', ...documents])
      expect(kPages).toContain(path);
    expect(documents.length).toBe(4);
    expect(asset(/^envelope.*\.wasm$/)).toBeTruthy();
  });

  for (const path of kPages)
    test(`/${path} has a strict policy and nothing inline`, () => {
      const html = read(path);
      const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(html)?.[1];
      const rules = new Map(
        policy.split(';').map((rule) => {
          const [name, ...values] = rule.trim().split(/\s+/);
          return [name, values];
        }),
      );
      expect(rules.get('default-src')).toEqual(["'none'"]);
      expect(rules.get('base-uri')).toEqual(["'none'"]);
      expect(rules.get('form-action')).toEqual(["'none'"]);
      // A style sheet, and the line that starts the calculator, may stand in the page, named by hash.
      const hashes = (pattern) =>
        [...html.matchAll(pattern)].map(
          ([, text]) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
        );
      const starts = hashes(/<script type="module">([^]*?)<\/script>/g);
      expect(starts.length).toBe(path === '' ? 1 : 0);
      expect(rules.get('script-src')).toEqual(["'self'", ...starts, "'wasm-unsafe-eval'"]);
      const sheets = hashes(/<style[^>]*>([^]*?)<\/style>/g);
      const allowed = ["'none'", "'self'", "'wasm-unsafe-eval'", 'data:', 'blob:'];
      for (const [name, values] of rules)
        for (const value of values)
          expect([...allowed, ...(name === 'style-src' ? sheets : []), ...starts], name).toContain(
            value,
          );
      for (const sheet of sheets) expect(rules.get('style-src')).toContain(sheet);
      // The policy would stop these; the page must not even try.
      // Blocks of data are no scripts.
      const markup = html
        .replace(/<style[^]*?<\/style>/g, '')
        .replace(/<script type="application\/ld\+json">[^]*?<\/script>/g, '')
        .replace(/<script type="module">[^]*?<\/script>/g, '');
      expect(markup).not.toMatch(/<script(?![^>]*\ssrc=)|\sstyle="|\son\w+="/);
      const order = html.indexOf('Content-Security-Policy');
      expect(order).toBeLessThan(html.search(/<script|<link/));
      // Nothing is loaded from elsewhere; anchors may lead there.
      const loads = [
        ...html
          .replace(/<link rel="(canonical|alternate)"[^>]*>/g, '')
          .matchAll(/<(?:script|link|img|iframe|source|use)[^>]*?(?:src|href)="([^"]*)"/g),
      ];
      expect(loads.length).toBeGreaterThan(0);
      for (const [, url] of loads) expect(url).toMatch(/^\.{1,2}\//);
      expect(html).toMatch(/<html lang="en"/);
      expect(html).toMatch(/<title>[^<]{5,}<\/title>/);
      expect(html).toMatch(/name="description"\s+content="[^"]{20,}"/);
      expect(markup).not.toMatch(
        /%(root|page|document|title|description)%|<!--(app|main|header|footer)-->/,
      );
      expect(markup).not.toMatch(/undefined|\[object|>\s*NaN/);
    });

  test('links to pages that exist, from every page', async ({ page, baseURL }) => {
    const bad = [];
    for (const path of kPages) {
      // Those of the gallery stay as built.
      const built = !kinds().includes(path);
      if (!built) {
        await page.goto(path || './');
        await settled(page);
      }
      const found = built
        ? [...read(path).matchAll(/<a\s[^>]*?href="([^"]*)"/g)].map(
            ([, href]) => new URL(href.replaceAll('&amp;', '&'), baseURL + path).href,
          )
        : await page.locator('a[href]').evaluateAll((all) => [...new Set(all.map((a) => a.href))]);
      expect(found.length).toBeGreaterThan(5);
      for (const href of found) {
        if (!href.startsWith(baseURL)) {
          if (!/^https:\/\//.test(href)) bad.push(`/${path}: ${href}`);
          continue;
        }
        const [name, fragment = ''] = href.slice(baseURL.length).split('#');
        const file = join(kSite, name, name.endsWith('/') ? 'index.html' : '');
        if (!kPages.includes(name) && (name === '' || !existsSync(file)))
          bad.push(`/${path}: ${href}`);
        else if (
          kPages.includes(name) &&
          fragment &&
          !fragment.includes('=') &&
          !read(name).includes(`id="${fragment}"`)
        )
          bad.push(`/${path}: nothing is called ${fragment} in ${name}`);
      }
    }
    expect(bad).toEqual([]);
  });
});

test.describe('replays', () => {
  test('cover every row of the four documents', () => {
    const ids = replays.rows.map(({ id }) => id);
    for (const [letter, count] of Object.entries(kClaims))
      for (let i = 1; i <= count; ++i) expect(ids).toContain(`${letter}${i}`);
  });

  for (const { id, title } of replays.documents)
    test(`${id}: figure, ours and difference stand side by side`, async ({ page }) => {
      const rows = replays.rows.filter(({ document }) => document === id);
      await page.goto(`replays/${id}/`);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(title);
      const check = async () => {
        const found = await page.locator('section.replay').evaluateAll((all) =>
          all.map((section) => ({
            id: section.id,
            text: section.textContent.replace(/\s+/g, ' '),
            items: [...section.querySelectorAll('tbody tr')].map((tr) =>
              [...tr.children].map((cell) => cell.textContent.replace(/\s+/g, ' ').trim()),
            ),
            links: [...section.querySelectorAll('tbody a')].map((a) => a.hash.slice(1)),
          })),
        );
        expect(found.map((row) => row.id)).toEqual(rows.map((row) => row.id));
        const tidy = (text) => text.replace(/\s+/g, ' ').trim();
        rows.forEach((row, i) => {
          if (row.note) expect(found[i].text).toContain(tidy(row.note));
          expect(found[i].items.length, row.id).toBe(row.items.length);
          row.items.forEach((item, k) => {
            const [label, figure, ours, difference, verdict] = found[i].items[k];
            expect(label).toContain(tidy(item.label));
            if (item.why) expect(label).toContain(tidy(item.why));
            expect(figure).toBe(tidy(item.figure));
            expect(ours, `${row.id} ${label}`).toMatch(/\d/);
            expect(difference).toMatch(/^(0|[+−][\d.,]+ ?%|[+−].*|–)$/);
            expect(verdict).toBe(item.verdict);
            if (item.verdict === 'explained')
              expect(item.why || row.note, `${row.id} ${label} says why`).toBeTruthy();
          });
          for (const { link } of row.items) expect(found[i].links).toContain(link);
        });
      };
      await check();
      // Once more after the script has worked them out again.
      await page.waitForLoadState('networkidle');
      await check();
    });

  test('what comes out as it was built stays in its place, so that no click is lost', async ({
    page,
  }) => {
    await page.addInitScript(() =>
      addEventListener('DOMContentLoaded', () => {
        window.first = document.querySelector('tbody a');
      }),
    );
    await page.goto(`replays/${replays.rows[0].document}/`);
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(500); // the answer itself makes no request
    expect(await page.evaluate(() => window.first.isConnected)).toBe(true);
  });

  test('each link opens its scenario', async ({ page }) => {
    const { id, items } = replays.rows[0];
    await page.goto(`replays/${replays.rows[0].document}/`);
    await page.locator(`[id="${id}"] tbody a`).first().click();
    await live(page);
    await shows(page, items[0].link);
    expect(link_of(page)).toBe(items[0].link);
  });

  test('all links, one after the other, show the core’s numbers', async ({ page, browserName }) => {
    test.slow();
    const stride = browserName === 'chromium' ? 3 : 12;
    await page.goto('./');
    await live(page);
    for (let i = 0; i < links.length; i += stride) {
      await page.evaluate((link) => (location.hash = link), links[i]);
      await shows(page, links[i]);
      expect(link_of(page)).toBe(links[i]);
      await expect(page.locator('main')).not.toHaveClass(/stale/);
    }
  });
});

test.describe('the walk through 6 N D', () => {
  test('counts from 0 to 6, step by step, and back', async ({ page }) => {
    await page.goto('flops/');
    const counter = page.locator('.counter strong');
    const next = page.getByRole('button', { name: 'Next' });
    const back = page.getByRole('button', { name: 'Back' });
    await expect(next).toBeVisible();
    const texts = [];
    for (let step = 0; step <= 6; ++step) {
      await expect(counter).toHaveText(String(step));
      texts.push(await page.locator('.step-body').innerText());
      if (step === 0) await expect(back).toBeDisabled();
      if (step < 6) await next.click();
    }
    await expect(next).toBeDisabled();
    expect(new Set(texts).size).toBe(7);
    expect(texts[6]).toContain('6 N D');
    await back.click();
    await expect(counter).toHaveText('5');
    await page.keyboard.press('ArrowLeft');
    await expect(counter).toHaveText('4');
    await page.keyboard.press('ArrowRight');
    await expect(counter).toHaveText('5');
  });

  test('has all its steps in the HTML', () => {
    const html = read('flops/');
    for (let step = 0; step <= 6; ++step) expect(html).toMatch(new RegExp(`<h2>\\s*${step}\\. `));
  });
});

test('number formats show their bits', async ({ page }) => {
  const { formats } = await ask('schema');
  await page.goto('formats/');
  const drawn = formats.filter((f) => f.sign_bits + f.exponent_bits + f.mantissa_bits > 0);
  for (const f of drawn) {
    const section = page.locator('section.format').filter({
      has: page.getByRole('heading', { name: f.label, exact: true }),
    });
    await expect(section).toHaveCount(1);
    const bits = await section
      .locator('svg.bits rect')
      .evaluateAll((all) => all.map((rect) => rect.classList[0]));
    const count = (kind) => bits.filter((bit) => bit === kind).length;
    expect([count('sign'), count('exponent'), count('mantissa')], f.id).toEqual([
      f.sign_bits,
      f.exponent_bits,
      f.mantissa_bits,
    ]);
  }
  // The list, by bits.
  const known = { fp32: [1, 8, 23], tf32: [1, 8, 10], fp16: [1, 5, 10], bf16: [1, 8, 7] };
  Object.assign(known, { 'fp8-e4m3': [1, 4, 3], 'fp8-e5m2': [1, 5, 2], fp4: [1, 2, 1] });
  for (const [id, bits] of Object.entries(known)) {
    const f = formats.find((row) => row.id === id);
    expect([f?.sign_bits, f?.exponent_bits, f?.mantissa_bits], id).toEqual(bits);
  }
  for (const id of ['int8', 'int4']) expect(formats.map((f) => f.id)).toContain(id);
});

test('the method page lists the whole catalog with sources', async ({ page }) => {
  const { models, accelerators } = await ask('schema');
  await page.goto('method/');
  for (const [title, rows] of [
    ['Models', models],
    ['Accelerators', accelerators],
  ]) {
    const list = page
      .locator('details')
      .filter({ has: page.getByRole('heading', { name: title }) });
    await list.locator('summary').first().click();
    const found = await list
      .locator('tbody tr')
      .evaluateAll((all) =>
        all.map((tr) => [...tr.children].map((cell) => cell.textContent.trim())),
      );
    expect(found.length, title).toBe(rows.length);
    for (const cells of found) {
      if (/^(custom|by-size)$/.test(cells[1])) continue; // the reader's own
      expect(cells.at(-1), `${cells[0]}: a date`).toMatch(/^\d{4}/);
      expect(cells.at(-2), `${cells[0]}: a source`).not.toBe('');
    }
  }
});
