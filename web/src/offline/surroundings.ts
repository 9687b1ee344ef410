// SPDX-License-Identifier: MIT
// Where the page runs: in one file, alone, opened from a disk. Both modules of the core are inside, and
// answer in the same thread: some browsers give a file no worker, and an answer takes about a millisecond.
import frequent from 'envelope-page-packed';
import rare from 'envelope-rare-packed';
import { createAnswer } from '../answering';
import type { Port } from '../client';

/** The site that the file was taken from, which web/src/offline.ts writes into it, or that of the build. */
const { home = '' } = document.documentElement.dataset;
const kSite = /^https?:\/\/[^?#]*\/$/.test(home) ? home : ENVELOPE_HOME;

/** The other pages are on the site. */
export const kRoot = kSite;

/** A link to a file on someone's disk is of no use to others. */
export const here = (): string => kSite;

export const isFrozen = (): boolean => false;

async function compiled(packed: string): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

export function spawn(): Port {
  const answer = createAnswer(
    () => compiled(frequent),
    () => compiled(rare),
  );
  const port: Port = {
    onmessage: null,
    onerror: null,
    postMessage(request) {
      const { id } = request;
      const work = () =>
        answer(request).then(
          (result) => port.onmessage?.({ data: { id, result } }),
          (error: unknown) => port.onmessage?.({ data: { id, error: String(error) } }),
        );
      // Between the slices of a search the page must be able to listen.
      if (request.call === 'plan') setTimeout(work);
      else void work();
    },
    terminate() {
      port.onmessage = null;
    },
  };
  return port;
}

/** There are no workers: all is done in this thread, so nothing long is done unasked. */
export const kCores = 0;

/** It needs no help to do so. */
export function stayOffline(): void {}
