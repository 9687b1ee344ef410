// SPDX-License-Identifier: MIT
// llm-envelope where a bundler or a server puts core.wasm beside this file.
import { compile, start, type Options } from './core';
import type { Envelope } from './api';

export type * from './api';
export type { Options, Wasm } from './core';

export async function load({ wasm }: Options = {}): Promise<Envelope> {
  return start(await compile(wasm ?? new URL('./core.wasm', import.meta.url)));
}
