// SPDX-License-Identifier: MIT
// What stands behind the answer: derivations, charts, the memory bar; and that the page needs nobody.
import { serve } from './serve.mjs';
import { ask, kSite, patched } from './site.mjs';
import {
  drawn,
  exact,
  expect,
  field,
  first_link,
  live,
  numbers_of,
  open,
  shows,
  test,
} from './fixtures.mjs';

const kFirst = await first_link();
const headline = (page) => page.getByRole('heading', { level: 1 });
const panel = (page) => page.getByRole('dialog');

test.describe('the work behind a number', () => {
  test('opens with formula, values, help and source', async ({ page }) => {
    const { metrics, sources } = await ask('schema');
    const { steps } = await ask('estimate', kFirst);
    await open(page);
    // The first number of the page that has a formula and a source to go to.
    const doors = (await exact(page)).map(([id]) => id);
    const id = doors.find((door) => {
      const { source } = metrics.find((row) => row.id === door);
      return steps.find((row) => row.id === door).formula && sources[source[0]]?.url;
    });
    const metric = metrics.find((row) => row.id === id);
    await numbers_of(page, id).first().click();
    await expect(panel(page)).toBeVisible();
    await expect(panel(page).getByRole('heading', { name: metric.label })).toBeFocused();
    await expect(panel(page)).toContainText(metric.help);
    await expect(panel(page)).toContainText(metric.kind);
    expect(await panel(page).locator('math').count(), 'symbols, values, result').toBeGreaterThan(2);
    const box = await panel(page).locator('math').nth(1).boundingBox();
    expect(box.height, 'the formula has a size').toBeGreaterThan(8);
    const { url, author } = sources[metric.source[0]];
    await expect(panel(page).locator(`a[href="${url}"]`)).toContainText(author);
    const shown = await panel(page).locator('code').first().innerText();
    expect(Number(shown.replace(/[^\d.e+-]/g, ''))).toBe(steps.find((row) => row.id === id).value);
    await panel(page).getByRole('button', { name: 'Close' }).click();
    await expect(panel(page)).toBeHidden();
    await expect(numbers_of(page, id).first()).toBeFocused();
  });

  test('leads from number to number and back, and to the input', async ({ page }) => {
    await open(page);
    await numbers_of(page, 'cost.total').first().click();
    const title = await panel(page).getByRole('heading').first().innerText();
    const inner = panel(page).locator('dd ul.links').first().getByRole('button').first();
    const name = await inner.innerText();
    await inner.click();
    await expect(panel(page).getByRole('heading', { name, exact: true })).toBeVisible();
    await panel(page).getByRole('button', { name: /^Back/ }).click();
    await expect(panel(page).getByRole('heading', { name: title, exact: true })).toBeVisible();
    await panel(page).getByRole('button', { name: 'Close' }).click();

    await numbers_of(page, 'gpus.used').first().click();
    await panel(page).getByRole('button', { name: 'GPUs', exact: true }).last().click();
    await expect(panel(page)).toBeHidden();
    await expect(field(page, 'cluster.gpus')).toBeFocused();
  });

  test('is there for every number of the answer', async ({ page }) => {
    test.slow();
    const { steps } = await ask('estimate', kFirst);
    const { metrics } = await ask('schema');
    await open(page);
    const work = page.locator('section.work');
    await work.locator('details.stage > summary').first().click(); // brings help and sources
    // By script: the page moves under the pointer while stages open. Journeys open them by hand.
    const unfold = (details) =>
      details.evaluateAll((all) => all.forEach((one) => (one.open = true)));
    await unfold(work.locator('details.stage'));
    await expect(work.locator('details.step')).toHaveCount(steps.length);
    await unfold(work.locator('details.step'));
    await expect(work.locator('.derivation')).toHaveCount(steps.length);
    // Sources and help come with the first step that is unfolded.
    await expect(async () => {
      // Each says how it came about: a formula, or that it was looked up or chosen, and whose it is.
      const found = await work.locator('details.step').evaluateAll((all) =>
        all.map((step) => ({
          id: step.querySelector('.derivation .tools code').textContent,
          label: step.querySelector('.label').textContent,
          math: step.querySelectorAll('.derivation math').length,
          sources: step.querySelectorAll('.sources li').length,
          broken: /NaN|undefined|\[object/.exec(step.textContent)?.[0] ?? '',
        })),
      );
      expect(found.map(({ id }) => id).sort()).toEqual(steps.map(({ id }) => id).sort());
      const formula = new Map(steps.map((step) => [step.id, step.formula]));
      const table = new Map(metrics.map((metric) => [metric.id, metric]));
      const missing = found.filter(
        ({ id, label, math, sources, broken }) =>
          label !== table.get(id).label ||
          (formula.get(id) !== '' && math < 2) ||
          sources < table.get(id).source.length ||
          broken,
      );
      expect(missing).toEqual([]);
    }).toPass();
  });

  test('is reached and left by keyboard alone', async ({ page }) => {
    await open(page);
    const focused = () => page.evaluate(() => document.activeElement?.id ?? '');
    for (let i = 0; i < 150 && (await focused()) !== 'f-cluster.gpus'; ++i)
      await page.keyboard.press('Tab');
    expect(await focused()).toBe('f-cluster.gpus');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('512');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 512 }));
    const door = () => page.evaluate(() => document.activeElement?.dataset?.metric ?? '');
    for (let i = 0; i < 180 && (await door()) !== 'time.total'; ++i)
      await page.keyboard.press('Shift+Tab');
    expect(await door()).toBe('time.total');
    const ring = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
    });
    expect(ring, 'the focus is visible').toBe(true);
    await page.keyboard.press('Enter');
    await expect(panel(page)).toBeVisible();
    await expect(panel(page).getByRole('heading').first()).toBeFocused();
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement.closest('dialog') !== null)).toBe(true);
    await page.keyboard.press('Escape');
    await expect(panel(page)).toBeHidden();
    expect(await door()).toBe('time.total');
  });
});

test.describe('charts', () => {
  for (const [task, link, names] of [
    ['pretraining', kFirst, [/Time against GPUs/, /Cost against GPUs/, /IsoFLOP/, /frontier/]],
    ['serving', 'v=1&task=serve&model=llama-3.1-70b&n=8', [/Throughput/, /user/]],
  ])
    test(`of ${task} are drawn and can be read as tables`, async ({ page }) => {
      await open(page, link);
      for (const name of names) {
        const figure = page
          .locator('figure.chart')
          .filter({ has: page.getByRole('heading', { name }) });
        await expect(figure.locator('svg.plot path.line').first()).toHaveAttribute(
          'd',
          /^M[\d.]+,[\d.]+L/,
        );
        expect(await figure.locator('svg.plot').evaluate((s) => s.outerHTML)).not.toMatch(
          /NaN|undefined/,
        );
        await expect(figure.locator('g.mark.here circle').first(), 'this scenario').toBeVisible();
        await figure.getByRole('button', { name: /table/i }).click();
        await expect(figure.locator('svg.plot')).toHaveCount(0);
        const rows = await figure.locator('tbody tr').allInnerTexts();
        expect(rows.length).toBeGreaterThan(8);
        for (const row of rows) expect(row).toMatch(/\d.*\d/s);
        await figure.getByRole('button', { name: /table/i }).click();
        await expect(figure.locator('svg.plot')).toBeVisible();
      }
    });

  test('the IsoFLOP curve has its minimum inside, marked', async ({ page }) => {
    await open(page);
    const figure = page.locator('figure[data-chart=isoflop]');
    await expect(figure.locator('g.mark.best circle')).toHaveCount(1);
    const [x, path] = await figure.evaluate((node) => [
      Number(node.querySelector('g.mark.best circle').getAttribute('cx')),
      node.querySelector('path.line').getAttribute('d'),
    ]);
    const points = [...path.matchAll(/([\d.]+),([\d.]+)/g)].map(([, a, b]) => [
      Number(a),
      Number(b),
    ]);
    const lowest = points.reduce((a, b) => (b[1] > a[1] ? b : a)); // y grows downwards
    expect(Math.abs(lowest[0] - x)).toBeLessThan(2);
    expect(lowest).not.toBe(points[0]);
    expect(lowest).not.toBe(points.at(-1));
  });

  test('are read by arrow keys', async ({ page }) => {
    await open(page);
    const figure = page.locator('figure[data-chart=time]');
    await figure.locator('svg.plot').focus();
    await page.keyboard.press('ArrowRight');
    const first = await figure.locator('.read').innerText();
    expect(first).toMatch(/^GPUs \d/);
    await page.keyboard.press('ArrowRight');
    await expect(figure.locator('.read')).not.toHaveText(first);
  });

  test('follow an edit', async ({ page }) => {
    await open(page);
    const line = page.locator('figure[data-chart=time] path.line').first();
    const tick = page.locator('figure[data-chart=time] g.mark.here text');
    const before = [await line.getAttribute('d'), await tick.innerHTML()];
    await field(page, 'cluster.gpus').fill('64');
    await expect.poll(async () => (await tick.innerHTML()) !== before[1]).toBe(true);
  });
});

test.describe('the memory bar', () => {
  test('turns into a table of the same parts', async ({ page }) => {
    await open(page, 'v=1&d=2026-11&model=llama-3.1-8b&n=8');
    const parts = await page.locator('.memory .legend li').count();
    expect(parts).toBeGreaterThan(2);
    const toggle = page.locator('.memory .bar-head button[aria-label$="table"]');
    await toggle.click();
    await expect(page.locator('.memory .bar-head ~ .scroll tbody tr')).toHaveCount(parts);
    await expect(page.locator('.memory svg.bar')).toHaveCount(0);
    await toggle.click();
    await expect(page.locator('.memory svg.bar')).toBeVisible();
  });

  test('says in words when it does not fit', async ({ page }) => {
    await open(page, 'v=1&d=2026-11&n=8&tp=8');
    await expect(page.locator('.memory')).toContainText('too much');
    await expect(page.locator('svg.bar rect.overflow').first()).toBeVisible();
    await expect(page.locator('.verdict')).toHaveClass(/bad/);
  });
});

test.describe('by itself', () => {
  test('the page works from a folder of a host, and on after the host is gone', async ({
    page,
    seen,
  }) => {
    seen.allow(/ERR_CONNECTION|NetworkError|Failed to load|could not/i);
    const host = await serve(kSite, { port: 8400, prefix: '/a/b/' });
    seen.origins.push(host.url);
    try {
      await page.goto(host.url);
      await live(page);
      await shows(page, kFirst);
      expect(seen.requests.filter((url) => !url.startsWith(host.url))).toEqual([]);
    } finally {
      await host.close();
    }
    await field(page, 'cluster.gpus').fill('2048');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 2048 }));
    await page.getByRole('link', { name: 'Serve', exact: true }).click();
    await expect(headline(page)).toContainText(/Serving|Serve/i);
    await expect(page.locator('figure.chart svg').first()).toBeVisible();
    await numbers_of(page, 'cost.price').first().click();
    await expect(panel(page)).toBeVisible();
  });

  test('nothing is stored but a chosen theme', async ({ page, context }) => {
    await open(page);
    await field(page, 'cluster.gpus').fill('2048');
    await shows(page, await patched(kFirst, { 'cluster.gpus': 2048 }));
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
  });
});
