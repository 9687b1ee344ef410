// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;
// Where the WASM build lies and where the site goes; other folders can be named for experiments.
const core = resolve(process.env.ENVELOPE_WASM ?? resolve(root, '../build/wasm'));

/** A minified script has indented lines only inside templates, where one space means the same. */
export const flatTemplates: Plugin = {
  name: 'flat-templates',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle))
      if (file.type === 'chunk') file.code = file.code.replace(/\n\s+/g, ' ');
  },
};

export default defineConfig({
  plugins: [flatTemplates],
  root,
  base: './', // the site works from any folder of any host
  publicDir: resolve(root, 'public'),
  resolve: {
    alias: [
      {
        find: /^envelope-(page|rare)-wasm\?url$/,
        replacement: `${core}/envelope.$1.wasm?url`,
      },
      { find: 'envelope-texts', replacement: `${core}/texts.json` },
    ],
  },
  worker: { format: 'es' },
  build: {
    outDir: resolve(process.env.ENVELOPE_SITE ?? resolve(root, '../build/site')),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: URLs would need a wider content security policy
    rollupOptions: {
      input: { index: resolve(root, 'index.html'), leaf: resolve(root, 'leaf.html') },
    },
  },
  server: { fs: { allow: [resolve(root, '..'), core] } },
});
