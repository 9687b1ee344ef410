// SPDX-License-Identifier: MIT
// Pictures of the page for people to look at; no test.
//   node screenshots.mjs OUTDIR [URL]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { serve } from './serve.mjs';
import { ask, kSite } from './site.mjs';
import { chromium, kChromium } from './tools.mjs';

const [folder, address] = process.argv.slice(2);
if (!folder) {
  console.error('node screenshots.mjs OUTDIR [URL]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const server = address ? null : await serve(kSite, { port: 8700 });
const url = address ?? server.url;
const { examples } = await ask('schema');
const link = (task) => examples.find((example) => example.task === task).link;

const kDesktop = { width: 1280, height: 900 };
const kPhone = { width: 360, height: 740 };
const field = (page, path) => page.locator(`[id="f-${path}"]`);
const unfold = async (page, part) => page.locator(`${part} > summary`).first().click();

const kConfig = JSON.stringify(
  {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: 2048,
    intermediate_size: 8192,
    num_hidden_layers: 16,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 128256,
    rope_scaling: { rope_type: 'llama3', factor: 32 },
    surprise: 7,
  },
  null,
  2,
);

/** name, path or fragment, options of the context, what to do before the picture. */
const kPictures = [
  ['desktop', '', {}],
  ['desktop-serve', `#${link('serve')}`, {}],
  ['desktop-finetune', `#${link('finetune')}`, {}],
  ['phone', '', { viewport: kPhone }],
  ['phone-serve', `#${link('serve')}`, { viewport: kPhone }],
  ['dark', '', { colorScheme: 'dark' }],
  ['phone-dark', '', { viewport: kPhone, colorScheme: 'dark' }],
  [
    'error',
    '',
    {},
    async (page) => {
      await field(page, 'run.tokens').fill('many');
      await field(page, 'cluster.gpus').fill('1.5');
      await page.locator('.waiting').waitFor();
    },
  ],
  ['notice', '#v=99&foo=3&model=nosuch-7b&n=64', {}],
  ['no-fit', '#v=1&d=2026-11&n=8&tp=8', {}],
  [
    'work',
    '',
    {},
    async (page) => {
      await unfold(page, '.work details.stage');
      await unfold(page, 'details.step');
      await page.locator('.derivation').waitFor();
    },
  ],
  ['panel', '', {}, (page) => page.locator('[data-metric="time.total"]').first().click()],
  [
    'phone-panel',
    '',
    { viewport: kPhone },
    (page) => page.locator('[data-metric="cost.total"]').first().click(),
  ],
  [
    'tables',
    '',
    {},
    async (page) => {
      for (const button of await page.locator('figure.chart figcaption button').all())
        await button.click();
    },
  ],
  ['memory', '#v=1&d=2026-11&n=16384&tp=8&pp=16&zero=1', {}],
  ['memory-many-stages', '#v=1&d=2026-11&n=16384&tp=4&pp=64&zero=1', {}],
  ['phone-memory', '#v=1&d=2026-11&n=16384&tp=8&pp=16&zero=1', { viewport: { width: 320, height: 740 } }],
  ['dark-memory', '#v=1&d=2026-11&n=16384&tp=8&pp=16&zero=1', { colorScheme: 'dark' }],
  [
    'memory-tables',
    '#v=1&d=2026-11&n=16384&tp=8&pp=16&zero=1',
    {},
    async (page) => {
      for (const button of await page.locator('.memory button[aria-label$="table"]').all())
        await button.click();
    },
  ],
  [
    'import',
    '',
    {},
    async (page) => {
      await page.getByRole('button', { name: 'Import config.json' }).click();
      await page.locator('#import-text').fill(kConfig);
      await page.locator('.import-result > *').first().waitFor();
    },
  ],
  [
    'phone-import',
    '',
    { viewport: kPhone },
    async (page) => {
      await page.getByRole('button', { name: 'Import config.json' }).click();
      await page.locator('#import-text').fill(kConfig.slice(0, 60));
      await page.locator('.import-result > *').first().waitFor();
    },
  ],
  ...['Link', 'Embed', 'Text', 'Files', 'Paper', 'Image', 'Open'].flatMap((tab) =>
    [
      ['share', {}],
      ['phone-share', { viewport: { width: 320, height: 640 } }],
      ['dark-share', { colorScheme: 'dark' }],
    ].map(([name, options]) => [
      `${name}-${tab.toLowerCase()}`,
      '',
      options,
      async (page) => {
        await page.getByRole('button', { name: 'Share', exact: true }).first().click();
        await page.getByRole('tab', { name: tab, exact: true }).click();
        if (tab === 'Open') await page.locator('#share-open').fill('see #v=1&n=64&tp=many&foo=3');
        await page.waitForTimeout(800); // the preview, and what was read
      },
    ]),
  ),
  ['undo', '', {}, (page) => page.locator('.tabs a').last().click()],
  [
    'framework',
    '',
    {},
    async (page) => {
      await page.getByRole('searchbox').fill('framework');
      await field(page, 'stack.id').click();
    },
  ],
  ['replays', 'replays/', {}],
  ['replay', 'replays/why-so-many-gpus/', {}],
  ['phone-replay', 'replays/why-so-many-gpus/', { viewport: kPhone }],
  [
    'walk',
    'flops/',
    {},
    async (page) => {
      for (let i = 0; i < 3; ++i) await page.getByRole('button', { name: 'Next' }).click();
    },
  ],
  ['formats', 'formats/', {}],
  ['method', 'method/', {}],
];

const browser = await chromium.launch({ executablePath: kChromium });
try {
  for (const [name, path, options, prepare] of kPictures) {
    const context = await browser.newContext({ viewport: kDesktop, ...options });
    const page = await context.newPage();
    await page.goto(url + path, { waitUntil: 'networkidle' });
    await prepare?.(page);
    await page.waitForTimeout(400); // charts and transitions
    await page.screenshot({ path: join(folder, `${name}.png`) });
    // The whole page, but not what is fixed to the screen and would hide a part of it.
    if (!/panel|share/.test(name)) {
      await page.evaluate(() => document.querySelector('.foot-bar')?.remove());
      await page.screenshot({ path: join(folder, `${name}-whole.png`), fullPage: true });
    }
    if (name === 'desktop') await page.pdf({ path: join(folder, 'print.pdf'), format: 'A4' });
    if (name === 'desktop') {
      await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
      await page.emulateMedia({ media: 'print' });
      await page.setViewportSize({ width: 700, height: 990 });
      await page.screenshot({ path: join(folder, 'print.png') });
    }
    await context.close();
    console.log(join(folder, `${name}.png`));
  }
} finally {
  await browser.close();
  await server?.close();
}
