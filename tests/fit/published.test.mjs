// SPDX-License-Identifier: MIT
// The tables behind the page on accuracy: each row has a source that exists, each reason a row.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { accuracy } from '../../web/accuracy.mjs';
import { table } from './table.mjs';

const published = new URL('../published/', import.meta.url);
const rows = (name) => table(new URL(name, published));
const json = (name) => JSON.parse(readFileSync(new URL(name, published), 'utf8'));
const names = ['throughput.csv', 'runs.csv', 'memory.csv'];

test('every row has a name of its own and a source with an address', () => {
  const sources = new Map(rows('sources.csv').map((s) => [s.source_id, s]));
  const used = new Set();
  for (const name of names) {
    const ids = rows(name).map((row) => row.id);
    assert.equal(new Set(ids).size, ids.length, name);
    for (const { id, source_id } of rows(name)) {
      assert.match(sources.get(source_id)?.url ?? '', /^https:\/\//, `${name} ${id}`);
      used.add(source_id);
    }
  }
  assert.deepEqual(new Set(sources.keys()), used);
});

test('reasons are of rows that are there, one for each', () => {
  const ids = new Set(names.flatMap((name) => rows(name).map((row) => row.id)));
  const seen = new Set();
  for (const { rows: list, reason } of json('reasons.json')) {
    assert.ok(reason.length > 40);
    for (const id of list) {
      assert.ok(ids.has(id), id);
      assert.ok(!seen.has(id), `${id} twice`);
      seen.add(id);
    }
  }
});

test('held-out errors are of published rows', () => {
  const ids = new Map(rows('throughput.csv').map((row) => [row.id, row.source_id]));
  const held = table(new URL('held-out.csv', import.meta.url));
  assert.ok(held.length > 0.95 * ids.size);
  for (const { id, source_id } of held) assert.equal(ids.get(id), source_id, id);
});

test('what other tools say is of as many rows as were measured', () => {
  const { korthikanti } = json('peers.json');
  assert.equal(korthikanti.rows.length, 8);
  for (const { seconds, error } of korthikanti.tools) assert.equal((seconds ?? error).length, 8);
});

test('the page on accuracy has a reason for each of the worst rows', () => {
  const { speed, runs } = accuracy();
  for (const { worst } of [speed, runs]) {
    assert.equal(worst.length, 10);
    for (const { id, error, reason } of worst)
      assert.ok(reason, `${id}, off by ${error}, has no reason in tests/published/reasons.json`);
  }
});
