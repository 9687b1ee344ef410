// SPDX-License-Identifier: MIT
// Starts the core from a compiled module, the same way in a browser, a worker and Node.
import createEnvelope from 'envelope-core';
import { wrap, type Envelope } from './api';

/** Where the core's WASM comes from, when it is not where the package looks by itself. */
export type Wasm = string | URL | Response | ArrayBuffer | Uint8Array | WebAssembly.Module;

export interface Options {
  wasm?: Wasm;
}

export async function start(compiled: WebAssembly.Module): Promise<Envelope> {
  const core = await createEnvelope({
    instantiateWasm(imports, receive) {
      void WebAssembly.instantiate(compiled, imports).then(receive);
      return {};
    },
  });
  return wrap(core);
}

const kHelp =
  "A bundler may not have copied it. Import 'llm-envelope/inline', which has it inside, or pass " +
  "load({ wasm: URL }) with the place of 'llm-envelope/core.wasm'.";

/** Fetches and compiles; a page that is no WASM is the usual answer of a host that lacks the file. */
export async function compile(wasm: Wasm): Promise<WebAssembly.Module> {
  if (wasm instanceof WebAssembly.Module) return wasm;
  if (wasm instanceof ArrayBuffer || wasm instanceof Uint8Array)
    return WebAssembly.compile(wasm as BufferSource);
  if (!(typeof wasm === 'string' || wasm instanceof URL || wasm instanceof Response))
    throw new TypeError(
      'load({ wasm }) takes a URL, a Response, the bytes, or a WebAssembly.Module of core.wasm.',
    );
  const response = wasm instanceof Response ? wasm : await fetch(wasm);
  const place = response.url || String(wasm);
  if (!response.ok) throw new Error(`${place} was not found (${response.status}). ${kHelp}`);
  const bytes = await response.arrayBuffer();
  const magic = new Uint8Array(bytes, 0, Math.min(4, bytes.byteLength));
  if (String.fromCharCode(...magic) !== '\0asm')
    throw new Error(`${place} is no WebAssembly. ${kHelp}`);
  return WebAssembly.compile(bytes);
}
