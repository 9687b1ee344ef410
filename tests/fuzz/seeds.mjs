// SPDX-License-Identifier: MIT
// Writes the fuzzers' dictionary and seeds from the core's own tables and replays:
//   node seeds.mjs CLI FOLDER
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [cli, folder] = process.argv.slice(2);
const ask = (...args) =>
  JSON.parse(execFileSync(cli, [...args, '--json'], { encoding: 'utf8', maxBuffer: 1 << 26 }));
const schema = ask('schema');
const items = ask('replays').rows.flatMap((row) => row.items);
const links = [...new Set(items.flatMap((item) => [item.link, item.baseline_link ?? item.link]))];

const words = new Set(['v=1', 'd=', '&', '=', '#', '%', '%26', '+', 'e12', 'T', 'GiB', '2^', '8x']);
for (const field of schema.fields) {
  words.add(`${field.key}=`).add(`"${field.path}":`);
  for (const choice of field.choices ?? []) words.add(choice.id);
}
for (const list of [schema.models, schema.accelerators, schema.recipes])
  for (const row of list.slice(0, 30)) words.add(row.id);
for (const word of ['scenarios', 'scenario', 'axes', 'path', 'values', 'from', 'to', 'count', 'scale'])
  words.add(`"${word}":`);
// A table with each row of the readings: the header, a line each.
const lines = (file) => readFileSync(new URL(file, import.meta.url), 'utf8').trim().split('\n');
const [header, ...readings] = lines('../published/memory.csv');
for (const column of header.split(',')) words.add(column);
const tables = [lines('../../docs/my-runs.csv').join('\n')].concat(
  readings.filter((_, i) => i % 7 === 0).map((row) => `${header}\n${row}\n`),
);
const quoted = (word) => `"${word.replace(/[\\"]/g, (character) => '\\' + character)}"`;
writeFileSync(join(folder, 'envelope.dict'), [...words].map(quoted).join('\n') + '\n');

const patches = schema.fields.map((field) => JSON.stringify({ [field.path]: field.default ?? '' }));
const metrics = schema.metrics.slice(0, 3).map((metric) => metric.id);
const numbers = schema.fields.filter((field) => field.type === 'number');
const requests = [
  JSON.stringify({ scenarios: links.slice(0, 2) }),
  ...numbers.map((field) =>
    JSON.stringify({
      scenario: links[0],
      axes: [{ path: field.path, from: 1, to: 100, count: 3, scale: 'log' }],
      metrics,
    }),
  ),
];
// The published files that the tests hold.
const source = readFileSync(new URL('../hf_config_test.cpp', import.meta.url), 'utf8');
const configs = [...source.matchAll(/R"\((\{[\s\S]*?\})\)"/g)].map(([, text]) => text);
const seeds = { link: links, json: [...links, ...patches, ...requests], csv: tables, config: configs };
for (const [target, texts] of Object.entries(seeds)) {
  const into = join(folder, 'seeds', target);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  texts.forEach((text, i) => writeFileSync(join(into, String(i)), text));
}
