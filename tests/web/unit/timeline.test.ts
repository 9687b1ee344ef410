// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { Field, Slot, Timeline } from '../../../web/src/api';
import {
  describe as said,
  nextSlot,
  passName,
  readSlot,
  rowsOf,
  shortName,
} from '../../../web/src/timeline';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

/** 1F1B of two stages and two micro-batches: a forward takes one second, a backward two. */
const kSlots: Slot[] = [
  [1, 'F', 0, 0, 1, 2],
  [1, 'B', 0, 0, 2, 4],
  [1, 'F', 1, 0, 4, 5],
  [1, 'B', 1, 0, 5, 7],
  [0, 'B', 0, 0, 4, 6],
  [0, 'F', 0, 0, 0, 1],
  [0, 'F', 1, 0, 1, 2],
  [0, 'B', 1, 0, 7, 9],
];
const kTimeline: Timeline = {
  schedule: '1f1b',
  stages: 2,
  chunks: 1,
  micro_batches: 2,
  shown: 2,
  seconds: 9,
  slots: kSlots,
};
const kRows = rowsOf(kTimeline);

test('each stage has its passes in the order of time', () =>
  expect(kRows.map((row) => row.map((slot) => shortName(slot, 1)).join(' '))).toEqual([
    'F1 F2 B1 B2',
    'F1 B1 F2 B2',
  ]));

test('a pass of an interleaved schedule names its chunk', () =>
  expect(shortName([0, 'F', 4, 1, 0, 1], 2)).toBe('F5.2'));

describe('arrow keys', () => {
  const [first, second] = kRows as [Slot[], Slot[]];
  test('begin at the first pass', () =>
    expect(nextSlot(kRows, undefined, 'ArrowLeft')).toBe(first[0]));
  test.each<[string, Slot | undefined, Slot | undefined]>([
    ['ArrowRight', first[0], first[1]],
    ['ArrowLeft', first[1], first[0]],
    ['ArrowLeft', first[0], first[0]],
    ['ArrowRight', first[3], first[3]],
    ['ArrowDown', first[1], second[0]], // the pass that runs at the same time
    ['ArrowUp', second[2], first[2]],
    ['ArrowUp', first[2], first[2]],
  ])('%s', (key, from, to) => expect(nextSlot(kRows, from, key)).toBe(to));
});

describe('a pass is said', () => {
  test('with its stage, micro-batch and seconds', () =>
    expect(plain(readSlot([0, 'B', 1, 0, 7, 9], kTimeline))).toBe(
      'Stage 1: backward of micro-batch 2, from 7 s to 9 s',
    ));
  test('the backward pass is that of the inputs where weights have one of their own', () => {
    expect(passName('B', true)).toBe('gradients of the inputs');
    expect(passName('W', true)).toBe('gradients of the weights');
  });
});

test('the schedule is described by its name, its size and what is left out', () => {
  const choices = [{ id: '1f1b', label: '1F1B, interleaved with virtual stages' }];
  const fields = new Map([['cluster.schedule', { choices } as Field]]);
  expect(said({ fields }, { ...kTimeline, micro_batches: 32, shown: 12, stages: 8 })).toBe(
    '1F1B: 8 stages, 32 micro-batches, of which 12 are drawn.',
  );
  expect(said({ fields }, { ...kTimeline, chunks: 2 })).toBe(
    '1F1B, 2 chunks each: 2 stages, 2 micro-batches.',
  );
});
