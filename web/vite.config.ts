// SPDX-License-Identifier: MIT
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;
// Where the WASM build lies and where the site goes; other folders can be named for experiments.
const core = resolve(process.env.ENVELOPE_WASM ?? resolve(root, '../build/wasm'));

/** All that a node of a syntax tree holds, and the node. */
function* nodes(tree: unknown): Generator<Record<string, unknown>> {
  if (typeof tree !== 'object' || tree === null) return;
  if ('type' in tree) yield tree as Record<string, unknown>;
  for (const part of Object.values(tree)) yield* nodes(part);
}

interface Quasi {
  start: number;
  end: number;
}

/** In templates of markup an indented line is as good as one space; in other texts it is not. */
export const flatTemplates: Plugin = {
  name: 'flat-templates',
  apply: 'build',
  enforce: 'post', // behind what takes the types out
  transform(code, id) {
    if (!id.startsWith(resolve(root, 'src')) || !/\b(html|svg|mathml)`/.test(code)) return null;
    const parts: Quasi[] = [];
    for (const { type, tag, quasi } of nodes(this.parse(code)))
      if (
        type === 'TaggedTemplateExpression' &&
        /^(html|svg|mathml)$/.test((tag as { name?: string }).name ?? '')
      )
        parts.push(...(quasi as { quasis: Quasi[] }).quasis);
    parts.sort((a, b) => a.start - b.start);
    let [flat, from] = ['', 0];
    for (const { start, end } of parts) {
      flat += code.slice(from, start) + code.slice(start, end).replace(/\n\s+/g, ' ');
      from = end;
    }
    return { code: flat + code.slice(from), map: null };
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
