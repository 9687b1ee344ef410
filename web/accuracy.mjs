// SPDX-License-Identifier: MIT
// What the page on accuracy shows: `envelope validate` over the tables in tests/published, the errors of
// constants that were fitted without a source, the reasons of the worst rows, and other tools' figures.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { table } from '../tests/fit/table.mjs';

const root = resolve(import.meta.dirname, '..');
const published = resolve(root, 'tests/published');
const cli = resolve(process.env.ENVELOPE_CLI ?? resolve(root, 'build/release/envelope'));
const kWorst = 10;

const json = (name) => JSON.parse(readFileSync(resolve(published, name), 'utf8'));

function validated(name) {
  const file = resolve(published, name);
  const options = { encoding: 'utf8', maxBuffer: 1 << 26 };
  return JSON.parse(execFileSync(cli, ['validate', file, '--json'], options));
}

/** Linear between the two nearest values, as `envelope validate` counts. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2;
}

/** Median of the errors by source, constants fitted without that source. */
function heldOut() {
  const bySource = new Map();
  for (const row of table(resolve(root, 'tests/fit/held-out.csv'))) {
    const list = bySource.get(row.source_id) ?? [];
    list.push(Math.abs(Number(row.held_out_error)));
    bySource.set(row.source_id, list);
  }
  return Object.fromEntries([...bySource].map(([source, list]) => [source, median(list)]));
}

export function accuracy() {
  const reasons = new Map();
  for (const { rows, reason } of json('reasons.json'))
    for (const id of rows) reasons.set(id, reason);
  const sources = Object.fromEntries(
    table(resolve(published, 'sources.csv')).map((row) => [row.source_id, row]),
  );
  const part = (name) => {
    const models = new Map(table(resolve(published, name)).map((row) => [row.id, row.model]));
    const all = validated(name);
    const rows = all.rows
      .filter((row) => row.skipped === undefined)
      .map((row) => ({
        id: row.id,
        source: row.source_id,
        model: models.get(row.id),
        device: row.device,
        error: row.error,
        measured: row.step?.measured ?? row.measured,
        predicted: row.step?.predicted ?? row.predicted,
        link: row.link,
      }));
    const worst = [...rows]
      .sort((a, b) => Math.abs(b.error) - Math.abs(a.error))
      .slice(0, kWorst)
      .map((row) => ({ ...row, reason: reasons.get(row.id) }));
    const { summary, moe, devices } = all;
    return { rows, worst, summary, moe, sources: all.sources, devices };
  };
  const speed = part('throughput.csv');
  const peers = json('peers.json');
  const of = (id) => speed.rows.find((row) => row.id === id);
  const measured = peers.korthikanti.rows.map(of);
  const tools = peers.korthikanti.tools.map(({ seconds, error, ...tool }) => ({
    ...tool,
    error: error ?? seconds.map((s, i) => s / measured[i].measured - 1),
  }));
  const simumax = speed.rows.filter((row) => row.source === peers.simumax.source);
  return {
    sources,
    heldOut: heldOut(),
    speed,
    runs: part('runs.csv'),
    memory: part('memory.csv'),
    korthikanti: { rows: measured, tools },
    simumax: { ...peers.simumax, rows: simumax.map((row) => row.error) },
  };
}
