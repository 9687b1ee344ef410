// SPDX-License-Identifier: MIT
// Where a slider can stand: round values around the one it starts from. Pure.
import type { Field } from '../api';

const kReach = 64; // how far to each side; a chart looks as far
const kSteps = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8]; // in each decade
const kPercents = 100;
const kFew = 64; // whole numbers that are gone through one by one

/** Powers of two and the halves between them: what divides stays divisible. */
function binary(low: number, high: number): number[] {
  const found: number[] = [];
  for (let x = 1; x <= high; x *= 2) found.push(x, x * 1.5);
  return found.filter((x) => Number.isInteger(x) && x >= low && x <= high);
}

function decimal(low: number, high: number, whole: boolean): number[] {
  const found: number[] = [];
  for (let e = Math.floor(Math.log10(low)); 10 ** e <= high; ++e)
    for (const step of kSteps) found.push(Number((step * 10 ** e).toPrecision(3)));
  return found.filter((x) => x >= low && x <= high && (!whole || Number.isInteger(x)));
}

/** In order, with `start` among them; empty where a slider makes no sense. */
export function stopsOf(field: Field, start: number | undefined): number[] {
  if (start === undefined || !Number.isFinite(start) || field.unit === 'month') return [];
  const { min = 0, max = Infinity, whole = false } = field;
  const within = (list: number[]) =>
    [...new Set([...list, start])].filter((x) => x >= min && x <= max).sort((a, b) => a - b);
  if (field.unit === 'ratio')
    return within(Array.from({ length: kPercents + 1 }, (_, i) => i / kPercents));
  if (whole && max - min <= kFew)
    return within(Array.from({ length: max - min + 1 }, (_, i) => min + i));
  const from = start > 0 ? start : 1;
  const [low, high] = [Math.max(min, from / kReach, whole ? 1 : 0), Math.min(max, from * kReach)];
  const spread =
    whole && Math.log2(from) % 1 === 0
      ? binary(low, high)
      : decimal(low || from / kReach, high, whole);
  return within(min <= 0 && start <= 0 ? [0, ...spread] : spread);
}

/** The stop that is nearest to a value, by ratio where both are above zero. */
export function nearest(stops: readonly number[], value: number): number {
  const far = (x: number) =>
    x > 0 && value > 0 ? Math.abs(Math.log(x / value)) : Math.abs(x - value);
  return stops.reduce((best, x, i) => (far(x) < far(stops[best] ?? NaN) ? i : best), 0);
}
