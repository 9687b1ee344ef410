// SPDX-License-Identifier: MIT
// Pictures of the embeds in a column of text, for people to look at; no test. Prints how high each is.
//   node embed_screenshots.mjs OUTDIR [WIDTHS]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { serve } from './serve.mjs';
import { ask, kSite } from './site.mjs';
import { chromium, kChromium } from './tools.mjs';

const [folder, widths = '200,280,360,640,720'] = process.argv.slice(2);
if (!folder) {
  console.error('node embed_screenshots.mjs OUTDIR [WIDTHS]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const site = await serve(kSite, { port: 8800 });
const { examples } = await ask('schema');
const link = (task) => examples.find((example) => example.task === task).link;
const kViews = ['line', 'card', 'bar', 'chart', 'table', 'full'];
const all = (scenario, more = '') => kViews.map((view) => `${scenario}&view=${view}${more}`);

/** name, fragments of the embeds below one another. */
const kPictures = [
  ['pretrain', all(link('pretrain'))],
  ['finetune', all(link('finetune'))],
  ['serve', all(link('serve'))],
  [
    'edits',
    [
      ...all(link('serve'), '&edit=batch,gpu,wfmt,kvcache'),
      'n=8&tp=8&view=bar&edit=n',
      'n=8&tp=8&view=card&edit=n,gpu,x&foo=1',
    ],
  ],
];

const browser = await chromium.launch({ executablePath: kChromium });
try {
  for (const [name, fragments] of kPictures)
    for (const width of widths.split(',').map(Number))
      for (const colorScheme of ['light', 'dark']) {
        const page = await browser.newPage({
          viewport: { width: width + 32, height: 2500 },
          colorScheme,
        });
        await page.setContent(`<meta name="color-scheme" content="light dark">
          <style>body { margin: 16px; display: grid; gap: 16px }</style>`);
        const heights = await page.evaluate(
          async ([list, base, w]) => {
            const heights = [];
            for (const fragment of list) {
              const frame = document.createElement('iframe');
              Object.assign(frame, { width: w, height: 40, src: `${base}e/#${fragment}` });
              frame.setAttribute('sandbox', 'allow-scripts');
              frame.style.border = 0;
              const ready = new Promise((done) =>
                addEventListener('message', ({ source, data }) => {
                  if (source !== frame.contentWindow) return;
                  if (data.type === 'envelope:height') frame.height = data.height;
                  else done();
                }),
              );
              document.body.append(frame);
              await ready;
              heights.push(Number(frame.height));
            }
            return heights;
          },
          [fragments, site.url, width],
        );
        await page.setViewportSize({
          width: width + 32,
          height: await page.evaluate(() => document.documentElement.scrollHeight),
        });
        await page.waitForTimeout(500);
        const file = join(folder, `${name}-${width}-${colorScheme}.png`);
        await page.screenshot({ path: file });
        console.log(file, heights.join(' '));
        await page.close();
      }
} finally {
  await browser.close();
  await site.close();
}
