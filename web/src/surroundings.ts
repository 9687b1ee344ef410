// SPDX-License-Identifier: MIT
// Where the page runs: on a site. The file that works alone has offline/surroundings.ts in its place.
import type { Port } from './client';

/** Before links to other pages, on the first page. */
export const kRoot = '';

/** The address that links to this page begin with. */
export const here = (): string => location.href;

/** A release that stays as it was, r/1.0.0/: without a service worker of its own. */
export const isFrozen = (): boolean => /\/r\/\d[^/]*\//.test(globalThis.location?.pathname ?? '');

export const spawn = (): Port =>
  new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }) as unknown as Port;

/** How many workers can work at once. */
export const kCores = globalThis.navigator?.hardwareConcurrency ?? 1;

const kQuiet = 5000; // ms: after everything that someone may wait for

/** From then on the page opens without a network. Not in a frame of another page. */
export function stayOffline(): void {
  if (isFrozen() || top !== self) return;
  setTimeout(() => void navigator.serviceWorker?.register('sw.js').catch(() => undefined), kQuiet);
}
