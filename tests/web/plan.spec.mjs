// SPDX-License-Identifier: MIT
// Plans as users meet them: found, used, compared and started, and found again after each edit without
// making anyone wait. What stands in the table is compared with the core's own answer.
import { AxeBuilder, slack } from './tools.mjs';
import { expect, field, first_link, link_of, open, shows, test } from './fixtures.mjs';
import { times_to_plan } from './inside.mjs';
import { ask, patched } from './site.mjs';

const kDense = 'v=1&d=2026-11&model=llama-3.1-70b&n=256&tp=8&stack=megatron-core-2024';
const kOpen = 'v=1&d=2026-11&model=llama-3.1-8b&tokens=1e12&deadline=2.592e6'; // any number of GPUs
const kServe = 'v=1&d=2026-11&task=serve&model=llama-3.1-70b&n=8';

const panel = (page) => page.locator('.plans');
const rows = (page) => panel(page).locator('.plan-table tbody tr');
const undo = (page) => page.locator('.undo').getByRole('button', { name: 'Undo' });
const plan = (scenario, more = {}) =>
  ask('plan', JSON.stringify({ scenario, gains: false, ...more }));

/** Everything is known that the newest request asked for. */
async function planned(page) {
  await page.locator('#plans').scrollIntoViewIfNeeded();
  await expect(panel(page)).toHaveAttribute('aria-busy', 'false', { timeout: 30_000 });
  await expect(panel(page).locator('.plan-count')).toBeVisible({ timeout: 30_000 });
}
async function open_plans(page, link) {
  await open(page, link);
  await planned(page);
}
const labels = (page) =>
  rows(page)
    .locator('.layout')
    .evaluateAll((all) => all.map((e) => e.firstChild.nextSibling.textContent.trim()));
const said = (page) => panel(page).locator('.plan-count');
const grouped = (n) => n.toLocaleString('en-US');

test.describe('the plans', () => {
  test('come when someone comes near, the best first, as the core has them', async ({
    page,
    seen,
  }) => {
    const reply = await plan(kDense);
    expect(reply.plans.length).toBeGreaterThan(6);
    await open(page, kDense);
    const loaded = () => seen.requests.filter((url) => /\/plans-|rare/.test(url));
    expect(loaded(), 'only when they are wanted').toEqual([]);
    await planned(page);
    const best = reply.plans.map(({ label }) => label);
    expect((await labels(page)).slice(0, 6)).toEqual(best.slice(0, 6));
    await panel(page)
      .getByRole('button', { name: `All ${best.length}` })
      .click();
    expect((await labels(page)).slice(0, best.length)).toEqual(best);
    await expect(said(page)).toContainText(`${grouped(reply.space)} layouts in`);
    await expect(rows(page).filter({ hasText: 'In use' })).toHaveCount(1);
  });

  test('are used by one click, which can be undone', async ({ page }) => {
    const { plans } = await plan(kDense);
    await open_plans(page, kDense);
    await rows(page).first().getByRole('button', { name: /^Use/ }).click();
    await shows(page, plans[0].link);
    await expect.poll(() => link_of(page)).toBe(plans[0].link);
    await planned(page);
    await expect(rows(page).first()).toContainText('In use');
    await expect(panel(page).locator('.plan-words')).toContainText('is the best that was found');
    await expect(page.locator('.undo')).toContainText(plans[0].label);
    await undo(page).click();
    await shows(page, kDense);
    await planned(page);
    await expect(rows(page).first().getByRole('button', { name: /^Use/ })).toBeVisible();
  });

  test('are compared by another click', async ({ page }) => {
    const { plans } = await plan(kDense);
    await open_plans(page, kDense);
    await rows(page)
      .nth(1)
      .getByRole('button', { name: /^Compare/ })
      .click();
    await expect.poll(() => link_of(page)).toContain('&b.');
    await shows(page, kDense);
    const { scenarios } = await ask('compare', JSON.stringify({ scenarios: [link_of(page)] }));
    expect(scenarios.map(({ link }) => link)).toEqual([kDense, plans[1].link]);
    await expect(page.locator('#compare table')).toBeVisible();
    await panel(page).getByRole('button', { name: 'Look' }).click();
    await expect(page.locator('#compare table')).toBeInViewport();
  });

  test('say what the best of them changes, and that nothing keeps within a limit', async ({
    page,
  }) => {
    await open_plans(page, kDense);
    const words = panel(page).locator('.plan-words');
    await expect(words).toHaveText(/the best plan .*%\sless/);
    await panel(page)
      .getByRole('textbox', { name: /^Cost at most/ })
      .fill('$1k');
    await expect(words).toHaveText('No plan keeps within these limits.');
    await panel(page)
      .getByRole('textbox', { name: /^Cost at most/ })
      .fill('cheap');
    await expect(panel(page).locator('.plan-wishes .problem')).toContainText('Not a number');
    await planned(page);
    await expect(words).toHaveText(/the best plan .*%\sless/);
  });

  test('that are left out by default are allowed by a switch, and the space grows', async ({
    page,
  }) => {
    const [narrow, wide] = [await plan(kDense), await plan(kDense, { allow: ['offload'] })];
    expect(wide.space).toBeGreaterThan(narrow.space);
    await open_plans(page, kDense);
    await panel(page).getByText('What is left out by default').click();
    const box = panel(page).locator('[data-switch="offload"]');
    await expect(box).not.toBeChecked();
    await box.press('Space'); // by keyboard: the page moves under a pointer
    await expect(said(page)).toContainText(`${grouped(wide.space)} layouts in`);
    await planned(page);
    expect((await labels(page)).slice(0, 6)).toEqual(
      wide.plans.slice(0, 6).map(({ label }) => label),
    );
    await box.press('Space');
    await expect(said(page)).toContainText(`${grouped(narrow.space)} layouts in`);
  });

  test('have the reasons why the others were ruled out, which add up', async ({ page }) => {
    const { counts, axes, space } = await plan(kDense);
    await open_plans(page, kDense);
    await panel(page).getByText('Why the others were ruled out').click();
    const numbers = await panel(page)
      .locator('.reasons td')
      .evaluateAll((all) => all.map((e) => Number(e.textContent.replaceAll(',', ''))));
    expect(numbers).toEqual(counts.rejected.map(({ count }) => count).sort((a, b) => b - a));
    const sum = numbers.reduce((a, b) => a + b, 0);
    expect(sum + counts.fit + counts.skipped).toBe(space);
    await expect(panel(page).locator('.axes dt')).toHaveText(axes.map(({ label }) => label));
  });

  test('come with what a change would buy, one click each', async ({ page }) => {
    const { gains } = await ask('plan', JSON.stringify({ scenario: kDense }));
    expect(gains.length).toBeGreaterThan(1);
    await open_plans(page, kDense);
    const buttons = panel(page).locator('.gains button');
    await expect(buttons).toHaveText(
      gains.map(({ label }) => label),
      { timeout: 20_000 },
    );
    const gain = gains.find((g) => g.switch);
    await buttons.filter({ hasText: gain.label }).click();
    const then = await plan(kDense, { allow: [gain.switch] });
    await expect(said(page)).toContainText(`${grouped(then.space)} layouts in`);
  });

  test('for several numbers of GPUs are drawn, and stand in a table', async ({ page }) => {
    await open_plans(page, kDense);
    await expect(page.locator('figure[data-chart="front"]')).toHaveCount(0);
    await panel(page)
      .getByRole('checkbox', { name: /^Other numbers of GPUs/ })
      .check();
    const figure = page.locator('figure[data-chart="front"]');
    await expect(figure.locator('.front-plan').nth(1)).toBeVisible({ timeout: 30_000 });
    await planned(page);
    const points = await figure.locator('.front-plan').count();
    await figure.getByRole('button', { name: /table/ }).click();
    await expect(figure.locator('tbody tr')).toHaveCount(points);
    const gpus = await figure.locator('tbody th').allTextContents();
    expect(new Set(gpus).size, 'of several sizes').toBeGreaterThan(1);
  });

  test('for serving have answers and their cost in place of days', async ({ page }) => {
    const { plans } = await plan(kServe);
    await open_plans(page, kServe);
    expect((await labels(page)).slice(0, plans.length)).toEqual(plans.map(({ label }) => label));
    await expect(panel(page).getByRole('columnheader', { name: 'Latency' })).toHaveCount(1);
    await expect(panel(page).getByRole('columnheader', { name: 'Time' })).toHaveCount(0);
  });

  test('stand greyed while the newest input cannot be used', async ({ page }) => {
    await open_plans(page, kDense);
    const before = await labels(page);
    await field(page, 'run.tokens').fill('many');
    await expect(page.locator('main')).toHaveClass(/stale/);
    expect(await labels(page)).toEqual(before);
    await expect(panel(page)).toHaveAttribute('aria-busy', 'false');
  });
});

test.describe('the launch text', () => {
  test('of a plan is the core’s, for each launcher, and is copied', async ({ page }) => {
    const { plans } = await plan(kDense);
    const scenario = plans[0].link;
    const first = await ask('launch', JSON.stringify({ scenario }));
    await open_plans(page, kDense);
    await rows(page)
      .first()
      .getByRole('button', { name: /^Launch/ })
      .click();
    const box = page.locator('.launch');
    await expect(box.getByRole('heading', { level: 3 })).toBeFocused();
    const [file] = first.files;
    const shown = () => box.locator(`[data-file="${file.name}"]`).evaluate((e) => e.textContent);
    await expect.poll(shown).toBe(file.text);
    await box.getByRole('button', { name: `Copy ${file.name}` }).click();
    await expect(box.getByRole('button', { name: `${file.name} was copied` })).toHaveText('Copied');
    // Pasted where text is welcome: reading the clipboard needs a permission.
    await page.getByRole('button', { name: 'Import config.json' }).click();
    await page.locator('#import-text').focus();
    await page.keyboard.press('Control+V');
    await expect(page.locator('#import-text')).toHaveValue(file.text);
    await page.keyboard.press('Escape');
    const other = first.launchers.find(
      ({ id, covers }) => id !== first.launcher && covers.includes('pretrain'),
    );
    const second = await ask('launch', JSON.stringify({ scenario, launcher: other.id }));
    await box.getByRole('combobox', { name: 'Launcher' }).selectOption(other.id);
    await expect
      .poll(() =>
        box
          .locator('pre')
          .first()
          .evaluate((e) => e.textContent),
      )
      .toBe(second.files[0].text);
    for (const note of second.notes) await expect(box).toContainText(note);
    await box.getByRole('button', { name: 'Close' }).click();
    await expect(
      rows(page)
        .first()
        .getByRole('button', { name: /^Launch/ }),
    ).toBeFocused();
  });
});

test.describe('an edit', () => {
  test('is planned for within a tenth of a second, and holds up nothing', async ({ page }) => {
    await open_plans(page, await first_link());
    await page.waitForTimeout(1000); // what a change would buy
    const edits = ['11T', '12T', '13T', '14T', '16T', '17T', '18T'];
    const { times, longest } = await page.evaluate(times_to_plan, edits);
    const median = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];
    expect(times).toHaveLength(edits.length);
    expect(median, times.join(' ')).toBeLessThan(100 * slack());
    if (longest !== null)
      expect(longest, 'ms that the page was blocked').toBeLessThan(50 * slack());
  });

  test('is answered while a long search goes on, which it ends', async ({ page }) => {
    await open_plans(page, kOpen);
    await panel(page).getByText('What is left out by default').click();
    const { switches } = await plan(kOpen);
    const turn = async () => {
      for (const { id } of switches)
        await panel(page).locator(`[data-switch="${id}"]`).press('Space');
    };
    await turn();
    await expect(panel(page).locator('.plan-words')).toContainText('Looked at', {
      timeout: 30_000,
    });
    await field(page, 'run.tokens').fill('2T');
    const scenario = await patched(kOpen, { 'run.tokens': '2T' });
    await shows(page, scenario);
    await expect(panel(page), 'it goes on, for the new tokens').toHaveAttribute(
      'aria-busy',
      'true',
    );
    await turn();
    const { space, plans } = await plan(JSON.parse(scenario));
    await expect(said(page)).toContainText(`${grouped(space)} layouts in`, { timeout: 30_000 });
    await planned(page);
    expect((await labels(page)).slice(0, 6)).toEqual(plans.slice(0, 6).map(({ label }) => label));
  });
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 } });
  test('nothing of the plans is wider than the screen', async ({ page }) => {
    await open_plans(page, kDense);
    await rows(page)
      .first()
      .getByRole('button', { name: /^Launch/ })
      .click();
    await expect(page.locator('.launch pre').first()).toBeVisible();
    await panel(page)
      .getByRole('checkbox', { name: /^Other numbers of GPUs/ })
      .check();
    await planned(page);
    for (const summary of await panel(page).locator('summary').all()) await summary.click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      360,
    );
    const wide = await panel(page).evaluate((section) =>
      [...section.querySelectorAll('*')]
        .filter((e) => !e.closest('pre, .scroll, svg') && e.getBoundingClientRect().right > 360)
        .map((e) => e.className || e.tagName),
    );
    expect(wide).toEqual([]);
  });
});

for (const scheme of ['light', 'dark'])
  test(`axe finds nothing in the plans, ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await open_plans(page, kDense);
    await panel(page)
      .getByRole('checkbox', { name: /^Other numbers of GPUs/ })
      .check();
    await planned(page);
    await rows(page)
      .first()
      .getByRole('button', { name: /^Launch/ })
      .click();
    await expect(page.locator('.launch pre').first()).toBeVisible();
    for (const summary of await panel(page).locator('summary').all()) await summary.click();
    const { violations } = await new AxeBuilder({ page })
      .setLegacyMode(true)
      .include('#plans')
      .analyze();
    expect(
      violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)),
    ).toEqual([]);
  });
