// SPDX-License-Identifier: MIT
// The views of an embed: what fits where. The loader reserves a height before anything has loaded: the
// one that the examples need in a column of a page, or, below kNarrow, on a phone.

export const kViews = {
  line: { smallest: 0, height: 80, narrow: 125 },
  card: { smallest: 280, height: 205, narrow: 300 },
  bar: { smallest: 320, height: 250, narrow: 330 },
  chart: { smallest: 360, height: 470, narrow: 510 },
  table: { smallest: 320, height: 425, narrow: 485 },
  full: { smallest: 480, height: 925, narrow: 925 },
} as const satisfies Record<string, { smallest: number; height: number; narrow: number }>;

export const kNarrow = 480;

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

/** Scripts run, links open outside, files can be saved; no origin, so no storage and no cookies. */
export const kSandbox = 'allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads';
