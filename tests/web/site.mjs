// SPDX-License-Identifier: MIT
// The built site as files, and the core that the pages must agree with.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';

import { load } from '../wasm/module.mjs';

export { kHome } from '../../web/home.mjs';

const root = resolve(import.meta.dirname, '../..');
export const kReports = join(root, 'build/reports');
/** Another folder can be named, such as a copy with something broken in it. */
export const kSite = resolve(process.env.ENVELOPE_SITE ?? join(root, 'build/site'));

/** The paths of all pages: '' and 'replays/' and the like. What stands in frames is no page. */
export function pages() {
  return readdirSync(kSite, { recursive: true })
    .map(String)
    .filter((name) => /(^|\/)index\.html$/.test(name) && name !== 'e/index.html')
    .map((name) => relative('.', name).replace(/index\.html$/, ''))
    // Not those of frozen releases, which are the same again, and not the frame of embeds.
    .filter((path) => !/^[re]\//.test(path))
    .sort();
}
/** One page of each kind: those of the gallery and of the replays are many and alike. */
export function kinds() {
  const isReplay = (path) => /-[a-d]\d+\/$/.test(path);
  const one = (some) => pages().filter((path) => /^s\/./.test(path)).find(some);
  const shown = new Set([one(isReplay), one((path) => !isReplay(path))]);
  return pages().filter((path) => !/^s\/./.test(path) || shown.has(path));
}
export const read = (path) => readFileSync(join(kSite, path, 'index.html'), 'utf8');
export const asset = (pattern) =>
  readdirSync(join(kSite, 'assets')).find((name) => pattern.test(name));

const cli = join(root, 'build/release/envelope');
const run = promisify(execFile);
let module;

/** The answer of the native command line, or of the WASM module in Node where it is not built. */
export async function core(call, ...input) {
  if (existsSync(cli)) {
    const { stdout } = await run(cli, [call, ...input, '--json'], { maxBuffer: 1 << 26 });
    return stdout.trimEnd();
  }
  return core_in_node(call, ...input);
}
export async function core_in_node(call, ...input) {
  module ??= await load();
  return module[call](...input);
}
export const ask = async (call, ...input) => JSON.parse(await core(call, ...input));

/** A patch in which `changes` are made to what `link` says. */
export async function patched(link, changes) {
  const { patch } = await ask('open', link);
  return JSON.stringify({ ...patch, ...changes });
}
