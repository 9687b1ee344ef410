// SPDX-License-Identifier: MIT
// Builds the site into build/site, step by step. Each step is a program of its own.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const vite = join(dirname(require.resolve('vite/package.json')), 'bin/vite.js');

const kSteps = [
  ['texts.mjs'],
  [vite, 'build'], // the pages
  [vite, 'build', '--config', 'vite.loader.ts'], // the script of <llm-envelope>
  ['prerender.mjs'], // their words and numbers
  [vite, 'build', '--config', 'vite.offline.ts'], // the calculator as one file
  [vite, 'build', '--config', 'vite.embed.ts', '--mode', 'frame'], // the embed page
  [vite, 'build', '--config', 'vite.embed.ts', '--mode', 'inline'], // the element without a frame
  ['service.mjs'], // icons and service worker
  ['releases.mjs', 'freeze', process.env.ENVELOPE_SITE ?? '../build/site'], // a copy that stays
];

for (const step of kSteps) {
  const { status } = spawnSync(process.execPath, step, {
    cwd: import.meta.dirname,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
