// SPDX-License-Identifier: MIT
// Positions and ticks of the charts, and the paths of their lines. The d3 modules do the same in 16 kB
// more, and the first view has a budget.

export type Range = readonly [number, number];

export interface Scale {
  (value: number): number;
  /** The value at a position. */
  invert(position: number): number;
  readonly domain: Range;
}

export function linear(domain: Range, [from, to]: Range): Scale {
  const [low, high] = domain;
  const slope = high === low ? 0 : (to - from) / (high - low);
  const middle = (from + to) / 2; // where everything is when the domain is one value
  return Object.assign((x: number) => (slope ? from + (x - low) * slope : middle), {
    domain,
    invert: (p: number) => (slope ? low + (p - from) / slope : low),
  });
}

export function log(domain: Range, range: Range): Scale {
  const inner = linear([Math.log(domain[0]), Math.log(domain[1])], range);
  return Object.assign((x: number) => inner(Math.log(x)), {
    domain,
    invert: (p: number) => Math.exp(inner.invert(p)),
  });
}

/** 1, 2 or 5 times a power of ten, so that about `most` steps cover the range. */
function stepOf([low, high]: Range, most: number): number {
  const raw = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw));
  const error = raw / power;
  return (
    power * (error >= Math.sqrt(50) ? 10 : error >= Math.sqrt(10) ? 5 : error >= Math.SQRT2 ? 2 : 1)
  );
}

/** Dividing by the inverse keeps 3 times 0.1 from becoming 0.30000000000000004. */
const times = (i: number, step: number): number => (step < 1 ? i / Math.round(1 / step) : i * step);

/** Round numbers within the range. */
export function ticks(range: Range, most: number): number[] {
  const [low, high] = range;
  if (!(high > low)) return [low];
  const step = stepOf(range, most);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => times(first + i, step));
}

/** The range, widened to round numbers. */
export function nice(range: Range, most: number): Range {
  const [low, high] = range;
  if (!(high > low)) return range;
  const step = stepOf(range, most);
  return [times(Math.floor(low / step), step), times(Math.ceil(high / step), step)];
}

/** The least and the greatest of the finite numbers. */
export function extent(values: readonly number[]): Range | undefined {
  let found: [number, number] | undefined;
  for (const v of values)
    if (Number.isFinite(v)) found = found ? [Math.min(found[0], v), Math.max(found[1], v)] : [v, v];
  return found;
}

const at = (x: number, y: number) => `${x.toFixed(2)},${y.toFixed(2)}`;

/** A line through points in pixels. */
export const line = (points: readonly (readonly [number, number])[]): string =>
  points.length ? `M${points.map(([x, y]) => at(x, y)).join('L')}` : '';

/** The area between two lines over the same x: x, lower y, upper y. */
export const area = (points: readonly (readonly [number, number, number])[]): string =>
  points.length
    ? `${line(points.map(([x, y]) => [x, y]))}L${[...points]
        .reverse()
        .map(([x, , y]) => at(x, y))
        .join('L')}Z`
    : '';
