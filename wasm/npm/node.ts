// SPDX-License-Identifier: MIT
// llm-envelope in Node: core.wasm is read from the disk.
import { readFile } from 'node:fs/promises';
import { compile, start, type Options } from './core';
import type { Envelope } from './api';

export async function load({ wasm }: Options = {}): Promise<Envelope> {
  const own = wasm ?? new URL('./core.wasm', import.meta.url);
  const onDisk = own instanceof URL && own.protocol === 'file:';
  return start(await compile(onDisk ? await readFile(own) : own));
}
