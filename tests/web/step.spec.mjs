// SPDX-License-Identifier: MIT
// The step as predicted: its bar, the schedule of the pipeline, the roofline; the MFU, predicted or assumed;
// ranges and what they rest on; calibration; the whole run. All of it is compared with the core's answer.
import { AxeBuilder } from './tools.mjs';
import { expect, field, link_of, numbers_of, open, shows, test } from './fixtures.mjs';
import { ask } from './site.mjs';

const kPipeline = 'v=1&d=2026-11&n=4096&tp=8&pp=16&batch=2048&zero=1';
const kOne = 'v=1&d=2026-11&model=llama-3.1-8b&n=64&zero=3';
const kServe = 'v=1&d=2026-11&task=serve&model=llama-3.1-70b&n=8&tp=8';

const section = (page) => page.locator('.step-time');
const panel = (page, name) => section(page).locator('details.stage').filter({ hasText: name });
const chart = (page, id) => page.locator(`figure[data-chart="${id}"]`);
const number = ({ steps }, id) => steps.find((step) => step.id === id)?.value;
/** The parts are those that the formula of the step adds up. */
const parts_of = ({ steps }) => {
  const ids = steps.find(({ id }) => id === 'time.step').formula.split(' + ');
  return steps.filter(({ id, value }) => ids.includes(id) && value > 0);
};
const undo = (page) => page.locator('.undo').getByRole('button', { name: 'Undo' });

async function open_panel(page, name) {
  await panel(page, name).locator('summary').click();
  await expect(panel(page, name)).toHaveAttribute('open', '');
}

test.describe('the bar of the step', () => {
  for (const link of [kPipeline, kOne])
    test(`has the parts of the core, which make the whole step: ${link}`, async ({ page }) => {
      const answer = await ask('estimate', link);
      const total = number(answer, 'time.step');
      const parts = parts_of(answer);
      expect(parts.length).toBeGreaterThan(4);
      const sum = parts.reduce((all, { value }) => all + value, 0);
      expect(Math.abs(sum / total - 1)).toBeLessThan(1e-9);
      await open(page, link);
      const drawn = await section(page)
        .locator('svg.bar')
        .evaluate((svg) => {
          const { width } = svg.getBoundingClientRect();
          return [...svg.querySelectorAll('rect.part')].map((rect) => [
            rect.classList[1].replace('-', '.'),
            rect.getBoundingClientRect().width / width,
          ]);
        });
      const expected = new Map(parts.map(({ id, value }) => [id, value / total]));
      expect(new Set(drawn.map(([id]) => id))).toEqual(new Set(expected.keys()));
      for (const [id, share] of drawn)
        expect(Math.abs(share - expected.get(id)), id).toBeLessThan(0.004);
      await expect(section(page).locator('.legend > li')).toHaveCount(parts.length);
    });

  test('turns into a table of the same parts', async ({ page }) => {
    const parts = parts_of(await ask('estimate', kPipeline));
    await open(page, kPipeline);
    await section(page).getByRole('button', { name: 'Step time: table' }).click();
    await expect(section(page).locator('svg.bar')).toHaveCount(0);
    await expect(section(page).locator('tbody tr')).toHaveCount(parts.length);
    await expect(section(page).locator('tfoot')).toContainText('Together');
  });

  test('says what limits the step, once', async ({ page }) => {
    const { findings } = await ask('estimate', kPipeline);
    const found = findings.find(({ code }) => code === 'step_limits');
    expect(found).toBeDefined();
    await open(page, kPipeline);
    const words = found.message.filter((part) => typeof part === 'string');
    for (const text of words)
      await expect(section(page).locator('.limits-step')).toContainText(text.trim());
    await expect(page.locator('.findings')).not.toContainText(words[0].trim());
  });

  test('follows an edit', async ({ page }) => {
    await open(page, kPipeline);
    await field(page, 'cluster.gpus').fill('2048');
    const { patch } = await ask('open', kPipeline);
    await shows(page, JSON.stringify({ ...patch, 'cluster.gpus': 2048 }));
  });

  test('is not there where there is no step', async ({ page }) => {
    await open(page, kServe);
    await expect(section(page)).toHaveCount(0);
  });
});

test.describe('the MFU', () => {
  test('is predicted, stands beside that of published runs, and can be assumed and predicted again', async ({
    page,
  }) => {
    const answer = await ask('estimate', kPipeline);
    await open(page, kPipeline);
    await expect(section(page).locator('.mfu')).toContainText('predicted');
    for (const id of ['time.mfu', 'time.published_mfu'])
      await expect(section(page).locator(`.mfu [data-metric="${id}"]`)).toHaveAttribute(
        'title',
        new RegExp(`: ${number(answer, id)}\\.`),
      );
    await section(page).getByRole('button', { name: 'Assume an MFU instead' }).click();
    await expect(field(page, 'run.mfu')).toBeFocused();
    await expect(section(page).locator('.mfu')).toContainText('assumed by you');
    const assumed = Number(number(answer, 'time.mfu').toPrecision(3));
    const { patch } = await ask('open', kPipeline);
    await shows(page, JSON.stringify({ ...patch, 'run.mfu': assumed }));
    await expect(section(page).locator('svg.bar')).toHaveCount(0);
    await section(page).getByRole('button', { name: 'Predict it' }).click();
    await shows(page, kPipeline);
    await expect(section(page).locator('.mfu')).toContainText('predicted');
  });
});

test.describe('a range', () => {
  test('stands behind its number and says what it rests on', async ({ page }) => {
    const answer = await ask('estimate', kPipeline);
    expect(number(answer, 'time.total_low')).toBeLessThan(number(answer, 'time.total'));
    expect(number(answer, 'time.total_high')).toBeGreaterThan(number(answer, 'time.total'));
    await open(page, kPipeline);
    const card = page.locator('.card').filter({ hasText: 'Time' });
    await expect(card.locator('.band')).toHaveText(/^\(\d.*\d.*\)$/);
    await card.locator('.band').click();
    await expect(page.locator('#band-note')).toContainText(/runs|rows/);
    await expect(card.locator('.band')).toHaveAttribute('aria-expanded', 'true');
    await card.locator('.band').click();
    await expect(page.locator('#band-note')).toHaveCount(0);
  });
});

test.describe('the timeline of a pipeline', () => {
  test('draws every pass that the core places, in the row of its stage', async ({ page, seen }) => {
    const { timeline } = await ask('step', kPipeline);
    expect(timeline.stages).toBe(16);
    await open(page, kPipeline);
    expect(
      seen.requests.filter((url) => /panels/.test(url)),
      'loaded later',
    ).toEqual([]);
    await open_panel(page, 'Timeline');
    await expect(chart(page, 'timeline').locator('svg.plot')).toBeVisible();
    const boxes = await chart(page, 'timeline')
      .locator('path.pass')
      .evaluateAll((all) => all.map((path) => path.getAttribute('d').split('M').length - 1));
    expect(boxes.reduce((a, b) => a + b, 0)).toBe(timeline.slots.length);
    await expect(chart(page, 'timeline')).toContainText(`${timeline.micro_batches} micro-batches`);
    await expect(chart(page, 'timeline').locator('[data-metric="step.bubble"]')).toBeVisible();
  });

  test('is read by arrow keys, and as a table', async ({ page }) => {
    const { timeline } = await ask('step', kPipeline);
    await open(page, kPipeline);
    await open_panel(page, 'Timeline');
    await chart(page, 'timeline').getByRole('img').focus();
    await page.keyboard.press('ArrowRight');
    const read = chart(page, 'timeline').locator('.read');
    await expect(read).toHaveText(/^\s*Stage 1: forward of micro-batch 1, from 0/);
    await page.keyboard.press('ArrowDown');
    await expect(read).toHaveText(/^\s*Stage 2: forward of micro-batch/);
    await chart(page, 'timeline').getByRole('button', { name: /table/ }).click();
    await expect(chart(page, 'timeline').locator('tbody tr')).toHaveCount(timeline.stages);
    await expect(chart(page, 'timeline').locator('tbody tr').first()).toContainText('F1 F2');
  });

  test('is there only with a pipeline', async ({ page }) => {
    await open(page, kOne);
    await expect(panel(page, 'Roofline')).toHaveCount(1);
    await expect(panel(page, 'Timeline')).toHaveCount(0);
  });
});

test.describe('the roofline', () => {
  test('has a point and a row for each operation, none above the roof', async ({ page }) => {
    const { roofline } = await ask('step', kOne);
    const shown = roofline.operations.filter(({ intensity, rate }) => intensity > 0 && rate > 0);
    expect(shown.length).toBeGreaterThan(4);
    await open(page, kOne);
    await open_panel(page, 'Roofline');
    await expect(chart(page, 'roofline').locator('circle')).toHaveCount(shown.length);
    await expect(chart(page, 'roofline').locator('.roof-name')).toHaveCount(roofline.peaks.length);
    for (const { intensity, rate } of shown)
      expect(rate).toBeLessThanOrEqual(roofline.bandwidth * intensity * 1.001);
    await chart(page, 'roofline').getByRole('button', { name: /table/ }).click();
    await expect(chart(page, 'roofline').locator('tbody tr')).toHaveCount(
      roofline.operations.length,
    );
  });

  test('has labels that keep off each other', async ({ page }) => {
    await open(page, kOne);
    await open_panel(page, 'Roofline');
    await expect(chart(page, 'roofline').locator('circle').first()).toBeVisible();
    const boxes = await chart(page, 'roofline')
      .locator('.operation text, .roof-name')
      .evaluateAll((all) =>
        all.map((text) => {
          const { left, right, top, bottom } = text.getBoundingClientRect();
          return { text: text.textContent, left, right, top: top + 2, bottom: bottom - 2 };
        }),
      );
    expect(boxes.length).toBeGreaterThan(5);
    for (const [i, a] of boxes.entries())
      for (const b of boxes.slice(i + 1))
        expect(
          Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1,
          `${a.text} on ${b.text}`,
        ).toBe(false);
  });

  test('follows an edit while it is open', async ({ page }) => {
    await open(page, kOne);
    await open_panel(page, 'Roofline');
    const name = chart(page, 'roofline').locator('.roof-name').first();
    const before = await name.textContent();
    await page.goto(`./#${kOne}&gpu=a100-sxm-80gb`);
    await expect(name).not.toHaveText(before);
  });
});

test.describe('calibration', () => {
  const dialog = (page) => page.getByRole('dialog', { name: 'Calibrate with a measurement' });

  test('a measured step sets one constant, which is in the link, can be undone and removed', async ({
    page,
  }) => {
    const answer = await ask('estimate', kPipeline);
    const value = Number((number(answer, 'time.step') * 1.2).toPrecision(4));
    const { patch, link } = await ask(
      'calibrate',
      JSON.stringify({ scenario: kPipeline, quantity: 'step_s', value }),
    );
    expect(Object.keys(patch)).toEqual(['stack.overhead']);
    await open(page, kPipeline);
    await section(page)
      .getByRole('button', { name: /You measured it/ })
      .click();
    await expect(dialog(page).getByRole('textbox')).toBeFocused();
    await page.keyboard.type(String(value));
    await page.keyboard.press('Enter');
    await expect(dialog(page)).toBeHidden();
    await shows(page, link);
    await expect.poll(() => link_of(page)).toBe(link);
    await expect(section(page).locator('.calibrated')).toContainText('Calibrated');
    await undo(page).click();
    await shows(page, kPipeline);
    await expect(section(page).locator('.calibrated')).toHaveCount(0);
    await page.getByRole('button', { name: 'Redo' }).click();
    await shows(page, link);
    await section(page).getByRole('button', { name: 'Remove' }).click();
    await shows(page, kPipeline);
  });

  test('says why a measurement cannot be, and takes another quantity', async ({ page }) => {
    const { problems } = await ask(
      'calibrate',
      JSON.stringify({ scenario: kPipeline, quantity: 'step_s', value: 0.001 }),
    );
    expect(problems.length).toBeGreaterThan(0);
    await open(page, kPipeline);
    await section(page)
      .getByRole('button', { name: /You measured it/ })
      .click();
    const box = dialog(page).getByRole('textbox');
    await box.fill('fast');
    await page.keyboard.press('Enter');
    await expect(dialog(page)).toContainText('no positive number');
    await box.fill('0.001');
    await page.keyboard.press('Enter');
    await expect(dialog(page)).toContainText(problems[0].hint);
    const mfu = number(await ask('estimate', kPipeline), 'time.mfu') * 0.9;
    await dialog(page).getByRole('radio', { name: 'MFU' }).check();
    await box.fill(`${(100 * mfu).toFixed(2)} %`);
    await dialog(page).getByRole('button', { name: 'Calibrate' }).click();
    await expect(dialog(page)).toBeHidden();
    await expect(section(page).locator('.calibrated')).toBeVisible();
  });
});

test('the whole run has its interruptions as named factors, which can be edited', async ({
  page,
}) => {
  const answer = await ask('estimate', kPipeline);
  await open(page, kPipeline);
  for (const id of ['time.wall', 'goodput', 'goodput.lost', 'goodput.failures'])
    await expect(section(page).locator(`.whole [data-metric="${id}"]`)).toHaveAttribute(
      'title',
      new RegExp(`: ${number(answer, id)}\\.`),
    );
  await expect(numbers_of(page, 'time.wall').first()).toBeVisible();
});

test('a layout that cannot run has the nearest legal values as buttons, which can be undone', async ({
  page,
}) => {
  const bad = 'v=1&d=2026-11&model=llama-3.1-8b&n=64&tp=3';
  const { problems } = await ask('estimate', bad);
  const found = problems.find(({ path }) => path === 'cluster.tp');
  expect(found.patches.length).toBeGreaterThan(0);
  await open(page, bad);
  const said = page.locator('.answer .waiting');
  await expect(said).toContainText(found.message);
  await said.getByRole('button', { name: found.patches[0].label, exact: true }).first().click();
  const { patch } = await ask('open', bad);
  await shows(page, JSON.stringify({ ...patch, ...found.patches[0].patch }));
  await expect(page.locator('.undo')).toContainText(found.patches[0].label);
  await undo(page).click();
  await shows(page, bad);
  await expect(said).toContainText(found.message);
});

test.describe('on a narrow phone', () => {
  test.use({ viewport: { width: 280, height: 700 } });
  test('nothing of the step is wider than the screen', async ({ page }) => {
    await open(page, kPipeline);
    await open_panel(page, 'Timeline');
    await expect(chart(page, 'timeline').locator('svg.plot')).toBeVisible();
    await open_panel(page, 'Roofline');
    await expect(chart(page, 'roofline').locator('svg.plot')).toBeVisible();
    const width = () => page.evaluate(() => document.documentElement.scrollWidth);
    expect(await width()).toBeLessThanOrEqual(280);
    for (const button of await section(page).locator('button[aria-label$="table"]').all())
      await button.click();
    expect(await width()).toBeLessThanOrEqual(280);
  });
});

for (const scheme of ['light', 'dark'])
  test(`axe finds nothing in the step and its panels, ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await open(page, kPipeline);
    await open_panel(page, 'Timeline');
    await open_panel(page, 'Roofline');
    await expect(chart(page, 'roofline').locator('circle').first()).toBeVisible();
    const look = async (part) => {
      const { violations } = await new AxeBuilder({ page })
        .setLegacyMode(true)
        .include(part)
        .analyze();
      expect(
        violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)),
      ).toEqual([]);
    };
    await look('.step-time');
    await page.locator('.card .band').first().click();
    await look('#numbers');
    await look('#memory');
    await section(page)
      .getByRole('button', { name: /You measured it/ })
      .click();
    await look('dialog.calibrate');
  });
