// SPDX-License-Identifier: MIT
// The 80 % bands of predicted times, from the errors of rows that the constants were not fitted on
// (held-out.csv: each source predicted by constants fitted without it).
//   node tests/fit/bands.mjs [--check]     writes the table in core/envelope/bands.cpp
//
// A band speaks of a kind of run: class of device, with experts or without, pretraining or
// fine-tuning, one node or several. All rows take part: each source weighs as much as another,
// however many rows it has, and a row counts half for each respect in which it differs. The fewer
// sources stand behind a band, the further out its ends lie, as in conformal prediction: the share
// of rows inside grows from 80 % by one source's part.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { table } from './table.mjs';

const SHARE = 0.8;
const UNLIKE = 0.5;
const root = new URL('../../', import.meta.url);
const CORE = new URL('core/envelope/bands.cpp', root);

export const DEVICES = [
  ['ampere', 'A100 class', ['a100', 'a800']],
  ['hopper', 'H100 class', ['h100', 'h200', 'h800']],
  ['blackwell', 'B200 class', ['b200', 'b300', 'gb200', 'gb300']],
  ['tpu', 'TPUs', ['tpu']],
  ['other', 'other devices', []],
];
const RESPECTS = ['device', 'moe', 'tuned', 'large'];

const deviceOf = (id) =>
  (DEVICES.find(([, , starts]) => starts.some((start) => id.startsWith(start))) ?? ['other'])[0];

/** Predicted rows: the kind of run, and the time that it took over the time predicted. */
export function rows() {
  const published = table(new URL('tests/published/throughput.csv', root));
  const tasks = new Map(published.map((row) => [row.id, row.task]));
  return table(new URL('held-out.csv', import.meta.url)).map((row) => ({
    id: row.id,
    source: row.source_id,
    device: deviceOf(row.accelerator),
    moe: row.moe === '1',
    tuned: tasks.get(row.id) !== 'pretrain',
    large: Number(row.gpus) > 8,
    ratio: 1 / (1 + Number(row.held_out_error)),
  }));
}

function quantile(weighted, share) {
  let sum = 0;
  for (const { weight } of weighted) sum += weight;
  let below = 0;
  for (const { ratio, weight } of weighted) {
    below += weight;
    if (below >= share * sum) return ratio;
  }
  return weighted.at(-1).ratio;
}

/** The band of a kind of run, from rows of which none is of the source left out. */
export function band(all, kind, without) {
  const counts = new Map();
  for (const row of all) counts.set(row.source, (counts.get(row.source) ?? 0) + 1);
  const sources = new Map();
  const weighted = [];
  for (const row of all) {
    if (row.source === without) continue;
    const unlike = RESPECTS.filter((r) => row[r] !== kind[r]).length;
    const weight = UNLIKE ** unlike / counts.get(row.source);
    weighted.push({ ratio: row.ratio, weight });
    sources.set(row.source, (sources.get(row.source) ?? 0) + weight);
  }
  weighted.sort((a, b) => a.ratio - b.ratio);
  let sum = 0;
  let squares = 0;
  for (const w of sources.values()) {
    sum += w;
    squares += w * w;
  }
  const half = Math.min(0.495, (SHARE / 2) * (1 + squares / (sum * sum)));
  return { low: quantile(weighted, 0.5 - half), high: quantile(weighted, 0.5 + half) };
}

/** Share of rows inside the band that is made without their source. */
export function coverage(all = rows()) {
  const bands = new Map();
  const bySource = new Map();
  for (const row of all) {
    const key = [row.source, ...RESPECTS.map((r) => row[r])].join();
    if (!bands.has(key)) bands.set(key, band(all, row, row.source));
    const { low, high } = bands.get(key);
    const of = bySource.get(row.source) ?? { inside: 0, rows: 0 };
    of.rows += 1;
    if (row.ratio >= low && row.ratio <= high) of.inside += 1;
    bySource.set(row.source, of);
  }
  const parts = [...bySource.values()];
  const inside = parts.reduce((sum, s) => sum + s.inside, 0);
  return {
    rows: inside / all.length,
    sources: parts.reduce((sum, s) => sum + s.inside / s.rows, 0) / parts.length,
    bySource,
  };
}

/** All kinds of run, each with its band and the rows that are alike. */
export function kinds(all = rows()) {
  const out = [];
  for (const [device] of DEVICES)
    for (const moe of [false, true])
      for (const tuned of [false, true])
        for (const large of [false, true]) {
          const kind = { device, moe, tuned, large };
          const like = all.filter((row) => RESPECTS.every((r) => row[r] === kind[r]));
          const sources = new Set(like.map((row) => row.source)).size;
          out.push({ ...kind, ...band(all, kind), rows: like.length, sources });
        }
  return out;
}

const START = '// Written by tests/fit/bands.mjs.\n';
const END = '// End of what is written.\n';

export function generated(all = rows()) {
  const lines = kinds(all).map((k) => {
    const name = `Device::${k.device}, ${k.moe}, ${k.tuned}, ${k.large}`;
    const among = [
      DEVICES.find(([id]) => id === k.device)[1],
      k.moe ? 'models with experts' : 'dense models',
      k.tuned ? 'fine-tuning' : 'pretraining',
      k.large ? 'several nodes' : 'one node',
    ].join(', ');
    const numbers = `${k.low.toFixed(2)}, ${k.high.toFixed(2)}, ${k.rows}, ${k.sources}`;
    return `    {${name}, ${numbers},\n     "${among}"},\n`;
  });
  const sources = new Set(all.map((row) => row.source)).size;
  return `constexpr Row kRows[] = {\n${lines.join('')}};\nconstexpr int kAllRows = ${all.length}, kAllSources = ${sources};\n`;
}

export function parts() {
  const text = readFileSync(CORE, 'utf8');
  const from = text.indexOf(START) + START.length;
  const to = text.indexOf(END);
  return { before: text.slice(0, from), written: text.slice(from, to), after: text.slice(to) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { before, written, after } = parts();
  if (process.argv.includes('--check')) {
    if (written !== generated()) {
      console.error('core/envelope/bands.cpp is not of held-out.csv: node tests/fit/bands.mjs');
      process.exit(1);
    }
  } else {
    writeFileSync(CORE, before + generated() + after);
    const c = coverage();
    console.log(
      `inside: ${(100 * c.rows).toFixed(1)} % of rows, ${(100 * c.sources).toFixed(1)} % by source`,
    );
    for (const [source, s] of c.bySource) console.log(`${source}: ${s.inside} of ${s.rows}`);
  }
}
