// SPDX-License-Identifier: MIT
// The embed page and the inline element, each with the core inside. The page is one classic script, which
// a frame without an origin may load from hosts that send no CORS headers, and from a file.
//   vite build --config vite.embed.ts --mode frame | inline
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { flatTemplates } from './vite.config';

const root = import.meta.dirname;
const core = resolve(process.env.ENVELOPE_WASM ?? resolve(root, '../build/wasm'));
const site = resolve(process.env.ENVELOPE_SITE ?? resolve(root, '../build/site'));
const kPacked = 'envelope-packed-wasm';

/** The core as text: packed, because base64 of what is packed shrinks no further on the way. */
const packedCore: Plugin = {
  name: 'packed-core',
  resolveId: (id) => (id === kPacked ? `\0${kPacked}` : null),
  load(id) {
    if (id !== `\0${kPacked}`) return null;
    const wasm = readFileSync(resolve(core, 'envelope.page.wasm'));
    return `export default '${deflateRawSync(wasm, { level: 9 }).toString('base64')}';`;
  },
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
        const hash = createHash('sha256').update(content).digest('hex').slice(0, 8);
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
    plugins: [flatTemplates, packedCore, ...(frame ? [framePage] : [])],
    build: {
      outDir: resolve(site, frame ? 'e' : 'embed/1'),
      emptyOutDir: frame,
      target: 'es2022',
      lib: {
        entry: resolve(root, frame ? 'src/embed/frame.ts' : 'src/embed/inline.ts'),
        formats: [frame ? 'iife' : 'es'],
        name: 'EnvelopeEmbed',
        fileName: () => (frame ? 'embed.js' : 'inline.js'),
        cssFileName: 'embed',
      },
    },
  };
});
