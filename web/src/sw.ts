// SPDX-License-Identifier: MIT
// Opens the site without a network. Files whose names hold their hash come from the cache; pages come from
// the network while there is one, so that a new release is seen at once.
//
// A new worker waits until the pages of the old one are closed: they may still load their own files later.

/** Names of files below the scope, and a hash of them all: web/service.mjs */
declare const ENVELOPE_FILES: readonly string[];
declare const ENVELOPE_HASH: string;

/** What TypeScript's library for pages does not have. */
interface Lifetime extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetched extends Lifetime {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
declare const registration: { readonly scope: string };

const kOurs = 'envelope ';
// Other folders of this host may have an Envelope of their own.
const kPrefix = `${kOurs}${registration.scope} `;
const kCache = kPrefix + ENVELOPE_HASH;
const kImmutable = /^(assets\/|e\/embed\.\w+\?)/;
const kFrozen = /^r\//; // releases that stay as they are; each visit loads them

addEventListener('install', (event) => {
  const fill = async () => {
    const cache = await caches.open(kCache);
    // Not from the HTTP cache, which may hold files of an older release under the same names.
    await cache.addAll(ENVELOPE_FILES.map((file) => new Request(file, { cache: 'no-cache' })));
  };
  (event as Lifetime).waitUntil(fill());
});

addEventListener('activate', (event) => {
  const clear = async () => {
    for (const name of await caches.keys())
      if (name.startsWith(kPrefix) && name !== kCache) await caches.delete(name);
  };
  (event as Lifetime).waitUntil(clear());
});

async function keep(request: Request, response: Response): Promise<Response> {
  if (response.ok && response.type === 'basic')
    await (await caches.open(kCache)).put(request, response.clone());
  return response;
}

/** Of this worker alone, not of another folder's. A link in the query is the same page. */
async function cached(request: Request, page: boolean): Promise<Response | undefined> {
  return (await caches.open(kCache)).match(request, { ignoreSearch: page });
}

async function immutable(request: Request): Promise<Response> {
  return (await cached(request, false)) ?? keep(request, await fetch(request));
}

async function fresh(request: Request, page: boolean): Promise<Response> {
  try {
    const response = await fetch(request);
    // A link in the query would make a copy of the page for each scenario.
    return page && new URL(request.url).search ? response : await keep(request, response);
  } catch (error) {
    const known = await cached(request, page);
    if (known) return known;
    throw error;
  }
}

addEventListener('fetch', (event) => {
  const { request } = event as Fetched;
  if (request.method !== 'GET' || !request.url.startsWith(registration.scope)) return;
  const path = request.url.slice(registration.scope.length);
  if (kFrozen.test(path)) return;
  const page = request.mode === 'navigate';
  (event as Fetched).respondWith(kImmutable.test(path) ? immutable(request) : fresh(request, page));
});
