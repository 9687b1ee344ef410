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

/**
 * Milliseconds from an edit of the tokens to the plans for it, for each text; and the longest task of the
 * page meanwhile, where the browser tells.
 */
export async function times_to_plan(texts) {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  let longest = PerformanceObserver.supportedEntryTypes.includes('longtask') ? 0 : null;
  const watch = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  });
  if (longest !== null) watch.observe({ type: 'longtask' });
  const input = document.getElementById('f-run.tokens');
  const times = [];
  for (const text of texts) {
    const begun = performance.now();
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    const shown = () => performance.getEntriesByName('plans')[0]?.startTime ?? 0;
    while (shown() < begun && performance.now() < begun + 10e3) await pause(5);
    times.push(shown() - begun);
    await pause(250); // the charts
  }
  watch.disconnect();
  return { times, longest };
}
