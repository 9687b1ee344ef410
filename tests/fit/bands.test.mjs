// SPDX-License-Identifier: MIT
// The bands hold what they promise on sources that they have not seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { band, coverage, generated, kinds, parts, rows } from './bands.mjs';

test('between 75 % and 90 % of the rows of a source lie in the 80 % band made without it', () => {
  const all = rows();
  assert.ok(all.length > 600);
  const { rows: share, sources } = coverage(all);
  assert.ok(share >= 0.75 && share <= 0.9, `${share} of rows`);
  assert.ok(sources >= 0.75 && sources <= 0.9, `${sources} by source`);
});

test('the table in the core is that of the held-out errors', () => {
  assert.equal(parts().written, generated());
});

test('the rows of a source have no part in the band that is made without it', () => {
  const all = rows();
  const kind = all.find((row) => row.source === 'qwen');
  const wild = all.map((row) => (row.source === 'qwen' ? { ...row, ratio: 100 } : row));
  assert.deepEqual(band(wild, kind, 'qwen'), band(all, kind, 'qwen'));
  assert.notDeepEqual(band(wild, kind), band(all, kind));
});

test('a large table weighs no more than a small one', () => {
  const all = rows();
  const kind = all.find((row) => row.source === 'korthikanti-2022');
  const twice = [...all, ...all.filter((row) => row.source === 'llm-foundry-mpt')];
  const { low, high } = band(all, kind);
  const other = band(twice, kind);
  assert.ok(Math.abs(other.low - low) < 0.02 && Math.abs(other.high - high) < 0.02);
});

test('few sources make a wider band than many', () => {
  const like = { device: 'hopper', moe: false, tuned: false, large: true };
  const ratios = Array.from({ length: 100 }, (_, i) => 0.7 + 0.006 * i);
  const of = (sources) =>
    band(
      ratios.map((ratio, i) => ({ ...like, source: `s${i % sources}`, ratio })),
      like,
    );
  const width = ({ low, high }) => high - low;
  assert.ok(width(of(3)) > width(of(10)));
  assert.ok(width(of(10)) > width(of(50)));
});

test('every kind of run has a band around the prediction', () => {
  for (const kind of kinds()) assert.ok(kind.low < 1 && kind.high > 1, JSON.stringify(kind));
});
