// SPDX-License-Identifier: MIT
// Scenarios side by side: started, edited, swapped, kept, removed; in the link, by keyboard, on a phone.
// What the table says is compared with the core's.
import { ask } from './site.mjs';
import { expect, field, first_link, link_of, open, shows, test } from './fixtures.mjs';
import { AxeBuilder } from './tools.mjs';

const kFirst = await first_link();
const kTwo = 'v=1&d=2026-11&n=16384&tp=8&pp=16&b.gpu=b200';
const kThree = `${kTwo}&c.n=8192`;
const table = (page) => page.getByRole('group', { name: 'Comparison' });
const row = (page, name) =>
  table(page)
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) });
const tab = (page, letter) => page.getByRole('radio', { name: letter, exact: true });
const act = (page, name) => table(page).getByRole('button', { name, exact: true }).click();
const letters = (page) => table(page).locator('thead .letter').allTextContents();
/** The links of all scenarios that a link holds. */
const scenarios_of = async (link) =>
  (await ask('compare', JSON.stringify({ scenarios: [link] }))).scenarios.map((s) => s.link);
const comes_to = (page, link) => expect.poll(() => link_of(page)).toBe(link);

test.describe('a comparison', () => {
  test('starts with a copy, and shows what an edit of it changes', async ({ page }) => {
    await open(page);
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await expect(tab(page, 'B')).toBeChecked();
    await expect(tab(page, 'B')).toBeFocused();
    await expect(page.getByText('So far they are the same')).toBeVisible();
    await shows(page, kFirst);
    await field(page, 'cluster.gpus').fill('8192');
    const link = `${kFirst}&b.n=8192`;
    await comes_to(page, link);
    const [, second] = await scenarios_of(link);
    await shows(page, second);
    await expect(row(page, 'GPUs').first()).toContainText('8,192');
    const time = row(page, 'Training time');
    await expect(time).toContainText(/worse/);
    await expect(time).toContainText(/[+] ?\d|×/);
  });

  test('says of a link what differs, as the core does', async ({ page }) => {
    await open(page, kTwo);
    const { inputs, metrics } = await ask('compare', JSON.stringify({ scenarios: [kTwo] }));
    await expect(row(page, 'Accelerator')).toContainText(/H100.*B200/s);
    expect(await letters(page)).toEqual(['A', 'B']);
    const [a, b] = metrics.find(({ id }) => id === 'time.total').values;
    const by = Math.abs(b / a - 1) * 100;
    const cell = row(page, 'Training time').getByRole('cell').nth(1);
    await expect(cell).toContainText(b < a ? 'better' : 'worse');
    await expect(cell).toContainText(by >= 200 ? '×' : `${by.toPrecision(3)}\u00a0%`);
    // What the accelerator brings along, and every result, are behind a button each.
    await page
      .getByRole('button', { name: `${inputs.length - 1} inputs that come with those` })
      .click();
    await expect(row(page, 'Dense BF16').or(row(page, 'Memory')).first()).toBeVisible();
    await page.getByRole('button', { name: /more results that differ/ }).click();
    const said = metrics.filter(({ id }) => !/_(low|high)$/.test(id));
    const shown = table(page).locator('tbody').nth(1).getByRole('row');
    await expect(shown).toHaveCount(said.length + 1); // and the bars
  });

  test('draws the memory of each to one scale', async ({ page }) => {
    await open(page, kTwo);
    const bars = row(page, 'Memory per GPU').locator('svg.bar');
    await expect(bars).toHaveCount(2);
    const widths = await bars.evaluateAll((list) =>
      list.map((svg) => parseFloat(svg.querySelector('.free').getAttribute('width'))),
    );
    const [first, second] = await Promise.all(
      (await scenarios_of(kTwo)).map(async (link) => (await ask('estimate', link)).memory.capacity),
    );
    expect(widths[1] / widths[0]).toBeCloseTo(second / first, 2);
  });

  test('follows A where B says nothing else', async ({ page }) => {
    await open(page, kTwo);
    await expect(tab(page, 'A')).toBeChecked();
    await field(page, 'cluster.gpus').fill('8192');
    await comes_to(page, kTwo.replace('16384', '8192'));
    await tab(page, 'B').check({ force: true });
    await expect(field(page, 'cluster.gpus')).toHaveValue('8192');
    await expect(field(page, 'gpu.id')).toHaveValue(/B200/);
  });

  test('keeps A and C while B is edited', async ({ page }) => {
    await open(page, kThree);
    const before = await scenarios_of(kThree);
    await tab(page, 'B').check({ force: true });
    await shows(page, before[1]);
    await field(page, 'cluster.gpus').fill('4096');
    await comes_to(page, 'v=1&d=2026-11&n=16384&tp=8&pp=16&b.gpu=b200&b.n=4096&c.n=8192');
    const after = await scenarios_of(link_of(page));
    expect([after[0], after[2]]).toEqual([before[0], before[2]]);
    await expect(page.locator('.eyebrow')).toHaveText('Scenario B');
  });

  test('is swapped with A, and back by the browser', async ({ page }) => {
    await open(page, kThree);
    const [a, b, c] = await scenarios_of(kThree);
    await act(page, 'Swap B with A');
    await expect.poll(() => scenarios_of(link_of(page))).toEqual([b, a, c]);
    await expect(tab(page, 'B'), 'the form stays with its scenario').toBeChecked();
    await shows(page, a);
    await page.goBack();
    await comes_to(page, kThree);
    await shows(page, a);
    await expect.poll(() => letters(page)).toEqual(['A', 'B', 'C']);
    await page.goForward();
    await expect.poll(() => scenarios_of(link_of(page))).toEqual([b, a, c]);
  });

  test('ends with the one that is kept; undone, all are back', async ({ page }) => {
    await open(page, kThree);
    const [, b] = await scenarios_of(kThree);
    await act(page, 'Keep only B');
    await comes_to(page, b);
    await shows(page, b);
    await expect(table(page)).toHaveCount(0);
    await expect(page.getByRole('radio', { name: 'A', exact: true })).toHaveCount(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await comes_to(page, kThree);
    await expect.poll(() => letters(page)).toEqual(['A', 'B', 'C']);
  });

  test('loses one that is removed; A too', async ({ page }) => {
    await open(page, kThree);
    const [a, b, c] = await scenarios_of(kThree);
    await act(page, 'Remove B');
    await expect.poll(() => scenarios_of(link_of(page))).toEqual([a, c]);
    await act(page, 'Remove A');
    await comes_to(page, c);
    await expect(table(page)).toHaveCount(0);
    await page.goBack();
    await page.goBack();
    await expect.poll(() => scenarios_of(link_of(page))).toEqual([a, b, c]);
  });

  test('has room for four, and says so', async ({ page }) => {
    await open(page, kThree);
    await page.getByRole('button', { name: 'Add a copy of A' }).click();
    await expect.poll(() => letters(page)).toEqual(['A', 'B', 'C', 'D']);
    await expect(page.getByRole('button', { name: /^Add a copy/ })).toHaveCount(0);
    await page.getByRole('button', { name: 'Compare', exact: true }).click();
    await expect(page.locator('#top').getByText('Remove one of them first')).toBeVisible();
    expect(await letters(page)).toHaveLength(4);
  });

  test('takes what is proposed for one into that one', async ({ page }) => {
    await open(page, 'v=1&model=llama-3.1-70b&n=8&b.gpu=b200'); // does not fit
    await expect(table(page)).toBeVisible();
    await page.locator('.remedies a').first().click();
    await expect.poll(async () => (await scenarios_of(link_of(page))).length).toBe(2);
    await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
    expect(link_of(page)).toContain('b.gpu=b200');
  });

  test('is shared whole', async ({ page }) => {
    await open(page, kTwo);
    await tab(page, 'B').check({ force: true });
    await expect(page.locator('.eyebrow')).toHaveText('Scenario B');
    await page.getByRole('button', { name: 'Share', exact: true }).first().click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.locator('textarea').first()).toHaveValue(new RegExp(`#${kTwo}$`));
    await dialog.getByRole('tab', { name: 'Text' }).click();
    await expect(dialog.locator('textarea').first()).toHaveValue(/B200/);
  });

  test('works by keyboard alone', async ({ page }) => {
    await open(page, kThree);
    await expect(table(page)).toBeVisible();
    await tab(page, 'A').focus();
    await page.keyboard.press('ArrowRight');
    await expect(tab(page, 'B')).toBeChecked();
    await expect(tab(page, 'B')).toBeFocused();
    await expect(field(page, 'gpu.id')).toHaveValue(/B200/);
    await page.keyboard.press('ArrowRight');
    await expect(tab(page, 'C')).toBeChecked();
    await expect(field(page, 'cluster.gpus')).toHaveValue('8192');
    await table(page).getByRole('button', { name: 'Remove C' }).press('Enter');
    await expect.poll(() => letters(page)).toEqual(['A', 'B']);
    await expect(page.getByRole('heading', { name: 'Side by side' })).toBeFocused();
  });

  for (const colorScheme of ['light', 'dark'])
    test(`passes axe, ${colorScheme}`, async ({ page, browserName }) => {
      test.skip(browserName === 'firefox' && colorScheme === 'dark', 'no emulation over BiDi');
      await page.emulateMedia({ colorScheme });
      await open(page, kThree);
      await expect(table(page)).toBeVisible();
      const { violations } = await new AxeBuilder({ page })
        .include('#compare')
        .include('#form')
        .analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map((n) => n.html)])).toEqual([]);
    });

  test('scrolls inside on a phone', async ({ page }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open(page, kThree);
    await page.getByRole('button', { name: /more results that differ/ }).click();
    const sizes = await table(page).evaluate((e) => ({
      inside: [e.scrollHeight > e.clientHeight, e.scrollWidth > e.clientWidth],
      high: e.clientHeight,
      page: document.documentElement.scrollWidth,
    }));
    expect(sizes.inside).toEqual([true, true]);
    expect(sizes.high).toBeLessThan(740);
    expect(sizes.page).toBeLessThanOrEqual(360);
    // The heading of the column and the name of the row stay in sight.
    await table(page).evaluate((e) => e.scrollTo(60, 400));
    const box = await table(page).boundingBox();
    const head = await table(page).locator('thead th').nth(1).boundingBox();
    const name = await table(page).locator('tbody th').last().boundingBox();
    expect(Math.abs(head.y - box.y)).toBeLessThan(2);
    expect(Math.abs(name.x - box.x)).toBeLessThan(2);
  });
});
