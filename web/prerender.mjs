// SPDX-License-Identifier: MIT
// After `vite build`: puts the answers of the core into the HTML, so that the pages say what they have to
// say before any script runs, and without one.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createServer } from 'vite';

import { accuracy } from './accuracy.mjs';
import { kHome } from './home.mjs';
import { png } from './raster.mjs';

const web = import.meta.dirname;
const site = resolve(process.env.ENVELOPE_SITE ?? resolve(web, '../build/site'));
const core = resolve(process.env.ENVELOPE_WASM ?? resolve(web, '../build/wasm'));

async function load() {
  const { default: createEnvelope } = await import(pathToFileURL(join(core, 'envelope.mjs')).href);
  return createEnvelope({ wasmBinary: await readFile(join(core, 'envelope.wasm')) });
}

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text) => text.replace(/[&<>"]/g, (c) => escapes[c]);

/** `$&` and the like in the text must not be read as patterns. */
const put = (page, mark, text) => {
  if (!page.includes(mark)) throw new Error(`the template has no ${mark}`);
  return page.replaceAll(mark, () => text);
};

/**
 * The first page carries its own style: one round trip less before the first paint. The policy names the
 * style by its hash, so that no other inline style is allowed.
 */
async function inlineStyle(page) {
  const [link, file] = /<link rel="stylesheet"[^>]*href="\.\/([^"]+)"[^>]*>/.exec(page) ?? [];
  if (!file) throw new Error('the first page has no style sheet');
  const css = (await readFile(join(site, file), 'utf8')).trim();
  const hash = createHash('sha256').update(css).digest('base64');
  return put(
    put(page, link, `<style>${css}</style>`),
    "style-src 'self'",
    `style-src 'self' 'sha256-${hash}'`,
  );
}

/** Pages with a live embed: a frame of this site, and the script that makes it. */
const withEmbed = (page) =>
  put(
    put(page, "font-src 'self'", "font-src 'self'; frame-src 'self'"),
    '</body>',
    '  <script defer src="./embed/1/llm-envelope.js"></script>\n  </body>',
  );

const envelope = await load();
const schema = JSON.parse(envelope.schema());
const replays = JSON.parse(envelope.replays());
const answer = JSON.parse(envelope.estimate(schema.examples[0]?.link ?? '{}'));

const vite = await createServer({
  configFile: join(web, 'vite.config.ts'),
  server: { middlewareMode: true, watch: null },
  appType: 'custom',
  logLevel: 'error',
});
const build = await vite.ssrLoadModule('/src/prerender.ts');

const first = await build.calculator(schema, answer);
const indexFile = join(site, 'index.html');
let index = put(await readFile(indexFile, 'utf8'), '<!--app-->', first.html);
index = index.replace(
  /(<meta\s+name="description"\s+content=")[^"]*/,
  (_, head) => head + escape(first.sentence),
);
const title = /<title>([^<]*)/.exec(index)[1];
index = put(index, '<!--head-->', build.siteMeta(first.sentence, title, kHome, schema.version));
// The built words are painted first; what brings them to life is asked for after that.
const [script, source] = /<script type="module"[^>]*src="([^"]+)"[^>]*><\/script>/.exec(index);
const start = `const go=()=>import("${source}");document.hidden?go():requestAnimationFrame(()=>setTimeout(go))`;
const startHash = createHash('sha256').update(start).digest('base64');
index = index.replace(/<link rel="modulepreload"[^>]*>\s*/g, '').replace(script, '');
index = put(index, '</body>', `<script type="module">${start}</script></body>`);
index = put(index, "script-src 'self'", `script-src 'self' 'sha256-${startHash}'`);
await writeFile(indexFile, await inlineStyle(index));
await writeFile(join(site, 'card.png'), png(build.siteCard(schema, answer, kHome)));

const gallery = JSON.parse(await readFile(join(web, 'gallery.json'), 'utf8'));
const estimate = (link) => JSON.parse(envelope.estimate(link));
const template = await readFile(join(site, 'leaf.html'), 'utf8');
const pages = [
  ...(await build.leaves(schema, replays, answer, accuracy(), kHome)),
  ...(await build.shelf(schema, replays, gallery, estimate, kHome)),
];
for (const leaf of pages) {
  const live = leaf.oembed !== undefined;
  let html = (live ? withEmbed(template) : template).replaceAll(
    /(href|src)="\.\//g,
    (_, name) => `${name}="${leaf.data.root}`,
  );
  const parts = {
    '%root%': leaf.data.root,
    '%page%': leaf.data.page,
    '%document%': escape(leaf.data.document),
    '%title%': escape(leaf.title),
    '%description%': escape(leaf.description),
    '<!--head-->': leaf.head,
    '<!--header-->': leaf.header,
    '<!--main-->': leaf.main,
    '<!--footer-->': leaf.footer,
  };
  for (const [mark, text] of Object.entries(parts)) html = put(html, mark, text);
  const file = join(site, leaf.path, 'index.html');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, html);
  if (leaf.card) await writeFile(join(site, leaf.path, 'card.png'), png(leaf.card));
  if (live)
    await writeFile(join(site, leaf.path, 'oembed.json'), `${JSON.stringify(leaf.oembed)}\n`);
}
const paths = ['', ...pages.map((leaf) => leaf.path)];
await writeFile(join(site, 'sitemap.xml'), build.sitemap(kHome, paths));
await writeFile(
  join(site, 'robots.txt'),
  `User-agent: *\nAllow: /\nSitemap: ${kHome}sitemap.xml\n`,
);
await rm(join(site, 'leaf.html'));
await vite.close();
console.log(`${pages.length + 1} pages in ${site}`);
