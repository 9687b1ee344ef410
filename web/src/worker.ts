// SPDX-License-Identifier: MIT
// The core, off the main thread. One message shape in, one out.
import wasm from 'envelope-core-wasm?url';
import book from '../../core/catalog/replays.json?url';
import createPage, { type PageEnvelope } from '../../wasm/page.mjs';
import type { Reply, Request } from './client';

/** Compiles while it loads, where the host says what the file is. */
async function compiled(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compileStreaming(fetch(wasm));
  } catch {
    const response = await fetch(wasm);
    if (!response.ok) throw new Error(`${response.status} ${wasm}`);
    return WebAssembly.compile(await response.arrayBuffer());
  }
}
const loading = compiled().then(createPage);

/** Only the pages that show the replays need their text. */
async function replays(core: PageEnvelope): Promise<string> {
  const response = await fetch(book);
  if (!response.ok) throw new Error(`${response.status} ${book}`);
  return core.replaysOf(await response.text());
}

addEventListener('message', async ({ data }: MessageEvent<Request>) => {
  const { id, call, argument } = data;
  try {
    const core = await loading;
    if (call === 'sweep') {
      const points = Float64Array.from(core.sweep(argument));
      postMessage({ id, result: points } satisfies Reply, { transfer: [points.buffer] });
    } else {
      const result =
        call === 'schema'
          ? core.schema()
          : call === 'replays'
            ? await replays(core)
            : core[call](argument);
      postMessage({ id, result } satisfies Reply);
    }
  } catch (error) {
    postMessage({ id, error: String(error) } satisfies Reply);
  }
});
