// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const web = import.meta.dirname;
const modules = resolve(web, 'node_modules');
const kPackages = [
  '@lit-labs/ssr',
  'autolinker',
  'linkify-it',
  'linkifyjs',
  'markdown-it',
  'marked',
  'micromark-extension-gfm-autolink-literal',
  'micromark',
  'parse5',
];

export default defineConfig({
  root: resolve(web, '..'),
  // The tests lie beside the others, outside of the folder that has the packages.
  resolve: { alias: Object.fromEntries(kPackages.map((name) => [name, resolve(modules, name)])) },
  test: { include: ['tests/web/unit/**/*.test.ts'], environment: 'node' },
});
