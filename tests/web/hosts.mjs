// SPDX-License-Identifier: MIT
// Pages of others that hold an embed. The site is on one host and sends nothing that helps; the pages
// are on another, each under the policy that the first part of its path names.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { serve } from './serve.mjs';
import { ask, kSite } from './site.mjs';

const web = resolve(import.meta.dirname, '../../web');
const require = createRequire(join(web, 'package.json'));
const kPages = join(import.meta.dirname, 'hosts');
const kAllows = " 'wasm-unsafe-eval'";
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
};

/** The headers of a host, by the name of its policy. */
const policies = (site) => ({
  open: {},
  strict: {
    'content-security-policy': `default-src 'none'; script-src ${site}; frame-src ${site}; style-src 'self'; img-src 'self'`,
  },
  scriptless: {
    'content-security-policy': `default-src 'none'; script-src 'none'; frame-src ${site}; style-src 'self'; img-src 'self'`,
  },
  frameless: {
    'content-security-policy': `default-src 'none'; script-src ${site}; frame-src 'none'; style-src 'self'; img-src 'self'`,
  },
  isolated: {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  },
  uncredentialed: {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'credentialless',
  },
});

/** The page's own modules: what the pages of others hold is made by what makes it for authors. */
export async function modules(names = ['snippets', 'facts', 'view']) {
  const { createServer } = await import(pathToFileURL(require.resolve('vite')).href);
  const vite = await createServer({
    configFile: join(web, 'vite.config.ts'),
    server: { middlewareMode: true, watch: null, hmr: false, ws: false },
    appType: 'custom',
    logLevel: 'error',
  });
  try {
    const all = await Promise.all(names.map((name) => vite.ssrLoadModule(`/src/${name}.ts`)));
    return Object.assign({}, ...all);
  } finally {
    await vite.close();
  }
}

async function listening(server, host = '127.0.0.1') {
  server.listen(0, host);
  await once(server, 'listening');
  return server.address().port;
}

export async function start_hosts() {
  const { tables, factsOf, elementSnippet, iframeSnippet, proseLink } = await modules();
  const schema = await ask('schema');
  const link = schema.examples.find(({ task }) => task === 'serve').link;
  const { patch } = await ask('open', link);
  const other = (await ask('estimate', JSON.stringify({ ...patch, 'cluster.gpus': 16 }))).link;
  const facts = factsOf(tables(schema), await ask('estimate', link));

  const site = await serve(kSite, { port: 8600 });
  const folder = mkdtempSync(join(tmpdir(), 'envelope-hosts-'));
  for (const part of ['e', 'embed'])
    cpSync(join(kSite, part), join(folder, 'site', part), { recursive: true });
  // A site whose policy forbids WebAssembly. A header beside the page's own is not heeded by WebKit.
  cpSync(join(kSite, 'e'), join(folder, 'coreless/e'), { recursive: true });
  const page = join(folder, 'coreless/e/index.html');
  const text = readFileSync(page, 'utf8');
  if (!text.includes(kAllows)) throw new Error(`the embed page does not say ${kAllows}`);
  writeFileSync(page, text.replace(kAllows, ''));
  const coreless = await serve(join(folder, 'coreless'), { port: 8600 });

  const silent = createSocket(() => {}); // takes calls and never answers
  const silence = await listening(silent);
  const gone = createSocket();
  const down = await listening(gone);
  gone.close();

  const fill = (text, home) => {
    const options = { home, id: 'demo' };
    const words = {
      SITE: home,
      CORELESS: coreless.url,
      SILENT: `http://127.0.0.1:${silence}/`,
      DOWN: `http://127.0.0.1:${down}/`,
      LINK: link,
      OTHER: other,
      ELEMENT: elementSnippet(facts, options),
      CHART: elementSnippet(facts, { ...options, id: 'chart', view: 'chart' }),
      FRAME: iframeSnippet(facts, options),
      PROSE: proseLink(other, 'on 16 GPUs', options),
    };
    return text.replace(/%([A-Z]+)%/g, (mark, word) => words[word] ?? mark);
  };

  const headers = policies(site.url);
  const pages = createServer((request, response) => {
    const [, policy, name] = /^\/(\w+)\/([\w-]+\.\w+)$/.exec(request.url.split('?')[0]) ?? [];
    let body;
    try {
      // A host may also keep the loader itself.
      body =
        name === 'llm-envelope.js'
          ? readFileSync(join(kSite, 'embed/1', name))
          : fill(readFileSync(join(kPages, name), 'utf8'), site.url);
    } catch {
      response.writeHead(name || request.url === '/favicon.ico' ? 204 : 404).end();
      return;
    }
    response.writeHead(200, { 'content-type': kTypes[extname(name)], ...headers[policy] });
    response.end(body);
  });
  const port = await listening(pages);

  cpSync(join(kPages, 'host.css'), join(folder, 'host.css'));
  writeFileSync(
    join(folder, 'file.html'),
    fill(readFileSync(join(kPages, 'file.html'), 'utf8'), 'site/'),
  );

  return {
    link,
    other,
    facts,
    site: site.url,
    // Another name than the site's, so that the two are foreign to each other in every respect.
    url: (page, policy = 'open') => `http://localhost:${port}/${policy}/${page}`,
    file: pathToFileURL(join(folder, 'file.html')).href,
    async close() {
      pages.closeAllConnections();
      pages.close();
      silent.close();
      rmSync(folder, { recursive: true });
      await Promise.all([site.close(), coreless.close()]);
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const hosts = await start_hosts();
  console.log(`${hosts.url('element.html')} and the like; Ctrl-C stops them`);
}
