// SPDX-License-Identifier: MIT
// The calculator as one file that works from a disk: the built first page with its script, its style and
// both modules of the core inside. Runs after the page is built.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { kHome } from './home.mjs';
import pages, { flatTemplates } from './vite.config';

const root = import.meta.dirname;
const core = resolve(process.env.ENVELOPE_WASM ?? resolve(root, '../build/wasm'));
const site = resolve(process.env.ENVELOPE_SITE ?? resolve(root, '../build/site'));
const kPacked = /^envelope-(page|rare)-packed$/;
const kSheet = /(sharing|panels|plans|compare)\.css\?url$/;

/** The core as text, and other surroundings. The styles that come later elsewhere are in the page's. */
const inside: Plugin = {
  name: 'inside',
  enforce: 'pre',
  resolveId(id, importer) {
    if (kPacked.test(id) || kSheet.test(id)) return `\0${id}`;
    if (id === './surroundings' && importer && !importer.includes('/offline/'))
      return resolve(root, 'src/offline/surroundings.ts');
    if (id === '../surroundings') return resolve(root, 'src/offline/surroundings.ts');
    return null;
  },
  load(id) {
    if (!id.startsWith('\0')) return null;
    if (kSheet.test(id)) return "export default ''";
    const [, name] = kPacked.exec(id.slice(1)) ?? [];
    if (!name) return null;
    const wasm = readFileSync(resolve(core, `envelope.${name}.wasm`));
    return `export default '${deflateRawSync(wasm, { level: 9 }).toString('base64')}'`;
  },
};

const hashed = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** A script in a page ends at its end tag, whatever it is in; in texts and patterns `\x3C` is the same. */
const quiet = (script: string) => script.replace(/<(?=!--|\/?script)/gi, '\\x3C').trim();

const kPolicy = (script: string, style: string) =>
  [
    "default-src 'none'",
    `script-src ${hashed(script)} 'wasm-unsafe-eval'`,
    `style-src ${hashed(style)}`,
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

/** Put by function: `$&` in the text is no pattern. Demands that there is something to replace. */
function put(page: string, what: RegExp, text: string): string {
  if (!what.test(page)) throw new Error(`the first page has no ${what}`);
  return page.replace(what, () => text);
}

const onePage: Plugin = {
  name: 'one-page',
  enforce: 'post',
  generateBundle: {
    order: 'post',
    handler(_, bundle) {
      let [script, style] = ['', ''];
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === 'chunk') script += quiet(file.code);
        else if (name.endsWith('.css')) style += String(file.source).trim();
        else throw new Error(`${name} would not be in the file`);
        delete bundle[name];
      }
      let page = readFileSync(resolve(site, 'index.html'), 'utf8');
      page = put(
        page,
        /(?<=http-equiv="Content-Security-Policy"\s+content=")[^"]*/,
        kPolicy(script, style),
      );
      page = put(page, /<style>[^]*?<\/style>/, `<style>${style}</style>`);
      // Of what machines read, and of what would be loaded, nothing stays; the title and description do.
      page = page.replace(/\s*<script\b[^]*?<\/script>/g, '').replace(/\s*<link\b[^>]*>/g, '');
      page = page.replace(/\s*<meta (?:property="og|name="twitter)[^>]*>/g, '');
      page = page.replace(/href="(?!#|[a-z]+:)(?:\.\/)?/g, () => `href="${kHome}`);
      page = put(page, /(?=<html)<html/, '<html data-link=""');
      page = put(page, /<\/body>/, `<script>${script}</script>\n  </body>`);
      this.emitFile({ type: 'asset', fileName: 'offline.html', source: page });
    },
  },
};

export default defineConfig({
  root,
  publicDir: false,
  plugins: [inside, flatTemplates, onePage],
  define: { ENVELOPE_HOME: JSON.stringify(kHome) },
  resolve: pages.resolve,
  build: {
    outDir: site,
    emptyOutDir: false,
    target: 'es2022',
    lib: {
      entry: resolve(root, 'src/offline/main.ts'),
      formats: ['iife'],
      name: 'EnvelopeOffline',
      fileName: () => 'offline.js',
      cssFileName: 'offline',
    },
  },
});
