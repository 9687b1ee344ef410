// SPDX-License-Identifier: MIT
// The forms of the module load, and give the same answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { same as differing } from '../web/scenarios.mjs';
import { load, load_page, load_single } from './module.mjs';

const module = await load();
const single = await load_single();
const schema = JSON.parse(module.schema());
const replays = JSON.parse(module.replays());

test('the tables and the replays come across', () => {
  assert.ok(schema.fields.length > 0 && schema.metrics.length > 0);
  assert.ok(replays.rows.length > 0);
  assert.ok(single.schema() === module.schema());
  assert.ok(single.replays() === module.replays());
});

test('the single file gives the bytes that the module gives', () => {
  for (const row of replays.rows) {
    for (const { link } of row.items) {
      assert.ok(single.open(link) === module.open(link), link);
      assert.ok(single.estimate(link) === module.estimate(link), link);
    }
  }
});

test('the modules of the page give the same bytes', async () => {
  const page = await load_page('page');
  const rare = await load_page('rare');
  assert.deepEqual(
    [...Object.keys(page), ...Object.keys(rare)].sort(),
    ['compare', 'estimate', 'importConfig', 'open', 'replays', 'schema', 'sweep'],
  );
  assert.ok(rare.replays() === module.replays());
  const { sources, formats, laws, ...shown } = schema; // and texts, which the page loads later
  for (const list of ['fields', 'metrics'])
    shown[list] = schema[list].map(({ help, since, source, ...row }) => row);
  assert.deepEqual(JSON.parse(page.schema()), shown);
  for (const { link } of schema.examples) {
    assert.ok(page.estimate(link) === module.estimate(link), link);
    assert.ok(page.open(link) === module.open(link), link);
    const pair = JSON.stringify({ scenarios: [link, ''] });
    assert.ok(page.compare(pair) === module.compare(pair), link);
    const request = JSON.stringify({
      scenario: link,
      axes: [{ path: 'cluster.gpus', from: 8, to: 65536, count: 5000, scale: 'log' }],
      metrics: ['cost.total', 'layout.per_gpu', 'time.total'],
    });
    assert.deepEqual(page.sweep(request), module.sweep(request)); // the memory grows meanwhile
  }
  const config = '{"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32}';
  for (const text of [config, '', '{', '\u0000', 'x'.repeat(100_000), '['.repeat(100_000), 'é€😀']) {
    for (const call of ['estimate', 'open', 'compare'])
      assert.ok(page[call](text) === module[call](text), `${call} ${text.slice(0, 20)}`);
    assert.ok(rare.importConfig(text) === module.importConfig(text), text.slice(0, 20));
  }
});

test('the module of an embed has the numbers and the words of the others', async () => {
  const embed = await load_page('embed');
  assert.deepEqual(Object.keys(embed).sort(), ['estimate', 'open', 'schema', 'sweep']);
  const links = [
    ...schema.examples.map((e) => e.link),
    ...replays.rows.flatMap((row) => row.items.map((item) => item.link)),
    'v=99&foo=3&model=nosuch&tokens=<b>x</b>&n=1.5',
    'v=1&n=8&tp=8',
  ];
  for (const link of links) {
    const [small, whole] = [embed, module].map((m) => JSON.parse(m.estimate(link)));
    const { findings, quotes, steps, verdict, memory, ...same } = whole;
    const { quotes: named, findings: none, ...rest } = small;
    assert.deepEqual(none, []);
    const expected = {
      ...same,
      ...(memory && { memory: { ...memory, least: null } }),
      steps: steps.map(({ id, value }) => ({ id, value })),
      verdict: { ...verdict, remedies: [] },
    };
    // pow of another optimisation level may differ in the last place.
    const parts = [rest, expected].map((answer) => JSON.stringify(Object.entries(answer).sort()));
    assert.deepEqual(differing(...parts), [], link);
    for (const row of ['model', 'gpu']) assert.equal(named[row]?.name, quotes[row]?.name);
    assert.ok(embed.open(link) === module.open(link), link);
  }
  const { fields } = JSON.parse(embed.schema());
  assert.deepEqual(
    fields.map(({ key, label, choices }) => [key, label, choices]),
    schema.fields.map(({ key, label, choices }) => [key, label, choices]),
  );
});

test('text beyond ASCII arrives and returns unharmed', () => {
  const { problems } = JSON.parse(module.estimate(JSON.stringify({ 'modèle <b>😀</b>': 'é\u0000€' })));
  assert.equal(problems.length, 1);
  assert.equal(problems[0].path, 'modèle <b>😀</b>');
  assert.equal(problems[0].value, 'é\u0000€');
});

test('a sweep is a copy that a later call does not change', () => {
  const field = schema.fields.find((row) => row.type === 'number' && row.default > 0);
  const metric = JSON.parse(module.estimate('')).steps[0].id;
  const request = (count) =>
    JSON.stringify({
      scenario: '',
      axes: [{ path: field.path, values: Array(count).fill(field.default) }],
      metrics: [metric],
    });
  const first = module.sweep(request(3));
  assert.ok(first instanceof Float64Array);
  assert.equal(first.length, 6);
  const before = [...first];
  module.sweep(request(20_000)); // the memory grows
  assert.deepEqual([...first], before);
});

test('garbage of any length is a list of problems, and the module lives on', () => {
  for (const text of ['', '{', '\u0000', 'x'.repeat(100_000), '['.repeat(100_000), '\ud800']) {
    const { problems, link } = JSON.parse(module.estimate(text));
    assert.ok(Array.isArray(problems) && typeof link === 'string');
    JSON.parse(module.open(text));
    JSON.parse(module.compare(text));
    module.sweep(text);
  }
  assert.ok(module.schema() === single.schema());
});
