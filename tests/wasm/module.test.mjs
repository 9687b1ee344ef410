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
  assert.deepEqual(Object.keys(page).sort(), ['estimate', 'open', 'schema', 'sweep']);
  for (const call of [
    'bestModel',
    'calibrate',
    'chart',
    'compare',
    'estimate',
    'importConfig',
    'launch',
    'plan',
    'replays',
    'sensitivity',
    'step',
    'sweep',
  ])
    assert.ok(call in rare, call);
  assert.ok(rare.replays() === module.replays());
  const { sources, formats, laws, ...shown } = schema; // and texts, which the page loads later
  for (const list of ['fields', 'metrics'])
    shown[list] = schema[list].map(({ help, since, source, ...row }) => row);
  assert.deepEqual(JSON.parse(page.schema()), shown);
  for (const { link } of schema.examples) {
    assert.ok(page.estimate(link) === module.estimate(link), link);
    assert.ok(page.open(link) === module.open(link), link);
    assert.ok(rare.step(link) === module.step(link), link);
    const measured = JSON.stringify({ scenario: link, quantity: 'mfu', value: 0.3 });
    assert.ok(rare.calibrate(measured) === module.calibrate(measured), link);
    const asked = JSON.stringify({ scenario: link, keep: 3, most: 2000, gains: false });
    assert.ok(rare.plan(asked) === module.plan(asked), link);
    assert.ok(rare.sensitivity(link) === module.sensitivity(link), link);
    assert.ok(rare.chart(`${link}&x=gpu&y=tp`) === module.chart(`${link}&x=gpu&y=tp`), link);
    const start = JSON.stringify({ scenario: link });
    assert.ok(rare.launch(start) === module.launch(start), link);
    const pair = JSON.stringify({ scenarios: [link, ''] });
    assert.ok(rare.compare(pair) === module.compare(pair), link);
    const request = JSON.stringify({
      scenario: link,
      axes: [{ path: 'cluster.gpus', from: 8, to: 65536, count: 5000, scale: 'log' }],
      metrics: ['cost.total', 'layout.per_gpu', 'time.total'],
    });
    assert.deepEqual(page.sweep(request), module.sweep(request)); // the memory grows meanwhile
  }
  const config = '{"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32}';
  for (const text of [
    config,
    '',
    '{',
    '\u0000',
    'x'.repeat(100_000),
    '['.repeat(100_000),
    'é€😀',
  ]) {
    for (const call of ['estimate', 'open'])
      assert.ok(page[call](text) === module[call](text), `${call} ${text.slice(0, 20)}`);
    assert.ok(rare.compare(text) === module.compare(text), text.slice(0, 20));
    assert.ok(rare.importConfig(text) === module.importConfig(text), text.slice(0, 20));
  }
});

test('what is to be solved for is left to the rare module, and to it alone', async () => {
  const page = await load_page('page');
  const rare = await load_page('rare');
  for (const link of [
    'n=16384&deadline=30d&solve=tokens',
    'task=serve&model=llama-3.1-70b&n=8&peruser=30&solve=batch',
  ]) {
    const pair = JSON.stringify({ scenarios: ['', link] });
    const sweep = JSON.stringify({
      scenario: link,
      axes: [{ path: 'price.usd_per_gpu_hour', values: [1, 2] }],
      metrics: ['layout.per_gpu'],
    });
    assert.equal(page.estimate(link), '');
    assert.equal(page.sweep(sweep).length, 0);
    assert.ok(rare.estimate(link) === module.estimate(link), link);
    assert.ok(JSON.parse(rare.estimate(link)).solved.met, link);
    assert.ok(rare.compare(pair) === module.compare(pair), link);
    assert.deepEqual(rare.sweep(sweep), module.sweep(sweep));
    assert.equal(rare.sweep(sweep).length, 4);
  }
  const budget = '{"scenario": "model=llama-3.1-8b", "usd": 1e5, "served": 1e12}';
  assert.ok(rare.bestModel(budget) === module.bestModel(budget));
  assert.ok(JSON.parse(rare.bestModel(budget)).optimal.usd > 0.99e5);
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
    const { findings, quotes, steps, verdict, memory, problems, ...same } = whole;
    const { quotes: named, findings: none, ...rest } = small;
    assert.deepEqual(none, []);
    // What stands behind the parts of a step is for those who open "Show the work".
    const shown = new Set(small.steps.map(({ id }) => id));
    const behind = steps.filter(({ id }) => !shown.has(id));
    assert.deepEqual(
      behind.filter(({ id }) => !/^(op|physics|step)\./.test(id)),
      [],
      link,
    );
    const expected = {
      ...same,
      ...(memory && { memory: { ...memory, least: null } }),
      steps: steps.filter(({ id }) => shown.has(id)).map(({ id, value }) => ({ id, value })),
      verdict: { ...verdict, remedies: [] },
      problems: problems.map(({ patches, ...problem }) => problem), // an embed repairs nothing
    };
    // pow of another optimisation level may differ in the last place.
    const parts = [rest, expected].map((answer) => JSON.stringify(Object.entries(answer).sort()));
    assert.deepEqual(differing(...parts), [], link);
    for (const row of ['model', 'gpu']) assert.equal(named[row]?.name, quotes[row]?.name);
    const opened = JSON.parse(module.open(link), (key, value) =>
      key === 'patches' ? undefined : value,
    );
    assert.deepEqual(JSON.parse(embed.open(link)), opened, link);
  }
  const { fields } = JSON.parse(embed.schema());
  assert.deepEqual(
    fields.map(({ key, label, choices }) => [key, label, choices]),
    schema.fields.map(({ key, label, choices }) => [key, label, choices]),
  );
});

test('text beyond ASCII arrives and returns unharmed', () => {
  const { problems } = JSON.parse(
    module.estimate(JSON.stringify({ 'modèle <b>😀</b>': 'é\u0000€' })),
  );
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
