// SPDX-License-Identifier: MIT
// The page on accuracy says what the tables say.
import { render } from '@lit-labs/ssr';
import { collectResult } from '@lit-labs/ssr/lib/render-result.js';
import { expect, test } from 'vitest';
import { accuracyPage, type Accuracy } from '../../../web/src/accuracy';

const row = (id: string, error: number) => ({
  id,
  source: 's',
  model: `<${id}>`,
  device: 'h100-sxm',
  error,
  measured: 2,
  predicted: 2 * (1 + error),
  link: `v=1&n=${id}`,
  reason: `because of ${id}`,
});
const group = { rows: 2, median_abs: 0.07, p90_abs: 0.12, mean_signed: -0.03 };
const part = {
  rows: [row('A', -0.125), row('B', 0.04)],
  worst: [row('A', -0.125)],
  summary: { rows: 3, skipped: 1, median_abs: 0.07, p90_abs: 0.12, mean_of_source_medians: 0.08 },
  moe: { ...group, rows: 1 },
  sources: [{ source_id: 's', ...group }],
  devices: [{ device: 'h100-sxm', ...group }],
};
const tool = { name: 'another', url: 'https://example.org/', version: '2', how: 'run by us' };
const data: Accuracy = {
  sources: { s: { title: 'A table', url: 'https://example.org/table', version: '1' } },
  heldOut: { s: 0.11 },
  speed: part,
  runs: part,
  memory: part,
  korthikanti: { rows: part.rows, tools: [{ ...tool, error: [0.5, -0.25] }] },
  simumax: { ...tool, mean_abs: 0.0562, max_abs: 0.1354, rows: [0.01, -0.03] },
};
const page = async () =>
  (await collectResult(render(accuracyPage(data, '../'))))
    .replace(/<!--[^>]*-->/g, '')
    .replace(/\s+/g, ' ');

test('errors stand beside their sources, with those of a fit without them', async () => {
  const text = await page();
  expect(text).toContain(
    '<a href="https://example.org/table" rel="noopener noreferrer">A table</a>',
  );
  for (const figure of ['7.0 %', '11.0 %', '12.0 %', '−3.0 %', '8.0 %'])
    expect(text).toContain(figure);
  expect(text).toContain('2 of 3 readings are predicted');
});

test('the worst rows have a reason and a scenario, and their names are text', async () => {
  const text = await page();
  expect(text).toContain('because of A');
  expect(text).toContain('href="../#v=1&amp;n=A"');
  expect(text).toContain('&lt;A&gt;');
  expect(text).not.toContain('<A>');
  expect(text).toContain('−12.5 %');
});

test('every reading is a point of its scatter, above the diagonal when it is predicted too high', async () => {
  const text = await page();
  const dots = /<path class="readings d0" d="(M[^"]+)"/.exec(text)?.[1] ?? '';
  const points = dots.split('h0').filter(Boolean);
  expect(points).toHaveLength(2);
  const [low, high] = points.map((p) => Number(p.split(' ')[1]));
  expect(Number(high)).toBeLessThan(Number(low));
  expect(text).not.toMatch(/NaN|undefined|Infinity/);
});

test('other tools are measured on the same rows, by mean and largest error', async () => {
  const text = await page();
  expect(text).toContain('37.5 %');
  expect(text).toContain('50.0 %');
  expect(text).toContain('mean 5.6 %, largest 13.5 %');
});
