// SPDX-License-Identifier: MIT
// The embed page and the inline element, each with the core inside. The page is one classic script, which
// a frame without an origin may load from hosts that send no CORS headers, and from a file.
//   vite build --config vite.embed.ts --mode frame | inline
import { createHash, type BinaryLike } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { deflateAsync } from '@gfx/zopfli';
import { defineConfig, type Plugin } from 'vite';
import { kHome } from './home.mjs';
import { flatTemplates } from './vite.config.ts';

const root = import.meta.dirname;
const core = resolve(process.env.ENVELOPE_WASM ?? resolve(root, '../build/wasm'));
const site = resolve(process.env.ENVELOPE_SITE ?? resolve(root, '../build/site'));
const kPacked = 'envelope-packed-wasm';

const hashOf = (content: BinaryLike) => createHash('sha256').update(content).digest('hex');

/**
 * The core as text: packed, because base64 of what is packed shrinks no further on the way. zopfli packs
 * 6 % better than zlib and takes seconds, so what it made is kept.
 */
async function packed(): Promise<string> {
  const wasm = readFileSync(resolve(core, 'envelope.embed.wasm'));
  const cache = resolve(root, 'node_modules/.cache/envelope');
  const file = resolve(cache, `${hashOf(wasm)}.txt`);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    const bytes = await deflateAsync(wasm, { numiterations: 15 });
    writeFileSync(file, Buffer.from(bytes).toString('base64'));
  }
  return readFileSync(file, 'utf8');
}
const packedCore: Plugin = {
  name: 'packed-core',
  resolveId: (id) => (id === kPacked ? `\0${kPacked}` : null),
  load: async (id) => (id === `\0${kPacked}` ? `export default '${await packed()}';` : null),
};

/** The page names its files with a hash, so that a new page never meets an old script. */
const framePage: Plugin = {
  name: 'frame-page',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      let source = readFileSync(resolve(root, 'e/index.html'), 'utf8');
      for (const name of ['embed.js', 'embed.css']) {
        const file = bundle[name];
        if (!file) throw new Error(`the build made no ${name}`);
        const content = file.type === 'chunk' ? file.code : file.source;
        const hash = hashOf(content).slice(0, 8);
        source = source.replace(`"${name}"`, `"${name}?${hash}"`);
      }
      this.emitFile({ type: 'asset', fileName: 'index.html', source });
    },
  },
};

export default defineConfig(({ mode }) => {
  const frame = mode === 'frame';
  return {
    root,
    publicDir: false,
    define: { ENVELOPE_HOME: JSON.stringify(kHome) },
    plugins: [flatTemplates, packedCore, ...(frame ? [framePage] : [])],
    build: {
      outDir: resolve(site, frame ? 'e' : 'embed/1'),
      emptyOutDir: frame,
      target: 'es2022',
      modulePreload: { polyfill: false },
      // As a library only the page: of those that are modules Vite does not take the white space out.
      ...(frame
        ? {
            lib: {
              entry: resolve(root, 'src/embed/frame.ts'),
              formats: ['iife'],
              name: 'EnvelopeEmbed',
              fileName: () => 'embed.js',
              cssFileName: 'embed',
            },
          }
        : {
            rollupOptions: {
              input: resolve(root, 'src/embed/inline.ts'),
              output: { entryFileNames: 'inline.js' },
            },
          }),
    },
  };
});
