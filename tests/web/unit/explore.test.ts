// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { Field } from '../../../web/src/api';
import { logTicks } from '../../../web/src/charts';
import { search } from '../../../web/src/search';
import { change } from '../../../web/src/compare';
import { columns, wholes } from '../../../web/src/explore';
import { nextStep } from '../../../web/src/stepping';

describe('ticks of a logarithmic axis', () => {
  test.each<[[number, number], number, number[]]>([
    [[1, 1000], 5, [1, 10, 100, 1000]],
    [[1, 100], 10, [1, 2, 5, 10, 20, 50, 100]],
    [[1e10, 1e20], 4, [1e10, 1e13, 1e16, 1e19]],
  ])('%j with at most %d', (domain, most, ticks) => expect(logTicks(domain, most)).toEqual(ticks));

  test('less than a decade still has ticks', () =>
    expect(logTicks([52, 71], 6).length).toBeGreaterThan(1));
});

test('whole numbers over a logarithmic axis are whole, rising and within', () => {
  const values = wholes(1, 1000, 20);
  expect(values[0]).toBe(1);
  expect(values[values.length - 1]).toBe(1000);
  expect(values.every(Number.isInteger)).toBe(true);
  expect([...values].sort((a, b) => a - b)).toEqual(values);
  expect(new Set(values).size).toBe(values.length);
});

test('rows of a sweep become columns', () =>
  expect(
    columns(
      { scenario: {}, axes: [{ path: 'n', values: [1, 2] }], metrics: ['a', 'b'] },
      Float64Array.from([1, 10, 100, 2, 20, 200]),
    ),
  ).toEqual([
    [1, 2],
    [10, 20],
    [100, 200],
  ]));

describe('search', () => {
  const rows = [
    { id: 'code-llama-34b', label: 'Code Llama 34B', detail: '2023' },
    { id: 'llama-3.1-70b', label: 'Llama 3.1 70B', detail: '2024' },
    { id: 'qwen', label: 'Qwen', detail: '2024', words: 'Alibaba' },
  ];
  test.each([
    ['70b llama', ['llama-3.1-70b']],
    ['llama', ['llama-3.1-70b', 'code-llama-34b']],
    ['alibaba', ['qwen']],
    ['zebra', []],
    ['', ['code-llama-34b', 'llama-3.1-70b', 'qwen']],
  ])('"%s"', (query, ids) => expect(search(rows, query).map((o) => o.id)).toEqual(ids));
});

describe('arrow keys', () => {
  const field = (extra: Partial<Field>): Field => ({
    path: 'x',
    key: 'x',
    group: 'g',
    type: 'number',
    unit: 'count',
    default: null,
    label: 'X',
    help: '',
    tasks: [],
    ...extra,
  });
  test.each<[string, Partial<Field>, number | undefined, 1 | -1, number | undefined]>([
    ['powers of two double', { whole: true }, 16384, 1, 32768],
    ['and halve', { whole: true }, 16384, -1, 8192],
    ['other numbers go by 1-2-5', {}, 15.6e12, 1, 2e13],
    ['and back', {}, 2e13, -1, 1e13],
    ['from one down', {}, 1, -1, 0.5],
    ['shares by points', { unit: 'ratio' }, 0.41, 1, 0.42],
    ['small whole numbers by one', { whole: true }, 7, 1, 8],
    ['not past the end', { whole: true, min: 1 }, 1, -1, undefined],
    ['nor from nothing', {}, undefined, 1, undefined],
  ])('%s', (_, extra, now, direction, next) =>
    expect(nextStep(field(extra), now, direction)).toBe(next),
  );
});

describe('a difference in words', () => {
  test.each([
    [100, 112, '+12.0 %'],
    [100, 45, '−55.0 %'],
    [100, 420, '4.20 ×'],
    [100, 100.01, ''],
    [0, 5, ''],
    [100, -5, ''],
  ])('%d to %d is "%s"', (a, x, words) =>
    expect(change(a, x).replaceAll('\u00a0', ' ')).toBe(words),
  );
});
