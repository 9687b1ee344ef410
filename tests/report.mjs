// SPDX-License-Identifier: MIT
// Prints "PASSED FAILED" of a report: Vitest's JSON, or {"passed", "failed", "failures"}.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
let passed = report.passed ?? report.numPassedTests;
let failed = report.failed ?? report.numFailedTests;
// A test file that cannot be loaded has no tests to fail.
if (report.success === false && failed === 0) failed = 1;
if (passed + failed === 0) failed = 1;
for (const failure of report.failures ?? [])
  console.error(typeof failure === 'string' ? failure : JSON.stringify(failure));
console.log(`${passed} ${failed}`);
