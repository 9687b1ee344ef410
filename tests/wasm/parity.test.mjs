// SPDX-License-Identifier: MIT
// The command line and the module are one core: the same scenario gives the same bytes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { load } from './module.mjs';

const kRandomScenarios = 500;
// pow, exp and log are the C library's, and may differ in the last place; the rest may not.
const kLibmTolerance = 1e-12;

const module = await load();
const schema = JSON.parse(module.schema());
const cli = fileURLToPath(new URL('../../build/release/envelope', import.meta.url));
const run = promisify(execFile);
const ask = async (...args) => {
  const { stdout } = await run(cli, [...args, '--json'], { maxBuffer: 1 << 26 });
  return stdout.trimEnd();
};

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

function assert_same(native, wasm, what) {
  if (native === wasm) return true;
  assert.deepEqual(differences(JSON.parse(native), JSON.parse(wasm)), [], what);
  return false;
}

test('tables and replays are the same bytes', async () => {
  assert.equal(await ask('schema'), module.schema());
  assert_same(await ask('replays'), module.replays(), 'replays');
});

test('every replay is the same report', async () => {
  const links = JSON.parse(module.replays()).rows.flatMap((row) => row.items.map((i) => i.link));
  assert.ok(links.length > 0);
  for (const link of links) {
    assert_same(await ask('estimate', link), module.estimate(link), link);
    assert_same(await ask('open', link), module.open(link), link);
  }
});

test(`${kRandomScenarios} random scenarios are the same reports`, async (context) => {
  let identical = 0;
  for (let i = 0; i < kRandomScenarios; ++i) {
    const scenario = random_scenario();
    if (assert_same(await ask('estimate', scenario), module.estimate(scenario), scenario))
      ++identical;
  }
  context.diagnostic(`${identical} of ${kRandomScenarios} are the same bytes`);
  // Scaling laws are a small part of a report; most scenarios never reach pow.
  assert.ok(identical > 0);
});

test('a sweep is the same numbers', async () => {
  const field = schema.fields.find((row) => row.type === 'number' && row.max > row.min);
  const metrics = JSON.parse(module.estimate('')).steps.map((step) => step.id);
  const request = JSON.stringify({
    scenario: '',
    axes: [{ path: field.path, from: Math.max(field.min, 1), to: field.max, count: 7, scale: 'log' }],
    metrics,
  });
  const native = JSON.parse(await ask('sweep', request));
  // JSON has no NaN: a metric that does not apply is null there.
  const wasm = [...module.sweep(request)].map((x) => (Number.isFinite(x) ? x : null));
  assert.equal(wasm.length, 7 * (metrics.length + 1));
  assert.deepEqual(differences(native.flat(), wasm), []);
});
