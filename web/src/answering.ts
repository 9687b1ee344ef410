// SPDX-License-Identifier: MIT
// Calls of the core in its two modules, each loaded when it is first asked for.
import type { Envelope } from '../../wasm/envelope';
import createPage, { kRare, type Rare } from '../../wasm/page.mjs';
import type { Request } from './client';

const isRare = (call: keyof Envelope): call is Rare => kRare.some((rare) => rare === call);

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

/** Of these the frequent module answers nothing where something is to be solved for. */
type Either = 'estimate' | 'sweep';

export function createAnswer(frequent: Load, rare: Load) {
  const page = lazily<Exclude<keyof Envelope, Rare>>(frequent);
  const more = lazily<Rare | Either>(rare);
  return async ({ call, argument }: Request): Promise<string | Float64Array> => {
    if (isRare(call)) return (await more())[call](argument);
    const result = (await page())[call](argument);
    const either = call === 'estimate' || call === 'sweep';
    return either && result.length === 0 ? (await more())[call](argument) : result;
  };
}
