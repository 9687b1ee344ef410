// SPDX-License-Identifier: MIT
// The loader: one classic script at an address for ever, so without a hash in its name.
import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const root = import.meta.dirname;
const site = resolve(process.env.ENVELOPE_SITE ?? resolve(root, '../build/site'));

export default defineConfig({
  root,
  publicDir: false,
  build: {
    outDir: resolve(site, 'embed/1'),
    emptyOutDir: false,
    target: 'es2022',
    lib: {
      entry: resolve(root, 'src/embed/loader.ts'),
      formats: ['iife'],
      name: 'Envelope',
      fileName: () => 'llm-envelope.js',
    },
  },
});
