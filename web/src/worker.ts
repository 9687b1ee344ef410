// SPDX-License-Identifier: MIT
// The core, off the main thread. One message shape in, one out.
import frequent from 'envelope-page-wasm?url';
import rare from 'envelope-rare-wasm?url';
import type { Envelope } from '../../wasm/envelope';
import createPage, { type Rare } from '../../wasm/page.mjs';
import type { Reply, Request } from './client';

/** Compiles while it loads, where the host says what the file is. */
async function compiled(file: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compileStreaming(fetch(file));
  } catch {
    const response = await fetch(file);
    if (!response.ok) throw new Error(`${response.status} ${file}`);
    return WebAssembly.compile(await response.arrayBuffer());
  }
}

/** Loads when it is first asked for; after a failure the next call tries again. */
function lazily<Calls extends keyof Envelope>(file: string) {
  let loading: Promise<Pick<Envelope, Calls>> | undefined;
  return () => {
    loading ??= compiled(file).then((m) => createPage<Calls>(m));
    loading.catch(() => (loading = undefined));
    return loading;
  };
}
const page = lazily<Exclude<keyof Envelope, Rare>>(frequent);
const more = lazily<Rare>(rare);

async function answer({ call, argument }: Request): Promise<string | Float64Array> {
  if (call === 'importConfig' || call === 'replays') return (await more())[call](argument);
  return (await page())[call](argument);
}

addEventListener('message', async ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  try {
    const result = await answer(data);
    if (typeof result === 'string') postMessage({ id, result } satisfies Reply);
    else postMessage({ id, result } satisfies Reply, { transfer: [result.buffer] });
  } catch (error) {
    postMessage({ id, error: String(error) } satisfies Reply);
  }
});
