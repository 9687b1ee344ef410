// SPDX-License-Identifier: MIT
// The core, off the main thread. One message shape in, one out.
import frequent from 'envelope-page-wasm?url';
import rare from 'envelope-rare-wasm?url';
import { createAnswer } from './answering';
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

const answer = createAnswer(
  () => compiled(frequent),
  () => compiled(rare),
);

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
