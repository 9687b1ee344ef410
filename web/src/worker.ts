// SPDX-License-Identifier: MIT
// The core, off the main thread. One message shape in, one out.
import createEnvelope, { type PageEnvelope } from 'envelope-core';
import wasm from 'envelope-core-wasm?url';
import book from '../../core/catalog/replays.json?url';
import type { Reply, Request } from './client';

const loading: Promise<PageEnvelope> = createEnvelope({ locateFile: () => wasm });

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
