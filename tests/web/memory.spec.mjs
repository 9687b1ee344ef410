// SPDX-License-Identifier: MIT
// The memory of each rank: bars of rank classes, the stages of a pipeline, the moments of a step, the
// least GPUs, the presets of frameworks. All of it is compared with the core's answer.
import { expect, field, link_of, open, shows, test } from './fixtures.mjs';
import { ask } from './site.mjs';

const kPipeline = 'v=1&d=2026-11&n=16384&tp=8&pp=16&zero=1';
const kOne = 'v=1&d=2026-11&model=llama-3.1-8b&n=8&zero=3';
const kTooMuch = 'v=1&d=2026-11&n=8&tp=8';
const kServe = 'v=1&d=2026-11&task=serve&model=llama-3.1-70b&n=8&tp=8';

const suffix = (id) => id.slice(id.indexOf('.') + 1);
const chart = (page, id) => page.locator(`figure[data-chart="${id}"]`);

/** [part, share of the capacity] of each coloured rectangle of a bar. */
const drawn_parts = (bar) =>
  bar.evaluate((svg) => {
    const left = svg.getBoundingClientRect().left;
    const line = svg.querySelector('line.capacity').getBoundingClientRect();
    const capacity = line.left + line.width / 2 - left;
    return [...svg.querySelectorAll('rect.part')].map((rect) => [
      rect.classList[1],
      rect.getBoundingClientRect().width / capacity,
    ]);
  });

async function as_answered(bar, of, { capacity, parts }) {
  const found = await drawn_parts(bar);
  const expected = parts.filter((id) => of.parts[id]).map((id) => [suffix(id), of.parts[id] / capacity]);
  expect(found.map(([part]) => part)).toEqual(expected.map(([part]) => part));
  for (const [i, [part, share]] of expected.entries())
    expect(Math.abs(found[i][1] - share), part).toBeLessThan(0.004);
}

test('a pipeline has bars for its first, middle and last stages', async ({ page }) => {
  const { memory } = await ask('estimate', kPipeline);
  expect(memory.stages.length).toBe(16);
  await open(page, kPipeline);
  const bars = page.locator('.ranks li');
  await expect(bars).toHaveCount(3);
  const middle = memory.stages.slice(1, -1).reduce((a, b) => (b.total > a.total ? b : a));
  for (const [i, stage] of [memory.stages[0], middle, memory.stages[15]].entries())
    await as_answered(bars.nth(i).locator('svg.bar'), stage, memory);
  await expect(bars.nth(1)).toContainText('Stages 2–15');
});

test('without a pipeline there is one bar', async ({ page }) => {
  const { memory } = await ask('estimate', kOne);
  await open(page, kOne);
  await expect(page.locator('.memory svg.bar')).toHaveCount(1);
  await as_answered(page.locator('.memory svg.bar'), memory.stages[0], memory);
  await expect(chart(page, 'stages')).toHaveCount(0);
});

test('each stage and each moment is a column that can be read', async ({ page }) => {
  const { memory } = await ask('estimate', kPipeline);
  await open(page, kPipeline);
  for (const [id, list] of [
    ['stages', memory.stages],
    ['moments', memory.timeline],
  ]) {
    await expect(chart(page, id).locator('svg.columns > .column')).toHaveCount(list.length);
    const heights = await chart(page, id)
      .locator('svg.columns > .column')
      .evaluateAll((all) =>
        all.map((g) =>
          [...g.querySelectorAll('rect.part')].reduce(
            (sum, rect) => sum + rect.getBoundingClientRect().height,
            0,
          ),
        ),
      );
    const most = Math.max(...list.map(({ total }) => total));
    for (const [i, { total }] of list.entries())
      expect(Math.abs(heights[i] / Math.max(...heights) - total / most), `${id} ${i}`).toBeLessThan(0.02);
    await chart(page, id).locator('.columns-box').focus();
    await page.keyboard.press('ArrowRight');
    const name = id === 'stages' ? 'Stage 1 of 16' : list[0].label;
    await expect(chart(page, id).locator('.read')).toContainText(name);
  }
});

test('the tables hold every number of the charts', async ({ page }) => {
  const { memory } = await ask('estimate', kPipeline);
  await open(page, kPipeline);
  for (const [id, list] of [
    ['stages', memory.stages],
    ['moments', memory.timeline],
  ]) {
    await chart(page, id).getByRole('button').click();
    const there = memory.parts.filter((part) => list.some(({ parts }) => parts[part]));
    await expect(chart(page, id).locator('tbody tr')).toHaveCount(there.length);
    await expect(chart(page, id).locator('thead th')).toHaveCount(1 + list.length);
    await expect(chart(page, id).locator('tfoot td')).toHaveCount(list.length);
  }
});

test('GB and GiB are both said', async ({ page }) => {
  await open(page, kOne);
  await expect(page.locator('.memory')).toContainText('80.0 GiB');
  await page.locator('.memory .bar-head button').last().click();
  await expect(page.locator('.memory thead')).toContainText(/GB\s*GiB/);
});

test('the least GPUs of a legal layout are one click away', async ({ page }) => {
  const { memory } = await ask('estimate', kPipeline);
  await open(page, kPipeline);
  await expect(page.locator('.limits')).toContainText(memory.least.label);
  await page.locator('.limits').getByRole('link', { name: 'Use it' }).click();
  await expect.poll(() => link_of(page)).toBe(memory.least.link);
  await shows(page, memory.least.link);
  await expect(page.locator('.limits')).toContainText('as here');
});

test('remedies say what they do to memory and to time', async ({ page }) => {
  const { verdict } = await ask('estimate', kTooMuch);
  expect(verdict.remedies.length).toBeGreaterThan(0);
  await open(page, kTooMuch);
  const buttons = page.locator('.answer .remedies a');
  await expect(buttons).toHaveCount(verdict.remedies.length);
  for (const [i, { per_gpu, fits, work }] of verdict.remedies.entries()) {
    if (per_gpu) await expect(buttons.nth(i)).toContainText('per GPU');
    if (fits) await expect(buttons.nth(i)).toContainText('fits');
    const percent = work ? Math.round((work - 1) * 100) : 0;
    if (percent) await expect(buttons.nth(i)).toContainText(`${Math.abs(percent)}\u00a0% work`);
  }
});

test('serving says the largest batch and the longest context that fit', async ({ page }) => {
  const { steps } = await ask('estimate', kServe);
  await open(page, kServe);
  for (const id of ['serving.max_batch', 'serving.max_context']) {
    const { value } = steps.find((step) => step.id === id);
    await expect(page.locator(`.limits [data-metric="${id}"]`)).toHaveAttribute(
      'title',
      new RegExp(`: ${value}\\.`),
    );
  }
});

test('a framework is chosen by name, and what it sets can be found', async ({ page }) => {
  const { stacks } = await ask('schema');
  const stack = stacks[stacks.length - 2];
  await open(page, kOne);
  await page.getByRole('searchbox', { name: 'Find another input' }).fill('framework');
  const box = field(page, 'stack.id');
  await box.click();
  await expect(page.locator('[id="l-stack.id"] [role="option"]')).toHaveCount(stacks.length);
  await box.fill(stack.name);
  await page.keyboard.press('Enter');
  // The page holds what differs from the defaults, to which the framework's own are added.
  const shown = await ask('open', kOne);
  const { link } = await ask('estimate', `${shown.link}&stack=${stack.id}`);
  await expect.poll(() => link_of(page)).toBe(link);
  await shows(page, link);
});

test('inputs are found by words, and the form is as before when the words go', async ({ page }) => {
  await open(page, kOne);
  const groups = page.locator('details.group');
  const before = await groups.count();
  const find = page.getByRole('searchbox', { name: 'Find another input' });
  await find.fill('cluster.zero');
  await expect(field(page, 'cluster.zero')).toBeVisible();
  await expect(page.locator('.rows .field')).toHaveCount(1);
  await find.fill('nosuchinput');
  await expect(groups).toHaveCount(0);
  await expect(page.locator('form.inputs')).toContainText('No other input');
  await find.fill('');
  await expect(groups).toHaveCount(before);
  await expect(page.locator('details.group[open]')).toHaveCount(0);
});

test.describe('on a narrow phone', () => {
  test.use({ viewport: { width: 320, height: 700 } });
  test('nothing is wider than the screen, tables included', async ({ page }) => {
    await open(page, kPipeline);
    for (const button of await page.locator('.memory button[aria-label$="table"]').all())
      await button.click();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(320);
  });
});
