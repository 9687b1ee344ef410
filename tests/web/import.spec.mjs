// SPDX-License-Identifier: MIT
// A model's config.json becomes the model of the scenario: pasted, chosen or dropped, and undone.
import { expect, field, first_link, link_of, live, open, shows, test } from './fixtures.mjs';
import { ask, core_in_node, patched } from './site.mjs';

const kFirst = await first_link();
const kConfig = JSON.stringify({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  vocab_size: 128256,
  tie_word_embeddings: true,
  max_position_embeddings: 131072,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  hidden_act: 'silu',
  torch_dtype: 'bfloat16',
});
const imported = async (text) => JSON.parse(await core_in_node('importConfig', text));
const dialog = (page) => page.getByRole('dialog', { name: 'Import a config.json' });
const text_area = (page) => dialog(page).getByRole('textbox');
const use = (page) => dialog(page).getByRole('button', { name: /^Use/ });

async function start(page) {
  await page.getByRole('button', { name: 'Import config.json' }).click();
  await expect(dialog(page)).toBeVisible();
}

/** The first scenario with the imported model in place of its own. */
async function with_model(patch) {
  const { patch: before } = await ask('open', kFirst);
  const rest = Object.entries(before).filter(([path]) => !path.startsWith('model.'));
  return JSON.stringify({ ...Object.fromEntries(rest), ...patch });
}

async function drop(page, name, text) {
  const transfer = await page.evaluateHandle(
    ([file, content]) => {
      const data = new DataTransfer();
      data.items.add(new File([content], file, { type: 'application/json' }));
      return data;
    },
    [name, text],
  );
  for (const type of ['dragover', 'drop'])
    await page.dispatchEvent('h1', type, { dataTransfer: transfer });
}

test('a pasted config.json is the model, and the link carries it', async ({ page, context }) => {
  const { name, patch } = await imported(kConfig);
  await open(page);
  await start(page);
  await expect(use(page)).toBeDisabled();
  await text_area(page).fill(kConfig);
  await expect(dialog(page)).toContainText(`Read as ${name}`);
  await use(page).click();
  await expect(dialog(page)).toBeHidden();
  const scenario = await with_model(patch);
  await shows(page, scenario);
  const { link } = await ask('estimate', scenario);
  await expect.poll(() => link_of(page)).toBe(link);
  const other = await context.newPage();
  await other.goto(page.url());
  await live(other);
  await shows(other, scenario);
  await other.close();
});

test('an import is undone without losing what was edited since', async ({ page }) => {
  await open(page);
  await start(page);
  await text_area(page).fill(kConfig);
  await use(page).click();
  await expect(page.locator('.undo')).toBeVisible();
  await field(page, 'cluster.gpus').fill('64');
  await page.getByRole('button', { name: 'Undo' }).click();
  await shows(page, await patched(kFirst, { 'cluster.gpus': 64 }));
  await expect(field(page, 'cluster.gpus')).toHaveValue('64');
  await page.getByRole('button', { name: 'Redo' }).click();
  await expect(page.locator('.undo')).toContainText('The model is from a config.json');
  await expect(field(page, 'cluster.gpus')).toHaveValue('64');
});

test('a file dropped anywhere on the page is read', async ({ page }) => {
  const { name } = await imported(kConfig);
  await open(page);
  await drop(page, 'config.json', kConfig);
  await expect(dialog(page)).toContainText(`Read as ${name}`);
  await expect(dialog(page)).toContainText('From config.json');
  await expect(text_area(page)).toHaveValue(kConfig);
});

test('a chosen file is read', async ({ page }) => {
  const { name, patch } = await imported(kConfig);
  await open(page);
  await start(page);
  await page
    .getByLabel('Or choose a file')
    .setInputFiles({ name: 'config.json', mimeType: 'application/json', buffer: Buffer.from(kConfig) });
  await expect(dialog(page)).toContainText(`Read as ${name}`);
  await use(page).click();
  await shows(page, await with_model(patch));
});

for (const [what, text] of [
  ['a truncated file', kConfig.slice(0, 60)],
  ['markup', '<img src=x onerror=alert(1)>'],
  ['something else', '{"compilerOptions": {"strict": true}}'],
  ['10 MB', JSON.stringify({ model_type: 'llama', filler: 'x'.repeat(10e6) })],
])
  test(`${what} is refused in words, and changes nothing`, async ({ page }) => {
    page.on('dialog', () => expect('a dialog').toBe('none'));
    const { problems } = await imported(text);
    await open(page);
    await drop(page, 'config.json', text);
    const first = dialog(page).locator('.problem.error').first();
    await expect(first).toContainText(problems.find((p) => p.severity === 'error').message);
    await expect(dialog(page).locator('img')).toHaveCount(0);
    await page.keyboard.press('Escape');
    await expect(dialog(page)).toBeHidden();
    await shows(page, kFirst);
  });

test('a file that cannot be a config.json is not even read', async ({ page }) => {
  await open(page);
  await drop(page, 'model.safetensors', 'x'.repeat(33e6));
  await expect(dialog(page)).toContainText('model.safetensors has 33.0 MB');
  await expect(use(page)).toBeDisabled();
});

test('what was pasted is kept when the dialog is closed, and the focus returns', async ({ page }) => {
  await open(page);
  await start(page);
  await text_area(page).fill('{"hidden_size": 4');
  await expect(dialog(page).locator('.problem').first()).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Import config.json' })).toBeFocused();
  await start(page);
  await expect(text_area(page)).toHaveValue('{"hidden_size": 4');
});

test('nothing is sent anywhere', async ({ page, seen }) => {
  await open(page);
  await start(page);
  await text_area(page).fill('{');
  await expect(dialog(page).locator('.problem').first()).toBeVisible();
  const before = seen.requests.length;
  await text_area(page).fill(kConfig);
  await expect(dialog(page)).toContainText('Read as');
  await use(page).click();
  await expect(page.locator('.undo')).toBeVisible();
  // Of its icon a browser may think late.
  expect(seen.requests.slice(before).filter((url) => !/icon\.svg$/.test(url))).toEqual([]);
});
