// SPDX-License-Identifier: MIT
// Speed natively and in WASM, side by side, and the size of everything that the page loads.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const kRounds = 5;
const programs = {
  native: ['build/release/tests/envelope_bench'],
  wasm: ['node', 'build/wasm/tests/envelope_bench.js'],
};

// What a search may take, natively and in WASM, in milliseconds. More fails the run.
const kMost = {
  '530B on 5,128 GPUs, with bounds: milliseconds': [50, 100],
  '530B on 5,128 GPUs, exhaustive: milliseconds': [50, 100],
  '175B on 1,024 GPUs, with bounds: milliseconds': [1000, Infinity],
  '175B on 1,024 GPUs, exhaustive: milliseconds': [10000, Infinity],
};

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const row = (name, ...cells) => console.log(name.padEnd(56), ...cells.map((c) => c.padStart(12)));
const short = (number) => Number(number.toPrecision(3)).toLocaleString('en-US');

function speeds() {
  const rounds = { native: [], wasm: [] };
  // Interleaved, so that a busy moment of the machine meets both.
  for (let round = 0; round < kRounds; ++round)
    for (const [name, [command, ...args]] of Object.entries(programs))
      rounds[name].push(JSON.parse(execFileSync(command, args, { encoding: 'utf8' })));
  row(`median of ${kRounds} rounds`, 'native', 'WASM', 'WASM/native');
  for (const key of Object.keys(rounds.native[0])) {
    const [native, wasm] = ['native', 'wasm'].map((name) => median(rounds[name].map((r) => r[key])));
    row(key, short(native), short(wasm), (wasm / native).toFixed(2));
    const [most, mostWasm] = kMost[key] ?? [Infinity, Infinity];
    if (native > most || wasm > mostWasm) {
      console.error(`${key}: at most ${most} native and ${mostWasm} in WASM`);
      process.exitCode = 1;
    }
  }
}

const walk = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)],
  );

/** What a page loads: itself, and what a loaded text names, but other pages and what few ask for. */
function loaded(page, files) {
  const found = new Set([page]);
  for (const file of found) {
    if (!/\.(html|js|mjs|css|svg|webmanifest)$/.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    for (const other of files)
      if (!/\.html$|\.rare|^importing/.test(other) && text.includes(basename(other))) found.add(other);
  }
  return [...found];
}

function sizes(site) {
  const bytes = loaded(join(site, 'index.html'), walk(site)).map((file) => {
    const content = readFileSync(file);
    return [relative(site, file), content.length, gzipSync(content, { level: 9 }).length];
  });
  console.log();
  row('the page loads', 'bytes', 'gzipped');
  for (const [file, plain, packed] of bytes.toSorted((a, b) => b[2] - a[2]))
    row(file, short(plain), short(packed));
  const sum = (column) => bytes.reduce((total, line) => total + line[column], 0);
  row('total', short(sum(1)), short(sum(2)));
}

speeds();
if (existsSync('build/site/index.html')) sizes('build/site');
