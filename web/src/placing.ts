// SPDX-License-Identifier: MIT
// Where the labels of points go, so that none lies on another.

export const kLine = 15; // px: the height of a label
const kGap = 5; // between a point and its label
const kRing = 8; // farther out, where there is no room
const kFarthest = 120;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Place extends Box {
  /** Right beside its point: no line is needed between them. */
  near: boolean;
}

const apart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

/**
 * A place for the label of each point, in order of importance: beside it, or farther away, inside of
 * `room`, on nothing that is `taken` and on no point. Undefined where there is none.
 */
export function placed(
  points: readonly { x: number; y: number; radius: number; width: number }[],
  room: Box,
  others: readonly Box[] = [],
): (Place | undefined)[] {
  const taken: Box[] = [...others];
  const dots = points.map(({ x, y, radius }) => ({
    x: x - radius,
    y: y - radius,
    width: 2 * radius,
    height: 2 * radius,
  }));
  const inside = (b: Box) =>
    b.x >= room.x &&
    b.y >= room.y &&
    b.x + b.width <= room.x + room.width &&
    b.y + b.height <= room.y + room.height;
  taken.push(...dots);
  return points.map(({ x, y, radius, width }) => {
    const nearest = radius + kGap;
    for (let far = nearest; far < kFarthest; far += kRing)
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, -1],
        [0, 1],
        [0.8, -0.8],
        [0.8, 0.8],
        [-0.8, -0.8],
        [-0.8, 0.8],
      ] as const) {
        const found: Place = {
          near: far === nearest,
          x: x + dx * far + (dx > 0 ? 0 : dx < 0 ? -width : -width / 2),
          y: y + dy * far + (dy > 0 ? 0 : dy < 0 ? -kLine : -kLine / 2),
          width,
          height: kLine,
        };
        if (inside(found) && taken.every((other) => apart(found, other))) {
          taken.push(found);
          return found;
        }
      }
    return undefined;
  });
}
