// SPDX-License-Identifier: MIT
// The core inside of the script, so that a frame without an origin, or a file, needs no request for it.
import packed from 'envelope-packed-wasm';
import type { Answer, Patch, Schema, SweepRequest } from '../api';
import createPage from '../../../wasm/page.mjs';

/** Everything runs where it is asked: an answer takes about a millisecond. */
export interface Core {
  schema: Schema;
  estimate(scenario: string | Patch): Answer;
  sweep(request: SweepRequest): Float64Array;
}

async function unpacked(): Promise<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

/** Tables that the small core has not; lists of them are empty. */
const kAbsent = { prices: [], formats: [], laws: [], sources: {} };

let loading: Promise<Core> | undefined; // one for all elements of a page

async function load(): Promise<Core> {
  const compiled = await WebAssembly.compile(await unpacked());
  const page = await createPage<'schema' | 'estimate' | 'sweep'>(compiled);
  return {
    schema: { ...kAbsent, ...(JSON.parse(page.schema()) as Schema) },
    estimate: (scenario) =>
      JSON.parse(
        page.estimate(typeof scenario === 'string' ? scenario : JSON.stringify(scenario)),
      ) as Answer,
    sweep: (request) => page.sweep(JSON.stringify(request)),
  };
}

export const core = (): Promise<Core> => (loading ??= load());
