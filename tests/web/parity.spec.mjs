// SPDX-License-Identifier: MIT
// The page's own worker, in this browser, gives the bytes that the core gives elsewhere.
import { expect, test } from './fixtures.mjs';
import { scenarios_of_all_kinds, same } from './scenarios.mjs';
import { ask, asset, core, core_in_node } from './site.mjs';

const scenarios = await scenarios_of_all_kinds();

test(`${scenarios.length} answers are the same bytes as natively`, async ({ page, browserName }) => {
  await page.goto('./');
  const answers = await page.evaluate(in_worker, [`assets/${asset(/^worker-.*\.js$/)}`, scenarios]);
  expect(answers.length).toBe(scenarios.length);
  for (const [i, [call, argument]] of scenarios.entries()) {
    const what = `${browserName} ${call} ${argument.slice(0, 80)}`;
    expect(answers[i] === (await core_in_node(call, argument)), `${what}: as in Node`).toBe(true);
    expect(same(answers[i], await core(call, argument)), `${what}: as native`).toEqual([]);
  }
  expect(JSON.parse(answers[0]).steps.length).toBeGreaterThan(20);
});

test('a sweep is the same numbers', async ({ page }) => {
  const { steps } = await ask('estimate', '');
  const request = JSON.stringify({
    scenario: '',
    axes: [{ path: 'cluster.gpus', values: [8, 64, 1024] }],
    metrics: steps.map(({ id }) => id),
  });
  await page.goto('./');
  const worker = `assets/${asset(/^worker-.*\.js$/)}`;
  const [found] = await page.evaluate(in_worker, [worker, [['sweep', request]]]);
  const expected = [...(await core_in_node('sweep', request))].map(String);
  expect(found.length).toBe(3 * (1 + steps.length));
  expect(found).toEqual(expected);
});

/** Runs in the page: what the worker says to each call. */
async function in_worker([url, calls]) {
  const worker = new Worker(url, { type: 'module' });
  const replies = [];
  for (const [id, [call, argument]] of calls.entries()) {
    const reply = new Promise((done, fail) => {
      worker.onmessage = ({ data }) => (data.error ? fail(new Error(data.error)) : done(data.result));
      worker.onerror = ({ message }) => fail(new Error(message));
    });
    worker.postMessage({ id, call, argument });
    const result = await reply;
    replies.push(typeof result === 'string' ? result : [...result].map(String));
  }
  worker.terminate();
  return replies;
}
