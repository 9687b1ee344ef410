// SPDX-License-Identifier: MIT
// axe finds nothing: each page in light and dark, and the states of the calculator.
import { pages } from './site.mjs';
import { AxeBuilder } from './tools.mjs';
import { expect, field, live, numbers_of, open, problem, test } from './fixtures.mjs';

async function clean(page) {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  expect(passes.length).toBeGreaterThan(10);
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html, target }) => `${target} ${html.slice(0, 120)}`).join(' | ')}`),
  ).toEqual([]);
}

const kStates = {
  'with a mistake and a notice': async (page) => {
    await open(page, 'v=1&foo=1&model=nosuch&n=64');
    await field(page, 'run.tokens').fill('many');
    await expect(problem(page, 'run.tokens')).toBeVisible();
    await expect(problem(page, 'model.id')).toBeVisible();
  },
  'with everything unfolded': async (page) => {
    await open(page);
    await page.locator('details').evaluateAll((all) => all.forEach((d) => (d.open = true)));
    await expect(page.locator('details.step').first()).toBeVisible();
    for (const step of await page.locator('details.step > summary').all().then((all) => all.slice(0, 6)))
      await step.click();
    await expect(page.locator('.derivation').first()).toBeVisible();
  },
  'with a panel open': async (page) => {
    await open(page);
    await numbers_of(page, 'cost.total').first().click();
    await expect(page.getByRole('dialog')).toBeVisible();
  },
  'with charts as tables': async (page) => {
    await open(page);
    for (const button of await page.locator('figure.chart').getByRole('button').all())
      await button.click();
    await expect(page.locator('figure.chart table').first()).toBeVisible();
  },
  'with the list of models open': async (page) => {
    await open(page);
    await page.getByRole('combobox', { name: 'Model' }).click();
    await expect(page.getByRole('option').first()).toBeVisible();
  },
  'serving something that does not fit': async (page) => {
    await open(page, 'v=1&task=serve&model=llama-3.1-405b&n=1');
    await expect(page.locator('.memory')).toContainText('too much');
  },
  'fine-tuning': async (page) => {
    await open(page, 'v=1&task=finetune&model=llama-3.1-8b&gpu=rtx-4090&n=1&method=qlora');
  },
};

for (const theme of ['light', 'dark']) {
  test.describe(theme, () => {
    test.beforeEach(({ page }) =>
      page.addInitScript((value) => localStorage.setItem('envelope-theme', value), theme),
    );
    for (const path of pages())
      test(`/${path}`, async ({ page }) => {
        await page.goto(path || './');
        if (path === '') await live(page);
        else await page.waitForLoadState('networkidle');
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        await page.locator('details').evaluateAll((all) => all.forEach((d) => (d.open = true)));
        await clean(page);
      });
    for (const [state, enter] of Object.entries(kStates))
      test(state, async ({ page }) => {
        await enter(page);
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        await clean(page);
      });
  });
}

test.describe('phone', () => {
  test.use({ viewport: { width: 360, height: 740 } });
  test('the calculator', async ({ page }) => {
    await open(page);
    await clean(page);
  });
});
