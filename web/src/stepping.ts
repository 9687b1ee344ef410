// SPDX-License-Identifier: MIT
// Arrow keys in a number field: by 1-2-5, by doubling where powers of two are usual, by points in percent.
import type { Field } from './api';

const kSeries = [1, 2, 5, 10];

function along(x: number, direction: 1 | -1): number {
  const power = 10 ** Math.floor(Math.log10(x));
  const lead = x / power;
  const slack = 1e-9;
  const next =
    direction > 0
      ? kSeries.find((s) => s > lead + slack)
      : ([0.5, ...kSeries].reverse().find((s) => s < lead - slack) ?? 0.5);
  return Number(((next ?? 10) * power).toPrecision(6));
}

/** Undefined when there is nothing to step from, or nowhere to go. */
export function nextStep(
  field: Field,
  now: number | undefined,
  direction: 1 | -1,
): number | undefined {
  if (now === undefined) return undefined;
  let next: number;
  if (field.unit === 'ratio') next = Number((now + 0.01 * direction).toFixed(6));
  else if (field.whole && now < 12 && Math.log2(now) % 1 !== 0) next = now + direction;
  else if (field.whole && Math.log2(now) % 1 === 0) next = direction > 0 ? now * 2 : now / 2;
  else if (now === 0) next = direction;
  else next = along(now, direction);
  if (field.whole) next = Math.round(next);
  const { min = -Infinity, max = Infinity } = field;
  return next < min || next > max || next === now ? undefined : next;
}
