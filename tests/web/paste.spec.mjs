// SPDX-License-Identifier: MIT
// A scenario that is pasted, and the way back from it and from every other jump.
import { expect, field, first_link, link_of, open, shows, test } from './fixtures.mjs';
import { ask, patched } from './site.mjs';

const kFirst = await first_link();

const dialog = (page) => page.getByRole('dialog', { name: 'Share' });
const button = (page, name) => dialog(page).getByRole('button', { name, exact: true });
const area = (page, id) => dialog(page).locator(`#share-${id}`);
const undo = (page) => page.locator('.undo').getByRole('button');

async function start(page, name) {
  await page.getByRole('button', { name: 'Share', exact: true }).first().click();
  await dialog(page).getByRole('tab', { name, exact: true }).click();
}

/** As if the text were pasted on the page, outside of an input. */
const paste = (page, text) =>
  page.evaluate((pasted) => {
    const event = new Event('paste', { bubbles: true, cancelable: true });
    event.clipboardData = { getData: () => pasted };
    document.body.dispatchEvent(event);
  }, text);

test.describe('a scenario comes in', () => {
  const kPasted = 'v=1&task=serve&model=llama-3.1-8b&n=2';

  test('pasted on the page, and can be undone and redone', async ({ page }) => {
    await open(page);
    await field(page, 'run.tokens').fill('2T');
    const mine = await patched(kFirst, { 'run.tokens': '2T' });
    await shows(page, mine);
    await paste(page, `See [this](https://elsewhere.example/path/#${kPasted}) for more`);
    await shows(page, kPasted);
    await expect.poll(() => link_of(page)).toBe((await ask('estimate', kPasted)).link);
    await expect(page.locator('.undo')).toContainText('Replaced: Training Llama 3.1 405B on 2.00T');
    await undo(page).focus();
    await page.keyboard.press('Enter');
    await shows(page, mine);
    await expect(field(page, 'run.tokens')).toHaveValue('2T');
    await expect.poll(() => link_of(page)).toBe((await ask('estimate', mine)).link);
    await expect(undo(page)).toHaveText('Redo');
    await expect(undo(page)).toBeFocused();
    await page.keyboard.press('Enter');
    await shows(page, kPasted);
    await expect(undo(page)).toHaveText('Undo');
  });

  test('by the keys of a real paste', async ({ page }) => {
    await open(page);
    await field(page, 'run.tokens').fill(`#${kPasted}`);
    await field(page, 'run.tokens').press('Control+A');
    await field(page, 'run.tokens').press('Control+X');
    await shows(page, kFirst);
    await field(page, 'run.tokens').blur();
    await page.keyboard.press('Control+V');
    await shows(page, kPasted);
  });

  test('in the dialog, as the JSON that the page gave away', async ({ page }) => {
    await open(page, kPasted);
    await start(page, 'Files');
    const json = await area(page, 'json').inputValue();
    await page.goto('about:blank');
    await open(page);
    await start(page, 'Open');
    await expect(button(page, 'Open')).toBeDisabled();
    await area(page, 'open').fill(json.replace(/"link": "[^"]*"/, '"link": ""'));
    await expect(dialog(page)).toContainText('3 inputs read.');
    await button(page, 'Open').click();
    await expect(dialog(page)).toBeHidden();
    await shows(page, kPasted);
    await undo(page).click();
    await shows(page, kFirst);
  });

  test('in part: what could not be used is named before and after', async ({ page }) => {
    await open(page);
    await paste(page, 'https://a.example/#v=1&n=64&tp=many&foo=3');
    await expect(dialog(page)).toContainText('1 input read.');
    await expect(dialog(page).locator('.problem')).toHaveCount(2);
    await expect(dialog(page)).toContainText('"foo" is not an input');
    await expect(dialog(page)).toContainText('not "many"');
    await shows(page, kFirst); // nothing has changed yet
    await button(page, 'Open').click();
    await shows(page, 'v=1&n=64');
    await expect(page.locator('.answer')).toContainText('foo');
    await expect(page.locator('.answer')).toContainText('not "many"');
    await undo(page).click();
    await shows(page, kFirst);
  });

  test('in an input it is text', async ({ page }) => {
    await open(page);
    await field(page, 'run.tokens').fill('#v=1&n=64');
    await field(page, 'run.tokens').press('Control+A');
    await field(page, 'run.tokens').press('Control+C');
    await field(page, 'run.tokens').press('Control+V');
    await expect(field(page, 'run.tokens')).toHaveValue('#v=1&n=64');
    await expect(page.locator('.undo')).toHaveCount(0);
  });

  test('a config.json goes to the import', async ({ page }) => {
    await open(page);
    await paste(page, '{"model_type": "llama", "hidden_size": 2048}');
    await expect(page.getByRole('dialog', { name: 'Import a config.json' })).toBeVisible();
  });

  for (const [what, text] of [
    ['100 kB of noise', `x=${'\u0001ÿ<&=%'.repeat(16_000)}`],
    ['markup', '<img src=x onerror=alert(1)>=<script>alert(2)</script>'],
    ['a link of 100 kB', `https://a.example/#${'foo=1&'.repeat(16_000)}`],
    ['broken JSON', '{"cluster.gpus": '],
  ])
    test(`${what}: refused in words, and nothing changes`, async ({ page }) => {
      page.on('dialog', () => expect('a dialog').toBe('none'));
      await open(page);
      await paste(page, text);
      await expect(dialog(page).locator('.problem.error')).toContainText('Nothing in this text');
      await expect(button(page, 'Open')).toBeDisabled();
      await expect(dialog(page).locator('#share-panel img, #share-panel script')).toHaveCount(0);
      expect(await dialog(page).locator('#share-panel').innerText()).not.toMatch(/.{600}/);
      await button(page, 'Clear').click();
      await expect(area(page, 'open')).toHaveValue('');
      await page.keyboard.press('Escape');
      await shows(page, kFirst);
    });

  test('text that is no scenario at all is left alone', async ({ page }) => {
    await open(page);
    await paste(page, 'just some words');
    await page.waitForTimeout(300);
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });
});

test.describe('every jump can be undone', () => {
  for (const [what, click] of [
    ['an example', (page) => page.locator('.examples li a').nth(1).click()],
    ['a task', (page) => page.locator('.tabs a').last().click()],
    ['a remedy', (page) => page.locator('.remedies a').first().click()],
  ])
    test(what, async ({ page }) => {
      const mine = 'v=1&d=2026-11&n=8&tp=8'; // does not fit, so there are remedies
      await open(page, mine);
      await click(page);
      await expect(undo(page)).toHaveText('Undo');
      await expect.poll(() => link_of(page)).not.toBe(mine);
      await undo(page).click();
      await shows(page, mine);
      await expect.poll(() => link_of(page)).toBe(mine);
    });

  test('Back does not ask', async ({ page }) => {
    await open(page, 'v=1&d=2026-11&n=64');
    await page.locator('.tabs a').last().click();
    await expect(undo(page)).toBeVisible();
    await page.goBack();
    await shows(page, 'v=1&n=64');
    await expect(page.locator('.undo')).toHaveCount(0);
  });
});
