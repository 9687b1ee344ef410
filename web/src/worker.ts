// SPDX-License-Identifier: MIT
// The core, off the main thread. One message shape in, one out.
import createEnvelope from 'envelope-core';
import wasm from 'envelope-core-wasm?url';
import type { Reply, Request } from './client';

const loading = createEnvelope({ locateFile: () => wasm });

addEventListener('message', async ({ data }: MessageEvent<Request>) => {
  const { id, call, argument } = data;
  try {
    const core = await loading;
    if (call === 'sweep') {
      const points = Float64Array.from(core.sweep(argument));
      postMessage({ id, result: points } satisfies Reply, { transfer: [points.buffer] });
    } else {
      const result = call === 'schema' || call === 'replays' ? core[call]() : core[call](argument);
      postMessage({ id, result } satisfies Reply);
    }
  } catch (error) {
    postMessage({ id, error: String(error) } satisfies Reply);
  }
});
