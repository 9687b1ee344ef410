// SPDX-License-Identifier: MIT
// The packed package in an empty project of each tool: what the browser then shows is the number of the
// native command line.
import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { clean, expected, kLinks, project, require, shown } from './consumer.mjs';

after(clean);

const kLink = kLinks[1];
const kMetric = 'serving.tokens_per_s';
const number = String(await expected(kLink, kMetric));

const main = (from, options = '') => `
import { load } from '${from}';
const out = document.getElementById('out');
load(${options}).then(
  (envelope) => (out.textContent = envelope.calc('${kLink}').values['${kMetric}']),
  (error) => (out.textContent = error.message),
);`;
const html = (script) =>
  `<!doctype html><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,">` +
  `<p id="out"></p>${script}`;
const bundled = html('<script type="module" src="./bundle.js"></script>');
const files = (from, options) => ({ 'main.js': main(from, options), 'dist/index.html': bundled });

const kTools = {
  async vite(at) {
    const { build } = await import(pathToFileURL(require.resolve('vite')).href);
    await build({ root: at, configFile: false, logLevel: 'error', base: './' });
  },
  async webpack(at) {
    const webpack = require('webpack');
    const compiler = webpack({
      context: at,
      mode: 'production',
      entry: './main.js',
      output: { path: join(at, 'dist'), filename: 'bundle.js' },
      performance: { hints: false },
    });
    const stats = await new Promise((done, fail) =>
      compiler.run((error, stats) => (error ? fail(error) : done(stats))),
    );
    assert.deepEqual([stats.toJson().errors, stats.toJson().warnings], [[], []]);
  },
  async esbuild(at) {
    await require('esbuild').build({
      absWorkingDir: at,
      entryPoints: ['main.js'],
      bundle: true,
      format: 'esm',
      outfile: 'dist/bundle.js',
      logLevel: 'error',
    });
  },
  async rollup(at) {
    const { rollup } = require('@rollup/wasm-node');
    const { nodeResolve } = require('@rollup/plugin-node-resolve');
    const bundle = await rollup({
      input: join(at, 'main.js'),
      plugins: [nodeResolve({ browser: true })],
      onwarn: (warning) => assert.fail(warning.message),
    });
    await bundle.write({ file: join(at, 'dist/bundle.js'), format: 'es' });
  },
};

async function viteProject(from) {
  return project({
    'index.html': html('<script type="module" src="/main.js"></script>'),
    'main.js': main(from),
  });
}

for (const from of ['llm-envelope', 'llm-envelope/inline'])
  test(`Vite: ${from}`, async () => {
    const at = await viteProject(from);
    await kTools.vite(at);
    const { text, errors } = await shown(join(at, 'dist'));
    assert.deepEqual([text, errors], [number, []]);
    const wasm = (await readdir(join(at, 'dist/assets'))).filter((f) => f.endsWith('.wasm'));
    assert.equal(wasm.length, from.endsWith('inline') ? 0 : 1, 'copies the .wasm it needs');
  });

test('Vite in development', async () => {
  const at = await viteProject('llm-envelope');
  const { createServer } = await import(pathToFileURL(require.resolve('vite')).href);
  const server = await createServer({
    root: at,
    configFile: false,
    logLevel: 'error',
    server: { host: '127.0.0.1' },
    // Its cache has no place for core.wasm; the README names this line.
    optimizeDeps: { exclude: ['llm-envelope'] },
  });
  await server.listen();
  try {
    assert.equal((await shown(server.resolvedUrls.local[0])).text, number);
  } finally {
    await server.close();
  }
});

test('webpack: llm-envelope copies the .wasm', async () => {
  const at = await project(files('llm-envelope'));
  await kTools.webpack(at);
  const { text, errors } = await shown(join(at, 'dist'));
  assert.deepEqual([text, errors], [number, []]);
});

for (const tool of ['webpack', 'esbuild', 'rollup'])
  test(`${tool}: llm-envelope/inline`, async () => {
    const at = await project(files('llm-envelope/inline'));
    await kTools[tool](at);
    const { text, errors, requests } = await shown(join(at, 'dist'));
    assert.deepEqual([text, errors], [number, []]);
    assert.deepEqual(
      requests.filter((url) => url.endsWith('.wasm')),
      [],
    );
  });

for (const tool of ['esbuild', 'rollup']) {
  test(`${tool}: llm-envelope without its .wasm says what to do`, async () => {
    const at = await project(files('llm-envelope'));
    await kTools[tool](at);
    const { text } = await shown(join(at, 'dist'));
    assert.match(text, /core\.wasm was not found \(404\)\..*'llm-envelope\/inline'/);
  });
  test(`${tool}: llm-envelope with core.wasm copied beside the bundle`, async () => {
    const at = await project(files('llm-envelope'));
    await kTools[tool](at);
    const wasm = join(at, 'node_modules/llm-envelope/core.wasm');
    await copyFile(wasm, join(at, 'dist/core.wasm'));
    assert.equal((await shown(join(at, 'dist'))).text, number);
  });
  test(`${tool}: llm-envelope with an address`, async () => {
    const at = await project(files('llm-envelope', "{ wasm: './static/a.wasm' }"));
    await kTools[tool](at);
    await mkdir(join(at, 'dist/static'));
    const wasm = join(at, 'node_modules/llm-envelope/core.wasm');
    await copyFile(wasm, join(at, 'dist/static/a.wasm'));
    assert.equal((await shown(join(at, 'dist'))).text, number);
  });
}

const element = `
import 'llm-envelope/element';
const embed = document.createElement('llm-envelope-inline');
embed.setAttribute('src', '${kLink}');
embed.setAttribute('view', 'table');
embed.setAttribute('home', 'https://example.org/calculator/');
document.body.append(embed);
const watch = setInterval(() => {
  const number = embed.shadowRoot?.querySelector('[data-metric="${kMetric}"]');
  if (!number) return;
  clearInterval(watch);
  const open = embed.shadowRoot.querySelector('a.open').href;
  document.getElementById('out').textContent = number.title.split(': ').pop() + ' ' + open;
}, 50);`;
for (const tool of ['vite', 'webpack', 'esbuild', 'rollup'])
  test(`${tool}: llm-envelope/element draws in the page itself`, async () => {
    const at = await project({
      'main.js': element,
      'index.html': html('<script type="module" src="/main.js"></script>'),
      ...(tool === 'vite' ? {} : { 'dist/index.html': bundled }),
    });
    await kTools[tool](at);
    const { text, errors, requests } = await shown(join(at, 'dist'));
    assert.deepEqual([errors, text.split(' ')[0]], [[], number]);
    assert.match(text, /^[\d.]+ https:\/\/example\.org\/calculator\/#v=1/);
    assert.deepEqual(
      requests.filter((url) => url.includes('example.org')),
      [],
    );
  });

const map = (name) =>
  `<script type="importmap">{"imports":{"llm-envelope":"./node_modules/llm-envelope/${name}"}}</script>`;
for (const name of ['index.js', 'inline.js'])
  test(`<script type=module>: ${name}`, async () => {
    const script = `<script type="module">${main('llm-envelope')}</script>`;
    const at = await project({ 'index.html': html(map(name) + script) });
    const { text, errors } = await shown(at);
    assert.deepEqual([text, errors], [number, []]);
  });

const classic = html(
  `<script src="node_modules/llm-envelope/single.js"></script><script>
  llmEnvelope.load().then((envelope) => {
    document.getElementById('out').textContent = envelope.calc('${kLink}').values['${kMetric}'];
  });</script>`,
);
test('classic <script>, from a host and from a file', async () => {
  const at = await project({ 'index.html': classic });
  for (const place of [at, pathToFileURL(join(at, 'index.html')).href]) {
    const { text, errors } = await shown(place);
    assert.deepEqual([text, errors], [number, []], place);
  }
});
