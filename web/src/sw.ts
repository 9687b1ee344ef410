// SPDX-License-Identifier: MIT
// Opens the site without a network. Files whose names hold their hash come from the cache; pages come from
// the network while there is one, so that a new release is seen at once.
//
// What was installed together stays together: a page that came later never takes the place of one whose
// files are here. A new worker waits until the pages of the old one are closed; its files are found by all.

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
const kVisited = `${kCache} visited`; // beside what was installed
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
      if (name.startsWith(kPrefix) && !name.startsWith(kCache)) await caches.delete(name);
  };
  (event as Lifetime).waitUntil(clear());
});

async function keep(request: Request, response: Response): Promise<Response> {
  if (response.ok && response.type === 'basic')
    await (await caches.open(kVisited)).put(request, response.clone());
  return response;
}

/** Of this worker first, then of one that waits or was before; not of another folder's. */
async function cached(request: Request): Promise<Response | undefined> {
  const others = (await caches.keys()).filter((name) => name.startsWith(kPrefix));
  for (const name of [kCache, kVisited, ...others]) {
    const found = await (await caches.open(name)).match(request);
    if (found) return found;
  }
  return undefined;
}

async function immutable(request: Request): Promise<Response> {
  return (await cached(request)) ?? keep(request, await fetch(request));
}

async function fresh(request: Request, page: boolean): Promise<Response> {
  // A link in the query is the same page, and would make a copy of it for each scenario.
  const plain = page ? new Request(request.url.replace(/[?#].*/s, '')) : request;
  const installed = await (await caches.open(kCache)).match(plain);
  try {
    const response = await fetch(request);
    return installed || plain.url !== request.url ? response : await keep(request, response);
  } catch (error) {
    const known = installed ?? (await cached(plain));
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
