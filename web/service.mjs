// SPDX-License-Identifier: MIT
// After the site is built: its icons as PNG, and the service worker with the list of what it keeps.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';

import { png } from './raster.mjs';

const site = resolve(process.env.ENVELOPE_SITE ?? resolve(import.meta.dirname, '../build/site'));

const icon = readFileSync(join(site, 'icon.svg'), 'utf8');
// A mask may take a tenth of each side: no round corners, and the drawing smaller.
const full = icon
  .replace(' rx="6"', '')
  .replace(/<path/, '<path transform="translate(2.4 2.4) scale(.85)"');
if (full.length < icon.length)
  throw new Error('icon.svg has changed; the maskable icon needs it as it was');
for (const [name, svg, width] of [
  ['icon-192.png', icon, 192],
  ['icon-512.png', icon, 512],
  ['icon-maskable.png', full, 512],
  ['apple-touch-icon.png', full, 180],
])
  writeFileSync(join(site, name), png(svg, width));

/** The first view, what it loads later, and the embed. Other pages are kept when they are visited. */
const embed = readFileSync(join(site, 'e/index.html'), 'utf8');
const files = [
  './',
  ...readdirSync(join(site, 'assets')).map((name) => `assets/${name}`),
  'e/',
  ...[...embed.matchAll(/(?:src|href)="(?:\.\/)?(embed\.[^"]+)"/g)].map(([, file]) => `e/${file}`),
  'embed/1/llm-envelope.js',
  'icon.svg',
  'icon-192.png',
  'apple-touch-icon.png', // Firefox asks for it
  'manifest.webmanifest',
];
const hash = createHash('sha256');
for (const file of files) {
  const name = file.split('?')[0];
  hash
    .update(`${file}\0`)
    .update(readFileSync(join(site, name.replace(/(^|\/)(\.\/)?$/, '$1index.html'))));
}

await build({
  configFile: false,
  logLevel: 'warn',
  publicDir: false,
  define: {
    ENVELOPE_FILES: JSON.stringify(files),
    ENVELOPE_HASH: JSON.stringify(hash.digest('hex').slice(0, 12)),
  },
  build: {
    outDir: site,
    emptyOutDir: false,
    target: 'es2022',
    lib: {
      entry: join(import.meta.dirname, 'src/sw.ts'),
      formats: ['iife'],
      name: 'EnvelopeWorker',
      fileName: () => 'sw.js',
    },
  },
});
console.log(`sw.js keeps ${files.length} files`);
