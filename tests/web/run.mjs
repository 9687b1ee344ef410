// SPDX-License-Identifier: MIT
// All tests of the built page in real browsers.
//   node run.mjs                           everything
//   node run.mjs playwright [ARGS...]      Chromium and Firefox; ARGS go to Playwright
//   node run.mjs webkit | lighthouse | budget
// ENVELOPE_SITE names another folder than build/site.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { budget } from './budget.mjs';
import { lighthouse } from './lighthouse.mjs';
import { serve } from './serve.mjs';
import { kReports, kSite } from './site.mjs';
import { kPlaywright } from './tools.mjs';
import { webkit } from './webkit.mjs';

const kReport = join(kReports, 'playwright.json');

function command(file, args, env) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd: import.meta.dirname,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    });
    child.once('error', fail);
    child.once('exit', done);
  });
}

/** The tests of a suite of Playwright's report and of the suites in it. */
function* specs(suite, path = []) {
  const title = [...path, suite.title].filter(Boolean);
  for (const spec of suite.specs ?? []) yield { spec, title: [...title, spec.title].join(' › ') };
  for (const inner of suite.suites ?? []) yield* specs(inner, title);
}

/** What went wrong, in one line without colours. */
const reason = (error) =>
  stripVTControlCharacters(error?.message ?? 'no reason given')
    .replace(/\s+/g, ' ')
    .slice(0, 300);

async function playwright(url, args) {
  rmSync(kReport, { force: true });
  const status = await command(kPlaywright, ['test', ...args], { ENVELOPE_URL: url });
  const { suites, errors } = JSON.parse(readFileSync(kReport, 'utf8'));
  const found = suites.flatMap((suite) =>
    [...specs(suite)].flatMap(({ spec, title }) =>
      spec.tests
        .filter((test) => test.status !== 'skipped')
        .map(({ projectName, status, results }) => ({
          name: `${projectName}: ${title}`,
          status,
          why: results.map(({ error }) => reason(error)),
        })),
    ),
  );
  const results = found.map(({ name, status, why }) =>
    status === 'unexpected' ? { name: `${name}: ${why.at(-1)}`, ok: false } : { name, ok: true },
  );
  for (const { name, status, why } of found)
    if (status === 'flaky') console.log(`only at the second try: ${name}: ${why[0]}`);
  for (const { message } of errors) results.push({ name: `playwright: ${message}`, ok: false });
  if (status !== 0 && results.every(({ ok }) => ok))
    results.push({ name: `playwright stopped with status ${status}`, ok: false });
  return results;
}

// One after the other: two cores are not enough for a browser that is measured and one that works.
const kParts = { playwright, webkit, budget, lighthouse };

const [only, ...args] = process.argv.slice(2);
if (only && !(only in kParts)) {
  console.error(`one of ${Object.keys(kParts).join(', ')}, or nothing`);
  process.exit(2);
}
mkdirSync(kReports, { recursive: true });
const server = await serve(kSite);
const results = [];
for (const [name, part] of Object.entries(kParts)) {
  if (only && name !== only) continue;
  const start = Date.now();
  let found;
  try {
    found = await part(server.url, args);
    if (found.length === 0) throw new Error('no test was found');
  } catch (error) {
    console.error(error);
    found = [{ name: `${name}: ${error.message}`, ok: false }];
  }
  results.push(...found);
  const good = found.filter(({ ok }) => ok).length;
  const seconds = ((Date.now() - start) / 1000).toFixed(0);
  console.log(`== ${name}: ${good} passed, ${found.length - good} failed, ${seconds} s`);
}
await server.close();

const failures = results.filter(({ ok }) => !ok).map(({ name }) => name);
const passed = results.length - failures.length;
const report = { passed, failed: failures.length, failures };
writeFileSync(join(kReports, 'browser.json'), `${JSON.stringify(report, null, 2)}\n`);
for (const name of failures) console.log(`failed: ${name}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
