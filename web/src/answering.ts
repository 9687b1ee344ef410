// SPDX-License-Identifier: MIT
// Calls of the core in its two modules, each loaded when it is first asked for.
import type { Envelope } from '../../wasm/envelope';
import createPage, { type Rare } from '../../wasm/page.mjs';
import type { Request } from './client';

type Load = () => Promise<WebAssembly.Module>;

/** After a failure the next call tries again. */
function lazily<Calls extends keyof Envelope>(load: Load) {
  let loading: Promise<Pick<Envelope, Calls>> | undefined;
  return () => {
    loading ??= load().then((m) => createPage<Calls>(m));
    loading.catch(() => (loading = undefined));
    return loading;
  };
}

export function createAnswer(frequent: Load, rare: Load) {
  const page = lazily<Exclude<keyof Envelope, Rare>>(frequent);
  const more = lazily<Rare>(rare);
  return async ({ call, argument }: Request): Promise<string | Float64Array> => {
    if (call === 'importConfig' || call === 'replays') return (await more())[call](argument);
    return (await page())[call](argument);
  };
}
