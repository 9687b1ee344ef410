// SPDX-License-Identifier: MIT
// Lighthouse with its default mobile simulation, the median of five runs. A neighbour on the machine only
// adds time: five that miss are repeated once. On its own: node lighthouse.mjs
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { serve } from './serve.mjs';
import { kReports, kSite } from './site.mjs';
import { kChromium, kLighthouse } from './tools.mjs';

const kRuns = 5;
const kScore = 0.95;
const kLimits = { 'largest-contentful-paint': 1200, 'total-blocking-time': 100 }; // ms

const run = promisify(execFile);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function once(url, index) {
  const file = join(kReports, `lighthouse-${index}.json`);
  await run(
    process.execPath,
    [
      kLighthouse,
      url,
      '--quiet',
      '--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage',
      '--output=json',
      `--output-path=${file}`,
    ],
    { env: { ...process.env, CHROME_PATH: kChromium }, timeout: 120_000 },
  );
  const report = JSON.parse(readFileSync(file, 'utf8'));
  if (report.runtimeError) throw new Error(report.runtimeError.message);
  return report;
}

/** What took points, so that a failure can be acted on. */
function lost(report) {
  return Object.values(report.categories).flatMap(({ auditRefs }) =>
    auditRefs
      .filter(({ weight, id }) => weight > 0 && (report.audits[id].score ?? 1) < 0.9)
      .map(({ id }) => `${id}: ${report.audits[id].displayValue ?? report.audits[id].title}`),
  );
}

/** Five runs, printed, and what they miss. */
async function series(url) {
  const reports = [];
  for (let i = 0; i < kRuns; ++i) reports.push(await once(url, i));
  const wrong = [];
  for (const id of Object.keys(reports[0].categories)) {
    const score = median(reports.map((r) => r.categories[id].score));
    console.log(`${id}: ${Math.round(score * 100)}`);
    if (score < kScore) wrong.push(`${id} is ${score}`);
  }
  for (const [id, limit] of Object.entries(kLimits)) {
    const all = reports.map((r) => r.audits[id].numericValue);
    console.log(`${id}: ${Math.round(median(all))} ms (${all.map(Math.round).join(', ')})`);
    if (!(median(all) <= limit)) wrong.push(`${id} is ${Math.round(median(all))} ms`);
  }
  for (const line of new Set(reports.flatMap(lost))) console.log(`  ${line}`);
  return wrong;
}

export async function lighthouse(url) {
  mkdirSync(kReports, { recursive: true });
  let wrong = await series(url);
  if (wrong.length > 0) {
    console.log(`once more, because ${wrong.join(', ')}`);
    wrong = await series(url);
  }
  const name = ['lighthouse', ...wrong].join(': ');
  return [{ name, ok: wrong.length === 0 }];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serve(kSite);
  const [{ name, ok }] = await lighthouse(server.url);
  await server.close();
  console.log(name);
  process.exit(ok ? 0 : 1);
}
