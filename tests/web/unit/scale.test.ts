// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { area, extent, line, linear, log, nice, ticks } from '../../../web/src/scale';

describe('scales', () => {
  test('a linear scale maps ends to ends, and back', () => {
    const x = linear([10, 20], [100, 0]);
    expect([x(10), x(15), x(20)]).toEqual([100, 50, 0]);
    expect(x.invert(25)).toBe(17.5);
  });

  test('on a logarithmic scale equal factors are equal lengths', () => {
    const x = log([1, 1e4], [0, 400]);
    expect(x(100)).toBeCloseTo(200, 9);
    expect(x(1000) - x(100)).toBeCloseTo(x(10) - x(1), 9);
    expect(x.invert(x(37))).toBeCloseTo(37, 9);
  });

  test('a domain of one value is in the middle', () => {
    expect(linear([5, 5], [0, 100])(5)).toBe(50);
    expect(log([5, 5], [0, 100]).invert(50)).toBeCloseTo(5, 9);
  });
});

describe('ticks', () => {
  test.each<[[number, number], number, number[]]>([
    [[0, 1], 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [[1.9, 2.4], 5, [1.9, 2, 2.1, 2.2, 2.3, 2.4]],
    [[13, 87], 4, [20, 40, 60, 80]],
    [[-3, 3], 6, [-3, -2, -1, 0, 1, 2, 3]],
    [[2, 2], 5, [2]],
  ])('%j with about %d', (range, most, expected) => expect(ticks(range, most)).toEqual(expected));

  test('are round, within, and about as many as asked for, over many ranges', () => {
    for (let i = 1; i < 2000; ++i) {
      const low = Math.sin(i) * 10 ** (i % 7);
      const high = low + 10 ** ((i % 13) - 6) * (1 + (i % 9));
      const found = ticks([low, high], 5);
      expect(found.length).toBeGreaterThanOrEqual(2);
      expect(found.length).toBeLessThanOrEqual(12);
      const slack = (high - low) * 1e-6;
      for (const t of found) expect(t >= low - slack && t <= high + slack).toBe(true);
    }
  });

  test('a nice range holds the range', () => expect(nice([1.93, 2.37], 5)).toEqual([1.9, 2.4]));
});

test('the extent leaves out what is no number', () => {
  expect(extent([3, Number.NaN, -1, Number.POSITIVE_INFINITY, 2])).toEqual([-1, 3]);
  expect(extent([Number.NaN])).toBeUndefined();
});

test('paths', () => {
  expect(line([])).toBe('');
  expect(
    line([
      [0, 1],
      [2.345, 3],
    ]),
  ).toBe('M0.00,1.00L2.35,3.00');
  expect(
    area([
      [0, 1, 2],
      [5, 1, 3],
    ]),
  ).toBe('M0.00,1.00L5.00,1.00L5.00,3.00L0.00,2.00Z');
});
