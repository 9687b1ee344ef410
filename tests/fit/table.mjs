// SPDX-License-Identifier: MIT
// Rows of a CSV file as records by column (RFC 4180).
import { readFileSync } from 'node:fs';

export function table(url) {
  const text = readFileSync(url, 'utf8');
  const rows = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g;
  for (const [, quoted, plain, end] of text.matchAll(cell)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ',') rows.push([]);
  }
  const [columns, ...records] = rows.filter((row) => row.length > 1);
  for (const record of records)
    if (record.length !== columns.length) throw new Error(`${url}: ${record.join()}`);
  return records.map((record) => Object.fromEntries(columns.map((c, i) => [c, record[i]])));
}
