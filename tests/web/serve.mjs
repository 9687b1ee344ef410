// SPDX-License-Identifier: MIT
// A static host, as plain as the ones the page must work on.
//   node serve.mjs FOLDER [PORT]     serves and prints the address
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';

const kTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml; charset=utf-8',
};
const kPacked = new Set(['.ico', '.png', '.woff2']);
const kFirstPort = 8123;

/** The file that a URL path names below `root`, a folder's path to redirect to, or null. */
function find(root, path) {
  const file = resolve(root, '.' + path);
  if (file !== root && !file.startsWith(root + sep)) return null;
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return null;
  if (stat.isFile()) return { file };
  if (!path.endsWith('/')) return { redirect: true };
  const index = join(file, 'index.html');
  return statSync(index, { throwIfNoEntry: false })?.isFile() ? { file: index } : null;
}

function answer(root, prefix, request, response) {
  const url = new URL(request.url, 'http://localhost');
  let path = null;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    // Not an encoded path: not found, below.
  }
  const usable = path?.startsWith(prefix) && !path.includes('\0');
  const found = usable ? find(root, '/' + path.slice(prefix.length)) : null;
  if (found?.redirect) {
    response.writeHead(301, { location: url.pathname + '/' + url.search }).end();
    return;
  }
  if (!found) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
    return;
  }
  const extension = extname(found.file);
  const headers = {
    'cache-control': 'no-cache',
    'content-type': kTypes[extension] ?? 'application/octet-stream',
  };
  const packs = !kPacked.has(extension) && /\bgzip\b/.test(request.headers['accept-encoding']);
  if (packs) headers['content-encoding'] = 'gzip';
  response.writeHead(200, headers);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const stages = [createReadStream(found.file), ...(packs ? [createGzip()] : []), response];
  pipeline(stages, () => {}); // a reader who leaves early is no error
}

function listen(server, host, port) {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      done();
    });
  });
}

/**
 * Serves `folder` under `prefix` (a path that ends in a slash) on the first free port from `port`
 * on. Resolves to its address and a function that stops it.
 */
export async function serve(folder, { port = kFirstPort, host = '127.0.0.1', prefix = '/' } = {}) {
  const root = resolve(folder);
  const server = createServer((request, response) => answer(root, prefix, request, response));
  for (let tries = 100; ; ++port, --tries) {
    try {
      await listen(server, host, port);
      break;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || tries === 0) throw error;
    }
  }
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { url: `http://${host}:${port}${prefix}`, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, port] = process.argv.slice(2);
  const { url } = await serve(folder, port ? { port: Number(port) } : {});
  console.log(`Envelope is at ${url} (Ctrl-C stops it)`);
}
