// SPDX-License-Identifier: MIT
// The page's own worker, in this browser, gives the bytes that the core gives elsewhere.
import { corpus, differences } from '../links/corpus.mjs';
import { expect, test } from './fixtures.mjs';
import { in_worker } from './inside.mjs';
import { same, scenarios_of_all_kinds } from './scenarios.mjs';
import { ask, asset, core, core_in_node } from './site.mjs';

const scenarios = await scenarios_of_all_kinds();

test(`${scenarios.length} answers are the same bytes as natively`, async ({
  page,
  browserName,
}) => {
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

test('links that were ever shared open, and show what they showed', async ({ page }) => {
  await page.goto('./');
  const worker = `assets/${asset(/^worker-.*\.js$/)}`;
  const calls = corpus.map(({ raw }) => ['estimate', raw]);
  const answers = await page.evaluate(in_worker, [worker, calls]);
  expect(answers.length).toBe(corpus.length);
  expect(corpus.length).toBeGreaterThan(59);
  for (const [i, row] of corpus.entries())
    expect(differences(row, answers[i]), row.raw).toEqual([]);
});
