// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { ChartData, Field, Sensitivity, Side, Swing } from '../../../web/src/api';
import {
  csvOf,
  hereOf,
  isLine,
  lineOf,
  nextCell,
  patchOf,
  reading,
  shades,
} from '../../../web/src/heat';
import { chartOf, columnsOf, othersOf } from '../../../web/src/others';
import { charted, kEmpty } from '../../../web/src/state';
import { endsOf, scaleOf } from '../../../web/src/tornado';
import type { Tables } from '../../../web/src/view';

const field = (path: string, more: Partial<Field>): Field => ({
  path,
  key: path,
  group: '',
  type: 'number',
  unit: 'count',
  default: null,
  label: path,
  help: '',
  tasks: ['pretrain'],
  ...more,
});
const tables = {
  schema: {},
  fields: new Map([
    ['cluster.tp', field('cluster.tp', { label: 'Tensor parallel' })],
    ['run.flash', field('run.flash', { type: 'flag' })],
    ['price.usd_per_gpu_hour', field('price.usd_per_gpu_hour', { unit: 'usd/hour' })],
  ]),
  metrics: new Map(),
} as unknown as Tables;

const side = (path: string, values: Side['values'], more: Partial<Side> = {}): Side => ({
  path,
  label: tables.fields.get(path)?.label ?? path,
  unit: tables.fields.get(path)?.unit ?? '',
  log: false,
  why: 'Because.',
  values,
  now: 1,
  ...more,
});

const map: ChartData = {
  chart: 'x=tp&y=flash&z=time.step',
  link: 'v=1',
  metric: 'time.step',
  label: 'Step time',
  unit: 'second',
  value: 4,
  x: side('cluster.tp', [1, 2, 4]),
  y: side('run.flash', [false, true], { labels: ['off', 'on'] }),
  values: [1, 2, 3, 4, null, 100],
  marks: [1, 0, 0, 0, 2, 2],
  reasons: [-1, -1, -1, -1, 0, 0],
  sentences: ['4 heads, "cannot" be divided.'],
  problems: [],
};
const lineData: ChartData = {
  ...map,
  y: null,
  values: [8, 4, 2],
  marks: [0, 0, 1],
  reasons: [-1, -1, -1],
};

describe('a map', () => {
  test('reads a point with its inputs, its value and what speaks against it', () => {
    expect(reading(tables, map, 0)).toBe(
      'Tensor parallel 1, run.flash off: 1.00\u00a0s. Does not fit in memory.',
    );
    expect(reading(tables, map, 3)).toBe(
      'Tensor parallel 2, run.flash on, the present scenario: 4.00\u00a0s.',
    );
    expect(reading(tables, map, 4)).toBe(
      'Tensor parallel 4, run.flash off: no value. Breaks a rule. 4 heads, "cannot" be divided.',
    );
  });

  test('gives the inputs of a point as a patch', () =>
    expect(patchOf(map, 5)).toEqual({ 'cluster.tp': 4, 'run.flash': true }));

  test('knows where the scenario stands, if it is on the map', () => {
    expect(hereOf(map)).toBe(3);
    expect(hereOf({ ...map, x: { ...map.x, now: null } })).toBe(-1);
    expect(hereOf(lineData)).toBe(1);
  });

  test('is walked with arrow keys, within its edges', () => {
    expect(nextCell(map, 0, 'ArrowRight')).toBe(1);
    expect(nextCell(map, 1, 'ArrowRight')).toBe(1);
    expect(nextCell(map, 1, 'ArrowDown')).toBe(3);
    expect(nextCell(map, 4, 'ArrowDown')).toBe(4);
    expect(nextCell(map, 4, 'ArrowUp')).toBe(2);
    expect(nextCell(map, 0, 'ArrowLeft')).toBe(0);
  });

  test('has shades from the least to the greatest of what can run; beyond is the last shade', () =>
    expect(shades(map)).toEqual([0, 0, 4, 8, -1, 8]));

  test('has one shade where all values are alike, and none where there are none', () => {
    expect(shades({ values: [5, 5], marks: [0, 0] })).toEqual([0, 0]);
    expect(shades({ values: [null, null], marks: [0, 0] })).toEqual([-1, -1]);
    expect(shades({ values: [-2, 0, 2], marks: [0, 0, 0] })).toEqual([0, 4, 8]);
  });
});

test('a table of a map has a row for each point, and quotes what needs quotes', () => {
  const rows = csvOf(map).split('\n');
  expect(rows[0]).toBe('cluster.tp,run.flash,time.step,mark,why');
  expect(rows[1]).toBe('1,0,1,does not fit,');
  expect(rows[5]).toBe('4,0,,breaks a rule,"4 heads, ""cannot"" be divided."');
  expect(rows).toHaveLength(map.values.length + 2);
  expect(csvOf(lineData).split('\n')[2]).toBe('2,4,,');
});

describe('a line', () => {
  test('is for one input whose values are above zero', () => {
    expect(isLine(lineData)).toBe(true);
    expect(isLine(map)).toBe(false);
    expect(isLine({ y: null, x: side('cluster.tp', [0, 1]) })).toBe(false);
    expect(isLine({ y: null, x: side('run.flash', [false, true]) })).toBe(false);
  });

  test('marks the present point, and is dashed where the scenario cannot run', () => {
    const chart = lineOf(tables, lineData);
    expect(chart.marks).toEqual([{ x: 2, y: 4, label: '4\u00a0s', kind: 'here' }]);
    expect(chart.series[0]?.points).toEqual([
      [1, 8],
      [2, 4],
      [4, 2],
    ]);
    expect(chart.series[0]?.works?.(2)).toBe(true);
    expect(chart.series[0]?.works?.(4)).toBe(false);
    expect(chart.caption).toContain('Dashed');
  });
});

describe('a tornado', () => {
  const row: Swing = {
    path: 'cluster.tp',
    label: 'Tensor parallel',
    unit: 'count',
    now: 4,
    low: 2,
    high: 8,
    at_low: 30,
    at_high: 10,
    low_note: '',
    high_note: 'Does not fit in memory.',
    why: 'Half and twice.',
  };
  const data: Sensitivity = { ...map, value: 20, rows: [row] };

  test('has the end with the smaller result on the left', () =>
    expect(endsOf(row).map(({ input, note }) => [input, note])).toEqual([
      [8, 'Does not fit in memory.'],
      [2, ''],
    ]));

  test('has room for every end, in order', () => {
    const x = scaleOf(data);
    expect(x(10)).toBeGreaterThan(0);
    expect(x(30)).toBeLessThan(100);
    expect(x(20)).toBeCloseTo((x(10) + x(30)) / 2);
  });
});

describe('the chart of a link', () => {
  const link = 'v=1&n=64&b.gpu=b200&x=n&y=seq&z=cost.total';
  test('stands behind the scenarios, and each is found', () => {
    expect(othersOf(link)).toBe('b.gpu=b200&x=n&y=seq&z=cost.total');
    expect(columnsOf(othersOf(link))).toBe('b.gpu=b200');
    expect(chartOf(othersOf(link))).toBe('x=n&y=seq&z=cost.total');
    expect(othersOf('v=1&xs=1&zero=3&n=8')).toBe('');
  });

  test('is changed and stays when the comparison ends', () => {
    const state = { ...kEmpty, link, others: othersOf(link) };
    const other = charted(state, 'x=tp');
    expect(other.link).toBe('v=1&n=64&b.gpu=b200&x=tp');
    expect(charted({ ...kEmpty, link: 'v=1' }, 'x=n').link).toBe('v=1&x=n');
    expect(charted(other, '').link).toBe('v=1&n=64&b.gpu=b200');
  });
});
