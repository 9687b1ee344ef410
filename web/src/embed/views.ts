// SPDX-License-Identifier: MIT
// The views of an embed: what fits where. The loader reserves `height`, which a view has in a column of
// text, before anything has loaded.

export const kViews = {
  line: { smallest: 0, height: 80 },
  card: { smallest: 280, height: 200 },
  bar: { smallest: 320, height: 225 },
  chart: { smallest: 360, height: 470 },
  table: { smallest: 320, height: 400 },
  full: { smallest: 480, height: 880 },
} as const satisfies Record<string, { smallest: number; height: number }>;

export type ViewName = keyof typeof kViews;

export const isView = (name: string | null | undefined): name is ViewName =>
  typeof name === 'string' && Object.hasOwn(kViews, name);

/** What a view shows where it has no room, and then that one. */
export const kFallbacks: Readonly<Record<ViewName, readonly ViewName[]>> = {
  line: ['line'],
  card: ['card', 'line'],
  bar: ['bar', 'card', 'line'],
  chart: ['chart', 'bar', 'card', 'line'],
  table: ['table', 'card', 'line'],
  full: ['full', 'chart', 'bar', 'card', 'line'],
};
