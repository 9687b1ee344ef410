// SPDX-License-Identifier: MIT
// What the actions make of the scenarios that are compared, and what is said of two results.
import { describe, expect, test } from 'vitest';
import type { Answer, Field } from '../../../web/src/api';
import { chosen, judged, overlap } from '../../../web/src/compare';
import { changed } from '../../../web/src/comparing';

const links = ['a', 'b', 'c'];

describe('the scenarios of a comparison', () => {
  test.each([
    ['a copy of the one in the form goes there', 1, 'add', 1, ['a', 'b', 'c', 'b'], 3],
    ['one from outside leaves the form as it is', 1, 'with', 1, ['a', 'b', 'c', 'x'], 1],
    ['one is replaced', 2, 'put', 2, ['a', 'b', 'x'], 2],
    ['another goes into the form', 0, 'edit', 2, ['a', 'b', 'c'], 2],
    ['swapped with A, the form stays with its own', 0, 'swap', 2, ['c', 'b', 'a'], 2],
    ['and so does the form of the other one', 2, 'swap', 2, ['c', 'b', 'a'], 0],
    ['and that of a third', 1, 'swap', 2, ['c', 'b', 'a'], 1],
    ['one is kept', 0, 'keep', 1, ['b'], 0],
    ['one before that in the form goes', 2, 'remove', 0, ['b', 'c'], 1],
    ['the one in the form goes: the next takes its place', 1, 'remove', 1, ['a', 'c'], 1],
    ['or the one before, where there is none', 2, 'remove', 2, ['a', 'b'], 1],
    ['one behind that in the form goes', 0, 'remove', 2, ['a', 'b'], 0],
  ] as const)('%s', (_, at, action, i, left, next) => {
    const found = changed({ links, at }, action, i, 'x');
    expect(found.links).toEqual(left);
    expect(found.at).toBe(next);
  });

  test('is said where something is gone', () => {
    expect(changed({ links, at: 0 }, 'remove', 1).said).toBe('B removed.');
    expect(changed({ links, at: 0 }, 'keep', 2).said).toBe('Only C is left.');
    expect(changed({ links, at: 0 }, 'edit', 2).said).toBe('');
  });
});

describe('which inputs are those that someone changed', () => {
  const fields = [
    { key: 'gpu', path: 'gpu.id' },
    { key: 'n', path: 'cluster.gpus' },
  ] as Field[];
  test('is read from the link', () =>
    expect(chosen('v=1&n=8&b.gpu=b200&b.n=4&d.n=2', fields)).toEqual([
      [],
      ['gpu.id', 'cluster.gpus'],
      [],
      ['cluster.gpus'],
    ]));
});

describe('better and worse', () => {
  test.each([
    ['time.total', 10, 9, 'better'],
    ['cost.total', 10, 11, 'worse'],
    ['time.mfu', 0.3, 0.4, 'better'],
    ['serving.tokens_per_s', 30, 20, 'worse'],
    ['time.total', 10, 10, ''],
    ['gpus.used', 8, 16, ''],
  ] as const)('%s: %s, then %s is "%s"', (id, a, x, word) => expect(judged(id, a, x)).toBe(word));

  const ranged = (low: number, high: number) =>
    ({
      steps: [
        { id: 'time.total_low', value: low, formula: '' },
        { id: 'time.total_high', value: high, formula: '' },
      ],
    }) as unknown as Answer;

  test('is not sure where ranges overlap', () => {
    expect(overlap(ranged(1, 3), ranged(2, 4), 'time.total')).toBe(true);
    expect(overlap(ranged(2, 4), ranged(1, 3), 'time.total')).toBe(true);
    expect(overlap(ranged(1, 2), ranged(3, 4), 'time.total')).toBe(false);
    expect(overlap(ranged(1, 2), { steps: [] } as unknown as Answer, 'time.total')).toBe(false);
  });
});
