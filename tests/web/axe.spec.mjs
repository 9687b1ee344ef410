// SPDX-License-Identifier: MIT
// axe finds nothing: each page, and the states of the calculator, in light and in dark.
import { kinds } from './site.mjs';
import { AxeBuilder } from './tools.mjs';
import { drawn, expect, field, numbers_of, open, problem, settled, test } from './fixtures.mjs';

// Only colours differ between the themes, and a few states have colours of their own.
const kThemes = { light: [], dark: ['color-contrast'] };
const kColourful = /mistake|unfolded|fit/;

/** axe speaks to the frame, which has no origin. */
const kToFrame = /target origin provided/;

async function clean(page, rules, part) {
  // Frames have tests of their own, so no second page is needed to put results together; only violations
  // are written up.
  const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'] });
  if (part) axe.include(part);
  if (rules.length) axe.withRules(rules);
  const { violations, passes } = await axe.analyze();
  expect(passes.length, 'rules that had something to look at').toBeGreaterThan(
    rules.length ? 0 : 10,
  );
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
  );
  expect(found).toEqual([]);
}

const kStates = {
  'with a mistake and a notice': async (page) => {
    await open(page, 'v=1&foo=1&model=nosuch&n=64');
    await field(page, 'run.tokens').fill('many');
    await expect(problem(page, 'run.tokens')).toBeVisible();
    await expect(problem(page, 'model.id')).toBeVisible();
  },
  'with a group, a stage and a number unfolded': async (page) => {
    await open(page);
    for (const part of ['details.group', '.work details.stage', 'details.step'])
      await page.locator(`${part} > summary`).first().click();
    await expect(page.locator('.rows').first()).toBeVisible();
    await expect(page.locator('.derivation').first()).toBeVisible();
  },
  'with a panel open': async (page) => {
    await open(page);
    await numbers_of(page, 'cost.total').first().click();
    await expect(page.getByRole('dialog')).toBeVisible();
  },
  'with charts as tables': async (page) => {
    await open(page);
    await drawn(page);
    for (const button of await page.locator('figure.chart figcaption button').all())
      await button.click();
    await expect(page.locator('figure.chart table').first()).toBeVisible();
  },
  'with the list of models open': async (page) => {
    await open(page);
    await page.getByRole('combobox', { name: 'Model' }).click();
    await page.getByRole('combobox', { name: 'Model' }).fill('llama');
    await expect(page.getByRole('option').first()).toBeVisible();
  },
  'with the import open, and what it could not read': async (page) => {
    await open(page);
    await page.getByRole('button', { name: 'Import config.json' }).click();
    await page.locator('#import-text').fill('{"hidden_size": 4');
    await expect(page.locator('.import .problem').first()).toBeVisible();
  },
  'with the memory of a pipeline as tables, which does not fit': async (page) => {
    await open(page, 'v=1&d=2026-11&n=128&tp=8&pp=16&zero=0&mbs=4&rc=none');
    for (const button of await page.locator('.memory button[aria-label$="table"]').all())
      await button.click();
    await expect(page.locator('.memory tfoot').first()).toBeVisible();
  },
  'serving something that does not fit': async (page) => {
    await open(page, 'v=1&task=serve&model=llama-3.1-405b&n=1');
    await expect(page.locator('.memory')).toContainText('too much');
    await drawn(page);
  },
  'with something to undo, which does not fit': async (page) => {
    await open(page, 'v=1&d=2026-11&n=8&tp=8');
    await page.locator('.tabs a').last().click();
    await expect(page.locator('.undo button')).toBeVisible();
  },
  'fine-tuning': async (page) => {
    await open(page, 'v=1&task=finetune&model=llama-3.1-8b&gpu=rtx-4090&n=1&method=qlora');
    await drawn(page);
  },
};

for (const [theme, rules] of Object.entries(kThemes))
  test.describe(theme, () => {
    test.beforeEach(({ page }) =>
      page.addInitScript((value) => {
        if (location.protocol === 'http:' && top === self)
          localStorage.setItem('envelope-theme', value);
      }, theme),
    );
    test.afterEach(({ page }) => expect(page.locator('html')).toHaveAttribute('data-theme', theme));

    for (const path of kinds())
      test(`/${path}`, async ({ page, seen }) => {
        if (path.startsWith('s/')) seen.allow(kToFrame);
        await page.goto(path || './');
        if (path === '') await drawn(page);
        else await settled(page);
        const folded = page.locator('main details > summary');
        if (path !== '' && (await folded.count()) > 0) await folded.first().click();
        await clean(page, rules);
      });

    test('the share dialog, each tab', async ({ page, seen }) => {
      seen.allow(kToFrame);
      await open(page, 'v=1&d=2026-11&n=16384&tp=8&pp=16&zero=1');
      await page.getByRole('button', { name: 'Share', exact: true }).first().click();
      const dialog = page.getByRole('dialog', { name: 'Share' });
      for (const tab of await dialog.getByRole('tab').all()) {
        await tab.click();
        if ((await tab.textContent())?.trim() === 'Open') {
          await dialog.getByRole('textbox').fill('v=1&n=64&tp=many&foo=3');
          await expect(dialog.locator('.problem').first()).toBeVisible();
        }
        await clean(page, rules, '.sharing');
      }
    });

    for (const [state, enter] of Object.entries(kStates)) {
      if (theme === 'dark' && !kColourful.test(state)) continue;
      test(state, async ({ page }) => {
        await enter(page);
        await clean(page, rules);
      });
    }
  });

test.describe('phone', () => {
  test.use({ viewport: { width: 360, height: 740 } });
  test('the calculator', async ({ page }) => {
    await open(page);
    await drawn(page);
    await clean(page, []);
  });
});
