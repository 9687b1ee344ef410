// SPDX-License-Identifier: MIT
// Loads the three forms of the module in Node, as a page would.
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

import createPage from '../../wasm/page.mjs';

const built = new URL('../../build/wasm/', import.meta.url);

/** The ES module, given the bytes of its .wasm file. */
export async function load() {
  const { default: createEnvelope } = await import(new URL('envelope.mjs', built));
  return createEnvelope({ wasmBinary: readFileSync(new URL('envelope.wasm', built)) });
}

/** One of the page's modules: 'page' for all visitors, 'rare' for what few ask for. */
export async function load_page(part) {
  return createPage(new WebAssembly.Module(readFileSync(new URL(`envelope.${part}.wasm`, built))));
}

/** The classic script, in a context that has what a sandboxed frame has. */
export async function load_single() {
  const context = vm.createContext({
    atob, console, document: { currentScript: { src: 'about:srcdoc' } }, performance, TextDecoder, URL,
  });
  context.window = context.self = context;
  context.location = { href: 'about:srcdoc' };
  vm.runInContext(readFileSync(new URL('envelope.single.js', built), 'utf8'), context);
  return context.createEnvelope();
}
