// SPDX-License-Identifier: MIT
// What the first view costs to load: everything that the page requests until it rests, gzipped. And an
// embed.
import { gzipSync } from 'node:zlib';

import { chromium, kChromium } from './tools.mjs';

const kBudget = 250e3;
const kScriptBudget = 45e3; // the page's own script; the core's glue is in the worker
const kLoaderBudget = 3000; // what <llm-envelope> costs the pages of others
const kPacked = /\.(png|woff2|ico)$/;

const size = (bytes) => `${(bytes / 1000).toFixed(1).padStart(6)} kB`;

async function weighed(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return gzipSync(Buffer.from(await response.arrayBuffer()), { level: 9 }).length;
}

const kEmbedBudget = 170e3;

/** All that a frame loads, as the smallest server sends it. */
async function embed_budget(url) {
  const page = await (await fetch(`${url}e/`)).text();
  const names = [...page.matchAll(/<(?:script src|link rel="stylesheet" href)="([^"]+)"/g)];
  const files = ['', ...names.map(([, name]) => name)];
  let total = 0;
  for (const name of files) {
    const bytes = await weighed(`${url}e/${name}`);
    console.log(`${size(bytes)}  e/${name}`);
    total += bytes;
  }
  console.log(`${size(total)}  in an embed, gzipped; at most ${kEmbedBudget / 1000} kB`);
  return [
    {
      name: `budget: an embed is at most ${kEmbedBudget / 1000} kB`,
      ok: files.length === 3 && total <= kEmbedBudget,
    },
  ];
}

export async function budget(url) {
  const browser = await chromium.launch({ executablePath: kChromium });
  try {
    // What the service worker keeps for later is no part of the first view.
    const page = await browser.newPage({ serviceWorkers: 'block' });
    const requests = new Set();
    // Of the context: requests of the worker are no requests of the page.
    page.context().on('request', (request) => requests.add(request.url().split('#')[0]));
    await page.goto(url, { waitUntil: 'networkidle' });
    await page.locator('figure.chart').first().waitFor();
    const files = await Promise.all(
      [...requests].map(async (file) => {
        const response = await fetch(file);
        if (!response.ok) throw new Error(`${response.status} ${file}`);
        const body = Buffer.from(await response.arrayBuffer());
        const bytes = kPacked.test(file) ? body.length : gzipSync(body).length;
        return { name: file.slice(url.length) || 'index.html', bytes };
      }),
    );
    files.sort((a, b) => b.bytes - a.bytes);
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { name, bytes } of files) console.log(`${size(bytes)}  ${name}`);
    console.log(`${size(total)}  in all, gzipped; at most ${kBudget / 1000} kB`);
    const script = files
      .filter(({ name }) => name.endsWith('.js') && !/worker/.test(name))
      .reduce((sum, { bytes }) => sum + bytes, 0);
    if (script > kScriptBudget)
      console.log(`warning: ${size(script)} of script; ${kScriptBudget / 1000} kB are aimed at`);
    const loader = await weighed(`${url}embed/1/llm-envelope.js`);
    console.log(`${size(loader)}  the loader; at most ${kLoaderBudget / 1000} kB`);
    const core = files.some(({ name, bytes }) => name.endsWith('.wasm') && bytes > 10e3);
    return [
      ...(await embed_budget(url)),
      { name: `budget: the first view is at most ${kBudget / 1000} kB`, ok: total <= kBudget },
      { name: 'budget: the loader is at most 3 kB', ok: loader <= kLoaderBudget },
      { name: 'budget: the core was among what was counted', ok: core },
    ];
  } finally {
    await browser.close();
  }
}
