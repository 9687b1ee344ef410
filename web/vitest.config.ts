// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const web = import.meta.dirname;

export default defineConfig({
  root: resolve(web, '..'),
  // The tests lie beside the others, outside of the folder that has the packages.
  resolve: {
    alias: {
      '@lit-labs/ssr': resolve(web, 'node_modules/@lit-labs/ssr'),
      'markdown-it': resolve(web, 'node_modules/markdown-it'),
      parse5: resolve(web, 'node_modules/parse5'),
    },
  },
  test: { include: ['tests/web/unit/**/*.test.ts'], environment: 'node' },
});
