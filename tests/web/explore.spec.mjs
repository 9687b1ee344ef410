// SPDX-License-Identifier: MIT
// The sweep and the tornado below the charts: what the core works out is what is drawn, the choice is in
// the link, and every point can be read, reached by keys and applied.
import { AxeBuilder } from './tools.mjs';
import { expect, file_of, keepFiles, link_of, open, shows, test } from './fixtures.mjs';
import { ask, core_in_node } from './site.mjs';

const kRun = 'v=1&d=2026-11&n=1024&tp=8&pp=4&zero=1';
const kMap = `${kRun}&x=tp&y=pp&z=time.step`;
const kOpen = 'v=1&d=2026-11&model=llama-3.1-8b';
const kServe = 'v=1&d=2026-11&task=serve&model=llama-3.1-70b&n=8&tp=8';

const panel = (page, name) => page.locator(`details:has(#more-${name})`);
const cells = (page) => panel(page, 'sweep').locator('.heat td button');

/** By keyboard, as the page moves under a pointer while charts and plans above come in. */
const press = (button) => button.press('Enter');

async function unfold(page, name) {
  await press(panel(page, name).locator('summary'));
  await expect(panel(page, name).locator('figure')).toBeVisible({ timeout: 15_000 });
}

async function choose(page, id, words) {
  const input = page.locator(`[id="f-${id}"]`);
  await input.click();
  await input.fill(words);
  await input.press('Enter');
}

test.describe('sweep', () => {
  test('is not loaded before it is opened', async ({ page, seen }) => {
    await open(page, kRun);
    await page.waitForLoadState('networkidle');
    const rare = () => seen.requests.filter((url) => /rare|exploring/.test(url));
    expect(rare()).toEqual([]);
    await unfold(page, 'sweep');
    expect(rare().length).toBeGreaterThan(1);
    // What the link does not say it does not get by opening a panel.
    expect(link_of(page)).toBe(kRun);
  });

  test('a link opens its map, with every cell as the core says', async ({ page }) => {
    const chart = await ask('chart', kMap);
    await open(page, kMap);
    await expect(cells(page)).toHaveCount(chart.values.length, { timeout: 15_000 });
    const rows = await panel(page, 'sweep').locator('.heat tbody tr').count();
    expect(rows).toBe(chart.x.values.length);
    for (const [at, mark] of chart.marks.entries())
      await expect(panel(page, 'sweep').locator('.heat td').nth(at)).toHaveClass(
        new RegExp(`mark-${mark}`),
      );
    const here = chart.x.now * chart.y.values.length + chart.y.now;
    await expect(panel(page, 'sweep').locator('.heat td.here button')).toHaveAttribute(
      'data-at',
      String(here),
    );
    expect(link_of(page)).toBe(kMap);
  });

  test('is read with arrow keys, and Enter applies a point, with a way back', async ({ page }) => {
    await open(page, kMap);
    const here = panel(page, 'sweep').locator('.heat td.here button');
    await here.focus();
    await page.keyboard.press('ArrowUp');
    const chosen = page.locator('.heat button:focus');
    await expect(chosen).toHaveAttribute('aria-label', /Tensor parallel 4, Pipeline parallel 4/);
    await expect(panel(page, 'sweep').locator('.read')).toContainText('Tensor parallel 4');
    await page.keyboard.press('Enter');
    await expect.poll(() => link_of(page)).toBe(kMap.replace('tp=8', 'tp=4'));
    await shows(page, kMap.replace('tp=8', 'tp=4'));
    await page.locator('.undo').getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => link_of(page)).toBe(kMap);
  });

  test('of one input is a line; its inputs, range and result are chosen and stay in the link', async ({
    page,
  }) => {
    await open(page, kRun);
    await unfold(page, 'sweep');
    await choose(page, 'sweep-x', 'price per');
    await expect.poll(() => link_of(page)).toBe(`${kRun}&x=price&z=cost.total`);
    await expect(panel(page, 'sweep').locator('svg.plot')).toBeVisible();
    const ends = panel(page, 'sweep').locator('.ends input');
    await ends.first().press('ControlOrMeta+a');
    await ends.first().pressSequentially('$1.50'); // a filled value is no change to some browsers
    await ends.first().press('Enter');
    await expect.poll(() => link_of(page)).toMatch(/&x=price,1\.5,\d+(\.\d+)?&z=cost\.total$/);
    await choose(page, 'sweep-y', 'sequence length');
    await expect.poll(() => link_of(page)).toMatch(/&y=seq&z=cost\.total$/);
    await expect(panel(page, 'sweep').locator('.heat')).toBeVisible();
    await choose(page, 'sweep-z', 'time.total');
    await expect.poll(() => link_of(page)).toMatch(/&z=time\.total$/);
    const link = link_of(page);
    await page.reload();
    await expect(panel(page, 'sweep').locator('.heat')).toBeVisible({ timeout: 15_000 });
    expect(link_of(page)).toBe(link);
  });

  test('of rows of the catalog has a bar for each, and one press applies it', async ({ page }) => {
    const chart = await ask('chart', `${kRun}&x=gpu&z=time.total`);
    await open(page, `${kRun}&x=gpu&z=time.total`);
    const bars = panel(page, 'sweep').locator('.sweep-bars li');
    await expect(bars).toHaveCount(chart.values.length, { timeout: 15_000 });
    const at = chart.x.values.indexOf('b200');
    await press(bars.nth(at).getByRole('button'));
    await shows(page, `${kRun}&gpu=b200`);
  });

  test('is given as CSV', async ({ page }) => {
    const chart = await ask('chart', kMap);
    await keepFiles(page);
    await open(page, kMap);
    await expect(cells(page).first()).toBeVisible({ timeout: 15_000 });
    const button = panel(page, 'sweep').getByRole('button', { name: 'Download CSV' });
    const { name, type, text } = await file_of(page, button);
    expect([name, type]).toEqual(['time.step.csv', 'text/csv']);
    const rows = text.trimEnd().split('\n');
    expect(rows).toHaveLength(chart.values.length + 1);
    expect(rows[0]).toBe('cluster.tp,cluster.pp,time.step,mark,why');
    expect(rows[1].split(',')[2]).toBe(String(chart.values[0]));
  });

  test('says why an input has no chart', async ({ page }) => {
    await open(page, `${kRun}&x=document`);
    await expect(panel(page, 'sweep').locator('.problem')).toContainText('no range', {
      timeout: 15_000,
    });
  });
});

test.describe('what matters most', () => {
  for (const link of [kRun, kServe])
    test(`is sorted as the core says, with a reason for each range: ${link}`, async ({ page }) => {
      const { rows } = await ask('sensitivity', link);
      expect(rows.length).toBeGreaterThan(5);
      await open(page, link);
      await unfold(page, 'matters');
      const shown = panel(page, 'matters').locator('.tornado li');
      await expect(shown).toHaveCount(Math.min(10, rows.length));
      const paths = await shown.evaluateAll((list) => list.map((li) => li.dataset.path));
      expect(paths).toEqual(rows.slice(0, 10).map((row) => row.path));
      for (const [i, row] of rows.slice(0, 10).entries())
        await expect(shown.nth(i)).toContainText(row.why);
      if (rows.length > 10) {
        await press(panel(page, 'matters').getByRole('button', { name: /^Show all/ }));
        await expect(shown).toHaveCount(rows.length);
      }
      await press(panel(page, 'matters').getByRole('button', { name: /table$/ }));
      await expect(panel(page, 'matters').locator('tbody tr')).toHaveCount(rows.length);
    });

  test('follows the result that is chosen, an edit, and the link', async ({ page }) => {
    await open(page, kRun);
    await unfold(page, 'matters');
    await choose(page, 'matters-z', 'layout.per_gpu');
    await expect.poll(() => link_of(page)).toBe(`${kRun}&z=layout.per-gpu`);
    const { rows } = await ask('sensitivity', `${kRun}&z=layout.per-gpu`);
    const first = panel(page, 'matters').locator('.tornado li').first();
    await expect(first).toHaveAttribute('data-path', rows[0].path);
    await page.reload();
    await expect(first).toHaveAttribute('data-path', rows[0].path, { timeout: 15_000 });
  });

  test('an end is applied, and an input is swept', async ({ page }) => {
    const { rows } = await ask('sensitivity', kRun);
    const row = rows.find(({ path }) => path === 'price.usd_per_gpu_hour');
    await open(page, kRun);
    await unfold(page, 'matters');
    const item = panel(page, 'matters').locator('[data-path="price.usd_per_gpu_hour"]');
    await press(item.getByRole('button', { name: 'Sweep Price per GPU-hour' }));
    await expect.poll(() => link_of(page)).toBe(`${kRun}&x=price&z=cost.total`);
    await expect(panel(page, 'sweep').locator('svg.plot')).toBeVisible({ timeout: 15_000 });
    await press(item.locator('.less button'));
    const { patch } = await ask('open', kRun);
    await shows(page, JSON.stringify({ ...patch, 'price.usd_per_gpu_hour': row.low }));
  });
});

for (const [width, scheme] of [
  [360, 'dark'],
  [1280, 'light'],
])
  test(`they are accessible and stay within the page: ${width} px, ${scheme}`, async ({ page }) => {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, kMap);
    await expect(cells(page).first()).toBeVisible({ timeout: 15_000 });
    await unfold(page, 'matters');
    await press(panel(page, 'best').locator('summary'));
    await press(panel(page, 'best').getByRole('button', { name: 'Find the best model' }));
    await expect(panel(page, 'best').locator('.best-models')).toBeVisible({ timeout: 30_000 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    expect(wide).toBe(false);
    const { violations } = await new AxeBuilder({ page })
      .include('#more-sweep')
      .include('#more-matters')
      .include('#more-best')
      .analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  });

test.describe('the best model for a budget', () => {
  const found = (page) => panel(page, 'best').locator('.best-models');
  const cell = (page, row, i) =>
    found(page)
      .getByRole('row')
      .filter({ has: page.getByRole('rowheader', { name: row, exact: true }) })
      .getByRole('cell')
      .nth(i);

  test('is what the core finds, with tokens served too, and opens', async ({ page }) => {
    const { patch } = await ask('open', kOpen);
    const request = { scenario: patch, usd: 2e6, served: 1e12 };
    const { optimal, served, notes } = JSON.parse(
      await core_in_node('bestModel', JSON.stringify(request)),
    );
    await open(page, kOpen);
    await press(panel(page, 'best').locator('summary'));
    await panel(page, 'best').getByLabel('Dollars at most').fill('$2M');
    await panel(page, 'best').getByLabel('Tokens to be served').fill('1T');
    await press(panel(page, 'best').getByRole('button', { name: 'Find the best model' }));
    await expect(cell(page, 'Layout', 0)).toHaveText(optimal.layout, { timeout: 30_000 });
    await expect(cell(page, 'Layout', 1)).toHaveText(served.layout);
    await expect(cell(page, 'Parameters', 0)).toHaveText(/^\d[\d.]+B$/);
    await expect(panel(page, 'best')).toContainText(notes[0]);
    await panel(page, 'best').getByLabel('Dollars at most').fill('3M');
    await expect(panel(page, 'best')).toContainText('find again');
    await press(found(page).getByRole('link', { name: 'Open: Least loss' }));
    await shows(page, optimal.link);
  });

  test('says what is no number, and is asked only where models are pre-trained', async ({
    page,
  }) => {
    await open(page, kOpen);
    await press(panel(page, 'best').locator('summary'));
    const dollars = panel(page, 'best').getByLabel('Dollars at most');
    await dollars.fill('plenty');
    await expect(panel(page, 'best').locator('.problem')).toContainText('Not a number');
    await expect(dollars).toHaveValue('plenty');
    await page.goto(`./#${kServe}`);
    await expect(panel(page, 'best')).toHaveCount(0);
  });
});
