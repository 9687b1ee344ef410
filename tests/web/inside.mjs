// SPDX-License-Identifier: MIT
// Functions that run inside the page: they may use nothing from outside themselves.

/** The exact values behind all numbers on the page, with their metrics. */
export function exact() {
  return [...document.querySelectorAll('[data-metric]')].map((door) => [
    door.dataset.metric,
    /: (\S+)\. Show the work\.$/.exec(door.title)?.[1] ?? door.title,
  ]);
}

/** What a worker of the page's own says to each [call, argument]. */
export async function in_worker([url, calls]) {
  const worker = new Worker(url, { type: 'module' });
  const replies = [];
  for (const [id, [call, argument]] of calls.entries()) {
    const reply = new Promise((done, fail) => {
      worker.onmessage = ({ data }) =>
        data.error ? fail(new Error(data.error)) : done(data.result);
      worker.onerror = ({ message }) => fail(new Error(message));
    });
    worker.postMessage({ id, call, argument });
    const result = await reply;
    replies.push(typeof result === 'string' ? result : [...result].map(String));
  }
  worker.terminate();
  return replies;
}
