// SPDX-License-Identifier: MIT
// What asking for something else changes, and the ways out where there is no answer.
import { describe, expect, test } from 'vitest';
import type { Answer, Field, Patch, Schema, Solved, Value } from '../../../web/src/api';
import { asking, roomFor, said, ways } from '../../../web/src/solving';
import { kEmpty } from '../../../web/src/state';
import { createView, type View } from '../../../web/src/view';

const kDay = 86400;
const kTrain = ['pretrain', 'finetune'];
const number = (path: string, unit: string, label: string, tasks = kTrain) =>
  ({ path, key: path, group: 'run', type: 'number', unit, label, help: '', tasks }) as Field;
const fields = [
  number('run.tokens', 'token', 'Tokens'),
  number('cluster.gpus', 'count', 'GPUs', [...kTrain, 'serve']),
  number('run.deadline', 'second', 'Deadline'),
  number('solve.usd', 'usd', 'Most dollars'),
  number('serve.batch', 'count', 'Concurrent sequences', ['serve']),
  number('solve.per_user', 'token/s', 'Least tokens/s per user', ['serve']),
];

const kResults = {
  'time.total': 81.8 * kDay,
  'cost.total': 108_765_432,
  'gpus.used': 16384,
  'serving.tokens_per_s_per_user': 16.24,
};

function viewOf(
  patch: Patch,
  inputs: Record<string, Value | null> = {},
  solved?: Partial<Solved>,
  task = 'pretrain',
): View {
  const answer = {
    link: '',
    patch,
    inputs: { 'run.task': task, 'solve.unknown': 'none', ...patch, ...inputs },
    steps: Object.entries(kResults).map(([id, value]) => ({ id, value, formula: '' })),
    problems: [],
    ...(solved ? { solved } : {}),
  } as unknown as Answer;
  const schema = { fields, metrics: [] } as unknown as Schema;
  return createView(schema, { ...kEmpty, patch, good: answer });
}

describe('a limit that leaves room for what is', () => {
  test.each([
    [81.8 * kDay, 'second', 82 * kDay],
    [82 * kDay, 'second', 82 * kDay],
    [2.3 * kDay, 'second', 56 * 3600],
    [5000, 'second', 5040],
    [108_765_432, 'usd', 109_000_000],
    [109_000_000, 'usd', 109_000_000],
    [0.7491, 'usd', 0.75],
  ])('%d %s: %d', (value, unit, room) => expect(roomFor(value, unit)).toBe(room));
});

describe('asking', () => {
  const typed = { 'cluster.gpus': 16384 };

  test('for GPUs takes the present time as deadline, and keeps what was typed', () =>
    expect(asking(viewOf(typed), 'gpus')).toEqual({
      'solve.unknown': 'gpus',
      'run.deadline': 82 * kDay,
    }));

  test('keeps a limit that is there', () => {
    expect(asking(viewOf({ ...typed, 'solve.usd': 2e6 }), 'tokens')).toEqual({
      'solve.unknown': 'tokens',
    });
    expect(asking(viewOf({ ...typed, 'run.deadline': kDay }), 'tokens')).toEqual({
      'solve.unknown': 'tokens',
    });
  });

  test('for another input takes the GPUs as they are where their number was open', () =>
    expect(asking(viewOf({}), 'tokens')).toEqual({
      'solve.unknown': 'tokens',
      'cluster.gpus': 16384,
      'run.deadline': 82 * kDay,
    }));

  test('for the context needs no deadline: memory ends it', () =>
    expect(asking(viewOf(typed), 'seq')).toEqual({ 'solve.unknown': 'seq' }));

  const solved = { path: 'run.tokens', value: 3e12 };
  const before = { ...typed, 'run.deadline': kDay, 'solve.unknown': 'tokens' };

  test('for something else makes an input of what was worked out', () => {
    expect(asking(viewOf(before, {}, solved), 'gpus')).toEqual({
      'solve.unknown': 'gpus',
      'run.tokens': 3e12,
    });
    expect(asking(viewOf(before, {}, solved), 'first')).toEqual({
      'solve.unknown': 'none',
      'run.tokens': 3e12,
    });
  });

  test('but what was typed there comes back', () =>
    expect(asking(viewOf({ ...before, 'run.tokens': 1e12 }, {}, solved), 'first')).toEqual({
      'solve.unknown': 'none',
    }));

  test('a model that was worked out gives way to the one that was chosen', () =>
    expect(asking(viewOf(before, {}, { path: 'model.params', value: 1e11 }), 'first')).toEqual({
      'solve.unknown': 'none',
    }));

  test('for the results changes nothing where they are asked for already', () =>
    expect(asking(viewOf(typed), 'second')).toBeUndefined());

  test('while serving sets no deadline', () =>
    expect(asking(viewOf(typed, {}, undefined, 'serve'), 'gpus')).toEqual({
      'solve.unknown': 'gpus',
    }));

  test('is said in words', () => {
    expect(said(viewOf({}), 'gpus')).toBe('Solving for GPUs.');
    expect(said(viewOf({}), 'tokens')).toBe('Solving for tokens.');
    expect(said(viewOf({}), 'second')).toBe('Solving for cost.');
    expect(said(viewOf({}, {}, undefined, 'serve'), 'batch')).toBe(
      'Solving for concurrent sequences.',
    );
  });
});

describe('without an answer', () => {
  const waysOf = (view: View) => ways(view, view.state.good as Answer);
  const none = { path: 'cluster.gpus', value: 16384, met: false };

  test('the limit that is not met may be moved or left out', () =>
    expect(waysOf(viewOf({ 'run.deadline': 30 * kDay, 'solve.usd': 2e9 }, {}, none))).toEqual([
      { label: 'Allow 82\u00a0d', patch: { 'run.deadline': 82 * kDay } },
      { label: 'Without the deadline', patch: { 'run.deadline': '' } },
    ]));

  test('both limits, where both are not met', () =>
    expect(waysOf(viewOf({ 'run.deadline': 30 * kDay, 'solve.usd': 2e6 }, {}, none))).toHaveLength(
      4,
    ));

  test('a least speed is lowered to below what there is', () => {
    const view = viewOf({ 'solve.per_user': 50 }, {}, none, 'serve');
    expect(waysOf(view)[0]?.patch).toEqual({ 'solve.per_user': 16 });
  });

  test('of an unlimited quantity the present time is offered as limit', () =>
    expect(waysOf(viewOf({}, {}, { path: 'run.tokens', value: null, met: false }))).toEqual([
      { label: 'Within 82\u00a0d, as now', patch: { 'run.deadline': 82 * kDay } },
    ]));

  test('nothing is offered where all is met', () =>
    expect(waysOf(viewOf({ 'run.deadline': kDay }, {}, { ...none, met: true }))).toEqual([]));
});
