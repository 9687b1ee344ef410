// SPDX-License-Identifier: MIT
// The command line and the module are one core: the same scenario gives the same bytes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import { load } from './module.mjs';

const kRandomScenarios = 500;
// pow, exp and log are the C library's, and may differ in the last place; the rest may not.
const kLibmTolerance = 1e-12;

const module = await load();
const schema = JSON.parse(module.schema());
const cli = fileURLToPath(new URL('../../build/release/envelope', import.meta.url));

/** The command line's answers, one a line of input. */
function ask(command, lines = ['']) {
  const options = { input: lines.join('\n') + '\n', encoding: 'utf8', maxBuffer: 1 << 28 };
  return execFileSync(cli, [command, '--lines'], options).trimEnd().split('\n');
}

// A small generator of our own (mulberry32): the same scenarios on every machine.
let state = 20261122;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const pick = (list) => list[Math.floor(random() * list.length)];

function random_number({ min, max, whole }) {
  const low = Math.max(min ?? 0, 1e-3);
  const high = Math.min(max ?? 1e15, 1e15);
  const x = low * (high / low) ** random();
  return whole ? Math.round(x) : Number(x.toPrecision(1 + Math.floor(random() * 6)));
}

function random_value(field) {
  if (field.type === 'flag') return random() < 0.5;
  if (field.type === 'choice') return pick(field.choices).id;
  if (field.type === 'number') return random_number(field);
  const names = { model: schema.models, gpu: schema.accelerators, recipe: schema.recipes };
  return names[field.key] ? pick(names[field.key]).id : field.default;
}

function random_scenario() {
  const patch = {};
  for (const key of ['task', 'model', 'gpu']) {
    const field = schema.fields.find((row) => row.key === key);
    patch[field.path] = random_value(field);
  }
  for (let i = Math.floor(random() * 8); i > 0; --i) {
    const field = pick(schema.fields);
    patch[field.path] = random_value(field);
  }
  return JSON.stringify(patch);
}

function differences(a, b, path = '') {
  if (typeof a === 'number' && typeof b === 'number') {
    const close = Math.abs(a - b) <= kLibmTolerance * Math.max(Math.abs(a), Math.abs(b));
    return close ? [] : [`${path}: ${a} and ${b}`];
  }
  if (a && b && typeof a === 'object' && typeof b === 'object') {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differences(a[key], b[key], `${path}/${key}`));
  }
  return a === b ? [] : [`${path}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
}

/** A report without the numbers that a power leads to, which alone may differ. */
function without_powers(report) {
  const loose = new Set();
  for (const { id, formula } of report.steps) {
    const ids = formula.match(/[a-z_][\w.]*/gi) ?? [];
    if (formula.includes('^') || ids.some((name) => loose.has(name))) loose.add(id);
  }
  return { ...report, steps: report.steps.filter(({ id }) => !loose.has(id)) };
}

function assert_same(native, wasm, what) {
  if (native === wasm) return true;
  const a = JSON.parse(native);
  const b = JSON.parse(wasm);
  assert.deepEqual(differences(a, b), [], what);
  if (a.steps) assert.equal(JSON.stringify(without_powers(a)), JSON.stringify(without_powers(b)), what);
  return false;
}

/** Holds one call to parity for each of the inputs; gives the number that were the same bytes. */
function compare_all(call, inputs) {
  const native = ask(call, inputs);
  assert.equal(native.length, inputs.length);
  const same = inputs.filter((input, i) => assert_same(native[i], module[call](input), input));
  return same.length;
}

test('tables and replays are the same', () => {
  const table = (name) => execFileSync(cli, [name, '--json'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.ok(table('schema').trimEnd() === module.schema());
  assert_same(table('replays'), module.replays(), 'replays');
});

test('every replay and every example is the same report', () => {
  const items = JSON.parse(module.replays()).rows.flatMap((row) => row.items);
  const links = [...items.flatMap((i) => [i.link, i.baseline_link]), ...schema.examples.map((e) => e.link)]
    .filter(Boolean);
  assert.ok(links.length > items.length);
  compare_all('estimate', links);
  assert.equal(compare_all('open', links), links.length);
});

test(`${kRandomScenarios} random scenarios are the same reports`, (context) => {
  const scenarios = Array.from({ length: kRandomScenarios }, random_scenario);
  const same = compare_all('estimate', scenarios);
  context.diagnostic(`${same} of ${kRandomScenarios} are the same bytes`);
  // pow, exp and log are met by scaling laws only, and mostly agree there too.
  assert.ok(same > kRandomScenarios / 2);
});

test('a config.json is the same import', () => {
  const source = readFileSync(new URL('../hf_config_test.cpp', import.meta.url), 'utf8');
  const files = [...source.matchAll(/R"\((\{[\s\S]*?\})\)"/g)].map(([, text]) => text.replace(/\n/g, ' '));
  assert.ok(files.length > 20);
  const inputs = [...files, ...files.map((text) => text.slice(0, -20)), '{}', '[', 'NaN'];
  const native = ask('import', inputs);
  inputs.forEach((text, i) => assert.equal(module.importConfig(text), native[i], text.slice(0, 200)));
});

test('a sweep is the same numbers', () => {
  const metrics = JSON.parse(module.estimate('')).steps.map((step) => step.id);
  const axes = [{ path: 'cluster.gpus', from: 8, to: 65536, count: 7, scale: 'log' }];
  const request = JSON.stringify({ scenario: '', axes, metrics });
  // JSON has no NaN: a metric that does not apply is null there.
  const wasm = [...module.sweep(request)].map((x) => (Number.isFinite(x) ? x : null));
  assert.equal(wasm.length, 7 * (metrics.length + 1));
  assert.deepEqual(differences(JSON.parse(ask('sweep', [request])[0]).flat(), wasm), []);
});
