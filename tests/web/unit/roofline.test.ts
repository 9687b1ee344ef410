// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { Operation } from '../../../web/src/api';
import { placed, type Box } from '../../../web/src/placing';
import { shownOf } from '../../../web/src/roofline';

const room: Box = { x: 50, y: 20, width: 500, height: 280 };
const point = (x: number, y: number, width = 80) => ({ x, y, radius: 5, width });
const overlap = (a: Box, b: Box) =>
  Math.min(a.x + a.width, b.x + b.width) > Math.max(a.x, b.x) &&
  Math.min(a.y + a.height, b.y + b.height) > Math.max(a.y, b.y);

describe('labels', () => {
  test('of points that lie together keep off each other, the points and what else is there', () => {
    const points = Array.from({ length: 8 }, (_, i) => point(300 + 4 * i, 150 + (i % 3)));
    const others = [{ x: 310, y: 160, width: 100, height: 20 }];
    const found = placed(points, room, others).filter((b) => b !== undefined);
    expect(found).toHaveLength(8);
    const dots = points.map(({ x, y, radius }) => ({
      x: x - radius,
      y: y - radius,
      width: 2 * radius,
      height: 2 * radius,
    }));
    for (const [i, label] of found.entries())
      for (const other of [...found.slice(i + 1), ...dots, ...others])
        expect(overlap(label, other)).toBe(false);
  });

  test('stay inside of the plot', () => {
    const [found] = placed([point(545, 25)], room);
    expect(found).toBeDefined();
    expect((found?.x ?? 0) + (found?.width ?? 0)).toBeLessThanOrEqual(550);
    expect(found?.y).toBeGreaterThanOrEqual(20);
  });

  test('beside their point need no line to it; farther ones do', () => {
    const found = placed(
      [point(300, 150), ...Array.from({ length: 8 }, () => point(300, 150))],
      room,
    );
    expect(found[0]?.near).toBe(true);
    expect(found.some((b) => b?.near === false)).toBe(true);
  });

  test('without room for them are left out', () =>
    expect(placed([point(100, 100, 600)], room)).toEqual([undefined]));
});

test('operations that take longest come first; those without work or traffic have no place', () => {
  const operation = (id: string, share: number, intensity = 1, rate = 1) =>
    ({ id, share, intensity, rate }) as Operation;
  const operations = [
    operation('a', 0.1),
    operation('copy', 0.9, 0),
    operation('b', 0.5),
    operation('idle', 0.2, 1, 0),
  ];
  const list = shownOf({ bandwidth: 1, peaks: [], operations });
  expect(list.map(({ id }) => id)).toEqual(['b', 'a']);
});
