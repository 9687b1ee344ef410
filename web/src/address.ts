// SPDX-License-Identifier: MIT
// The scenario in the address bar. The fragment is canonical; a query string is read for platforms that
// drop fragments, and rewritten.

export interface Place {
  readonly hash: string;
  readonly search: string;
  readonly pathname: string;
}

/** The link that an address carries, or empty. `?utm_source=...` alone is not a scenario. */
export function linkOf(place: Place, keys: ReadonlySet<string>): string {
  const fragment = place.hash.replace(/^#/, '');
  if (fragment.includes('=') || fragment.includes('%3D')) return fragment;
  const query = place.search
    .replace(/^\?/, '')
    .split('&')
    .filter((pair) => keys.has((pair.split('=')[0] ?? '').toLowerCase().replace(/^[b-d]\./, '')));
  return query.join('&');
}

export interface Address {
  /** Puts the link into the address bar a little later; the newest of a burst is written. */
  write(link: string): void;
  /** The same at once, as a new entry: the way back is the browser's. */
  push(link: string): void;
  /** Writes what is waiting, at once. */
  flush(): void;
  cancel(): void;
}

/** WebKit throws at the 101st replaceState in ten seconds, hence the delay and the try. */
export function createAddress(
  page: { location: Place; history: Pick<History, 'replaceState' | 'pushState'> },
  delay = 250,
): Address {
  let waiting: string | null = null;
  let from = ''; // what the waiting link continues; after a jump the address is not ours to replace
  let timer: ReturnType<typeof setTimeout> | undefined;
  function flush(): void {
    clearTimeout(timer);
    const link = waiting;
    waiting = null;
    if (link === null || page.location.hash !== from) return;
    if (page.location.hash === `#${link}` && page.location.search === '') return;
    try {
      page.history.replaceState(null, '', `${page.location.pathname}#${link}`);
    } catch {
      waiting = link;
      timer = setTimeout(flush, 10_000);
    }
  }
  return {
    write(link) {
      waiting = link;
      from = page.location.hash;
      clearTimeout(timer);
      timer = setTimeout(flush, delay);
    },
    push(link) {
      flush();
      page.history.pushState(null, '', `${page.location.pathname}#${link}`);
    },
    flush,
    cancel() {
      clearTimeout(timer);
      waiting = null;
    },
  };
}
