// SPDX-License-Identifier: MIT
// Asking for another input: what is shown, what stays, what the link holds, and the ways out. The values
// are compared with the core's.
import { ask } from './site.mjs';
import { expect, field, first_link, link_of, live, open, shows, test } from './fixtures.mjs';
import { AxeBuilder } from './tools.mjs';

const kFirst = await first_link();
const circle = (page, what) => page.locator(`input[name="ask"][value="${what}"]`);
const choose = async (page, what) => {
  await circle(page, what).click();
  await expect(circle(page, what)).toBeChecked();
};
const said = (page) => page.locator('.answer p.verdict').nth(1);
const way = (page, name) => page.locator('.answer .remedies').getByRole('button', { name });
/** Waits until the page answers what its link asks, and gives the core's answer. */
async function answered(page, some) {
  let answer;
  await expect
    .poll(async () => {
      answer = await ask('estimate', link_of(page));
      return some(answer);
    })
    .toBe(true);
  await shows(page, link_of(page));
  return answer;
}
const solves = (path) => (answer) => answer.solved?.path === path;

test.describe('asking', () => {
  test('is for time and cost at first, which are then no inputs', async ({ page }) => {
    await open(page);
    await expect(circle(page, 'first')).toBeChecked();
    const time = page.locator('#r-first');
    await expect(page.getByLabel('Time', { exact: true })).toHaveValue(/\d+\sd/);
    await expect(page.getByText('Worked out from the rest').first()).toBeHidden();
    await time.focus();
    await expect(page.getByText('Worked out from the rest').first()).toBeVisible();
    await expect(time).not.toBeEditable();
    await expect(field(page, 'run.deadline')).toHaveCount(0);
  });

  test('for GPUs gives a sensible answer at once', async ({ page }) => {
    await open(page);
    await choose(page, 'gpus');
    const { solved, inputs } = await answered(page, solves('cluster.gpus'));
    expect(solved.met).toBe(true);
    await expect(field(page, 'cluster.gpus')).toHaveValue(solved.value.toLocaleString('en-US'));
    await expect(said(page)).toContainText(solved.message);
    await expect(circle(page, 'gpus'), 'the focus stays').toBeFocused();
    const days = inputs['run.deadline'] / 86400;
    expect(Number.isInteger(days)).toBe(true);
    await expect(field(page, 'run.deadline')).toHaveValue(`${days} d`);
  });

  test('follows its limits at each keystroke', async ({ page }) => {
    await open(page);
    await choose(page, 'tokens');
    await answered(page, solves('run.tokens'));
    await field(page, 'run.deadline').fill('30 d');
    const first = await answered(page, (a) => a.inputs['run.deadline'] === 30 * 86400);
    await field(page, 'solve.usd').fill('$2M');
    const second = await answered(page, (a) => a.inputs['solve.usd'] === 2e6);
    expect(second.solved.binding).toBe('cost');
    expect(second.solved.value).toBeLessThan(first.solved.value);
    await expect(said(page)).toContainText(second.solved.message);
  });

  for (const what of ['tokens', 'params', 'gpus', 'seq', 'batch'])
    test(`for ${what} of a run never ends without an answer or a way out`, async ({ page }) => {
      await open(page);
      await choose(page, what);
      const { solved } = await answered(page, (a) => a.solved !== undefined);
      await expect(field(page, solved.path)).not.toBeEditable();
      await expect(said(page)).toContainText(solved.message);
      expect(solved.met, solved.message).toBe(true);
    });

  for (const what of ['params', 'gpus', 'seq', 'batch'])
    test(`for ${what} of a server`, async ({ page }) => {
      await open(page, 'v=1&task=serve&model=llama-3.1-70b&n=8');
      await choose(page, what);
      const { solved } = await answered(page, (a) => a.solved !== undefined);
      await expect(said(page)).toContainText(solved.message);
      expect(solved.met, solved.message).toBe(true);
    });

  test('loses nothing that was typed', async ({ page }) => {
    await open(page, 'v=1&d=2026-11&model=llama-3.1-8b&tokens=2e12&n=1024');
    await choose(page, 'gpus');
    await answered(page, solves('cluster.gpus'));
    await field(page, 'run.deadline').fill('60 d');
    await answered(page, (a) => a.inputs['run.deadline'] === 60 * 86400);
    await choose(page, 'tokens');
    await answered(page, solves('run.tokens'));
    await expect(field(page, 'cluster.gpus')).toHaveValue('1024');
    await expect(field(page, 'run.deadline')).toHaveValue('60 d');
    await choose(page, 'first');
    const { inputs } = await answered(page, (a) => a.solved === undefined);
    expect(inputs['run.tokens']).toBe(2e12);
    expect(inputs['cluster.gpus']).toBe(1024);
    await choose(page, 'gpus');
    await expect(field(page, 'run.deadline')).toHaveValue('60 d');
  });

  test('of a model works out its size, and gives the model back', async ({ page }) => {
    await open(page);
    await choose(page, 'params');
    await answered(page, solves('model.params'));
    await expect(field(page, 'model.id')).toHaveValue('Llama 3.1 405B');
    await choose(page, 'second');
    await answered(page, (a) => a.solved === undefined);
    await expect(field(page, 'model.id')).toHaveValue('Llama 3.1 405B');
    await expect(circle(page, 'second')).toBeChecked();
  });

  test('is undone by one click', async ({ page }) => {
    await open(page, kFirst);
    await choose(page, 'gpus');
    await answered(page, solves('cluster.gpus'));
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(() => link_of(page)).toBe(kFirst);
    await expect(circle(page, 'first')).toBeChecked();
  });

  test('is in the link', async ({ page }) => {
    await open(page, 'v=1&model=llama-3.1-8b&deadline=60d&solve=gpus');
    const { solved } = await ask('estimate', link_of(page));
    await expect(circle(page, 'gpus')).toBeChecked();
    await expect(field(page, 'cluster.gpus')).toHaveValue(String(solved.value));
    await page.reload();
    await live(page);
    await expect(circle(page, 'gpus')).toBeChecked();
    await expect(said(page)).toContainText(solved.message);
  });

  test('by keyboard goes from one to the next', async ({ page }) => {
    await open(page);
    await circle(page, 'first').focus();
    await page.keyboard.press('ArrowUp');
    await answered(page, solves('cluster.gpus'));
    await expect(circle(page, 'gpus')).toBeFocused();
    await page.keyboard.press('ArrowUp');
    await answered(page, solves('run.tokens'));
    await expect(circle(page, 'tokens')).toBeFocused();
  });
});

test.describe('without a solution', () => {
  const kNone = 'v=1&d=2026-11&deadline=2.592e6&solve=gpus';

  test('the nearest is shown, and what stands in the way', async ({ page }) => {
    await open(page, kNone);
    const { solved } = await ask('estimate', kNone);
    expect(solved.met).toBe(false);
    await expect(said(page)).toContainText(solved.message);
    await expect(said(page)).toHaveClass(/warning/);
    await shows(page, kNone);
  });

  test('the limit can be moved to what is possible', async ({ page }) => {
    await open(page, kNone);
    await way(page, /^Allow/).click();
    const { solved } = await answered(page, (a) => a.solved?.met === true);
    expect(solved.binding).toBe('time');
  });

  test('or left out', async ({ page }) => {
    await open(page, kNone);
    await way(page, 'Without the deadline').click();
    const { inputs } = await answered(page, (a) => typeof a.inputs['run.deadline'] !== 'number');
    expect(inputs['solve.unknown']).toBe('gpus');
  });

  test('or the nearest kept', async ({ page }) => {
    await open(page, kNone);
    const { solved } = await ask('estimate', kNone);
    await way(page, /^Keep/).click();
    await expect.poll(() => link_of(page)).toBe(solved.link);
    await expect(field(page, 'cluster.gpus')).toHaveValue(String(solved.value));
  });

  test('and where nothing limits it, a limit is offered', async ({ page }) => {
    await open(page, 'v=1&n=16384&tp=8&pp=16&solve=tokens');
    await way(page, /as now$/).click();
    const { solved } = await answered(page, (a) => a.solved?.met === true);
    expect(solved.value).toBeGreaterThan(0);
  });
});

test('an unknown is compared like any other scenario', async ({ page }) => {
  const link = 'v=1&d=2026-11&n=16384&tp=8&pp=16&b.deadline=86.4e6&b.solve=gpus';
  await open(page, link);
  const found = await ask('compare', JSON.stringify({ scenarios: [link] }));
  const { values } = found.metrics.find(({ id }) => id === 'gpus.used');
  const table = page.getByRole('group', { name: 'Comparison' });
  await expect(table.getByRole('columnheader').nth(1)).toContainText('Solve for GPUs');
  for (const value of values)
    await expect(table.getByRole('row', { name: /^GPUs/ }).last()).toContainText(
      value.toLocaleString('en-US'),
    );
});

for (const colorScheme of ['light', 'dark'])
  test(`what is asked for passes axe, ${colorScheme}`, async ({ page, browserName }) => {
    test.skip(browserName === 'firefox' && colorScheme === 'dark', 'no emulation over BiDi');
    await page.emulateMedia({ colorScheme });
    await open(page, 'v=1&d=2026-11&deadline=2.592e6&solve=gpus');
    await expect(said(page)).toBeVisible();
    const { violations } = await new AxeBuilder({ page })
      .include('#top')
      .include('#form')
      .analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map((n) => n.html)])).toEqual([]);
  });

test('on a phone nothing is wider than the screen', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, 'v=1&d=2026-11&deadline=2.592e6&solve=gpus');
  await expect(said(page)).toBeVisible();
  await expect(circle(page, 'gpus')).toBeVisible();
  const size = await circle(page, 'tokens').locator('..').boundingBox();
  expect(size.height).toBeGreaterThanOrEqual(24);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(360);
});
