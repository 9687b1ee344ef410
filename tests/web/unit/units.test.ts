// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import {
  between,
  binaryBytes,
  bytes,
  count,
  duration,
  editable,
  flops,
  format,
  inBrackets,
  mantissa,
  money,
  percent,
  roughly,
  scientific,
  share,
  significant,
  trimmed,
} from '../../../web/src/units';

/** No-break spaces read like spaces here. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('scientific notation', () => {
  test.each([
    [3.7988e25, '3.80 × 10²⁵'],
    [9.999e23, '1.00 × 10²⁴'],
    [1e-7, '1.00 × 10⁻⁷'],
    [-2.5e9, '−2.50 × 10⁹'],
  ])('%d is %s', (x, text) => expect(scientific(x)).toBe(text));

  test('rounding carries into the exponent', () =>
    expect(mantissa(9.996e5)).toEqual({ text: '1.00', exponent: 6 }));
});

describe('three significant digits', () => {
  test.each([
    [0, '0'],
    [38.4412, '38.4'],
    [0.0123456, '0.0123'],
    [1234.5, '1,235'],
    [9.996, '10.0'],
  ])('%d is %s', (x, text) => expect(significant(x)).toBe(text));
});

describe('counts', () => {
  test.each([
    [16384, '16,384'],
    [405853388800, '406B'],
    [15.6e12, '15.6T'],
    [999_999_999, '1.00B'],
    [999_999, '1.00M'],
    [0.5, '0.500'],
    [1e16, '1.00 × 10¹⁶'],
  ])('%d is %s', (x, text) => expect(count(x)).toBe(text));
});

describe('bytes', () => {
  test.each([
    [2, '2 B'],
    [1.04e12, '1.04 TB'],
    [4e9, '4.00 GB'],
    [0.5625, '0.563 B'],
    [999.9e9, '1.00 TB'],
  ])('%d is %s', (x, text) => expect(plain(bytes(x))).toBe(text));

  test('a card of 80 GiB has 85.9 GB', () => {
    expect(plain(binaryBytes(80 * 2 ** 30))).toBe('80.0 GiB');
    expect(plain(bytes(80 * 2 ** 30))).toBe('85.9 GB');
  });
});

describe('compute', () => {
  test.each([
    [3.7988e25, '3.80 × 10²⁵ FLOP'],
    [6, '6 FLOP'],
    [2.43e12, '2.43 TFLOP'],
    [989.4e12, '989 TFLOP'],
  ])('%d is %s', (x, text) => expect(plain(flops(x))).toBe(text));
});

describe('durations', () => {
  test.each([
    [0, '0 s'],
    [0.0123, '12.3 ms'],
    [90, '1 min 30 s'],
    [3600, '1 h'],
    [5 * 86400 + 4 * 3600 + 20 * 60, '5 d 4 h'],
    [86399.9, '24 h'],
    [97 * 86400 + 4 * 3600, '97 d 4 h'],
    [400 * 86400, '400 d'],
    [10 * 365.25 * 86400, '10.0 years'],
    [-90, '−1 min 30 s'],
  ])('%d s is %s', (x, text) => expect(plain(duration(x))).toBe(text));

  test.each([
    [97 * 86400 + 20 * 3600, '98 d'],
    [86400, '1 d'],
    [1.3 * 3600, '1.3 h'],
    [49 * 60 + 26, '49 min'],
    [0.5, '500 ms'],
    [10 * 365.25 * 86400, '10 years'],
  ])('roughly, %d s is %s', (x, text) => expect(plain(roughly(x))).toBe(text));
});

describe('money', () => {
  test.each([
    [2.3, '$2.30'],
    [59.94e6, '$59.9M'],
    [999_600, '$1.00M'],
    [450_000, '$450,000'],
    [0.0069, '$0.00690'],
    [15000, '$15,000'],
    [-3, '−$3.00'],
  ])('%d is %s', (x, text) => expect(money(x)).toBe(text));
});

describe('by canonical unit', () => {
  test.each([
    [0.41, 'ratio', '41.0 %'],
    [38.4, 'ratio', '38.4 ×'],
    [2.3, 'usd/hour', '$2.30/h'],
    [22.5e9, 'watt-hour', '22.5 GWh'],
    [3.35e12, 'byte/s', '3.35 TB/s'],
    [524288, 'byte/token', '524 kB/token'],
    [713.2, 'token/s', '713 tokens/s'],
    [15.6e12, 'token', '15.6T'],
    [26e6, 'gpu-hour', '26.0M GPU-hours'],
    [1.893, 'nat/token', '1.893 nat/token'],
    [439675, 'pfs-day', '439,675 PF/s-days'],
    [202611, 'month', '2026-11'],
    [Number.NaN, 'byte', '–'],
    [Number.POSITIVE_INFINITY, 'second', '–'],
  ])('%d %s is %s', (x, unit, text) => expect(plain(format(x, unit))).toBe(text));

  test('a share above one and a half is a comparison', () => expect(percent(0.5)).toContain('%'));
});

describe('text for inputs', () => {
  test.each([
    [15.6e12, 'token', '15.6T'],
    [16384, 'count', '16384'],
    [0.41, 'ratio', '41%'],
    [0.197, 'ratio', '19.7%'],
    [2147483648, 'byte', '2 GiB'],
    [32e9, 'byte', '32 GB'],
    [2592000, 'second', '30 d'],
    [0, 'count', '0'],
    [3.7988e25, 'flop', '3.7988e25'],
    [2.3, 'usd/hour', '2.3'],
    [405853388800, 'count', '405853388800'],
  ])('%d %s is %s', (x, unit, text) => expect(editable(x, unit)).toBe(text));
});

test('ticks lose the zeros behind the point', () => {
  expect(trimmed('$50.0M')).toBe('$50M');
  expect(trimmed('1.50')).toBe('1.5');
  expect(trimmed('100')).toBe('100');
  expect(trimmed('1.00 TB')).toBe('1 TB');
});

test('a share that is next to nothing has no digits', () => {
  expect(plain(share(0.0523))).toBe('5.23 %');
  expect(plain(share(0.00002))).toBe('<\u20090.1 %');
  expect(plain(share(0))).toBe('0 %');
});

describe('a range', () => {
  test.each([
    ['86\u00a0d', '110\u00a0d', '86–110 d'],
    ['20\u00a0h', '2.1\u00a0d', '20 h – 2.1 d'],
    ['$912,000', '$1.13M', '$912,000 – $1.13M'],
    ['$81.2M', '$90.7M', '$81.2–90.7M'],
    ['1.2k', '4.5k', '1.2–4.5k'],
    ['7', '9', '7–9'],
    ['7\u00a0d', '7\u00a0d', '7 d'],
    ['−2\u00a0s', '3\u00a0s', '−2 s – 3 s'],
  ])('from %s to %s', (low, high, text) => expect(plain(between(low, high))).toBe(text));

  test.each([
    ['97\u00a0d', '86–110\u00a0d', '(86–110)'],
    ['64\u00a0d 12\u00a0h', '61–68\u00a0d', '(61–68 d)'],
    ['1\u00a0d 2\u00a0h', '20\u00a0h – 2.1\u00a0d', '(20 h – 2.1 d)'],
    ['$86.7M', '$81.2–90.7M', '($81.2–90.7M)'],
  ])('behind %s, %s', (text, band, shown) => expect(plain(inBrackets(text, band))).toBe(shown));
});
