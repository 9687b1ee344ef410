// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { Answer, Memory, StageMemory } from '../../../web/src/api';
import { classes, memoryOf, rangeText } from '../../../web/src/bars';
import { effect } from '../../../web/src/report';
import { work } from '../../../web/src/units';
import fixture from './memory.fixture.json';

const memory = fixture as unknown as Memory;
const plain = (text: string) => text.replaceAll('\u00a0', ' ');
const stage = (index: number, name: StageMemory['name'], total: number): StageMemory => ({
  stage: index,
  name,
  ranks: 8,
  layers: 4,
  in_flight: 1,
  moment: 'backward',
  total,
  parts: { 'rank.weights': total },
});

describe('classes of ranks', () => {
  test('the middle stages of a long pipeline are one bar, that of the fullest', () => {
    const found = classes(memory.stages);
    expect(found.map((c) => c.label)).toEqual(['First stage', 'Stages 2–15', 'Last stage']);
    const middle = memory.stages.slice(1, 15);
    expect(found[1]?.shown.total).toBe(Math.max(...middle.map((s) => s.total)));
    expect(found[1]?.range).toEqual([
      Math.min(...middle.map((s) => s.total)),
      Math.max(...middle.map((s) => s.total)),
    ]);
    expect(found.reduce((sum, c) => sum + c.stages, 0)).toBe(memory.stages.length);
  });

  test('a short pipeline has a bar for each stage', () =>
    expect(
      classes([
        stage(0, 'first', 3),
        stage(1, 'middle', 2),
        stage(2, 'middle', 2),
        stage(3, 'last', 4),
      ]).map((c) => c.label),
    ).toEqual(['First stage', 'Stage 2', 'Stage 3', 'Last stage']));

  test('without a pipeline there is one', () =>
    expect(classes([stage(0, 'only', 1)]).map((c) => c.label)).toEqual(['Each GPU']));
});

test('a range is one number where its ends read the same', () => {
  expect(plain(rangeText([61.2e9, 61.2001e9]))).toBe('61.2 GB');
  expect(plain(rangeText([58e9, 61.2e9]))).toBe('58.0 GB – 61.2 GB');
});

test('the parts of each stage and moment of the fixture sum to its total', () => {
  for (const of of [...memory.stages, ...memory.timeline])
    expect(Object.values(of.parts).reduce((a, b) => a + b, 0)).toBeCloseTo(of.total, -1);
});

test('an answer without ranks has one bar, from its layout', () => {
  const step = (id: string, value: number) => ({ id, value, formula: '' });
  const steps = [
    step('layout.capacity', 80),
    step('layout.per_gpu', 50),
    step('layout.weights', 40),
    step('layout.reserve', 10),
  ];
  const found = memoryOf({ steps } as unknown as Answer);
  expect(found?.capacity).toBe(80);
  expect(found?.stages.map((s) => [s.name, s.total])).toEqual([['only', 50]]);
  expect(found?.stages[0]?.parts).toEqual({ 'layout.weights': 40, 'layout.reserve': 10 });
  expect(memoryOf({ steps: steps.slice(2) } as unknown as Answer)).toBeNull();
});

describe('what a remedy does', () => {
  test.each([
    [1.33, '+33 % work'],
    [0.9, '−10 % work'],
    [1.001, ''],
  ])('a factor of %d is "%s"', (factor, text) => expect(plain(work(factor))).toBe(text));

  test('memory, whether it fits, and work', () => {
    const remedy = { label: 'l', patch: {}, link: '', per_gpu: 62.1e9, fits: true, work: 4 / 3 };
    expect(plain(effect(remedy))).toBe('62.1 GB per GPU, fits, +33 % work');
    expect(plain(effect({ ...remedy, fits: false, work: 1 }))).toBe(
      '62.1 GB per GPU, still too much',
    );
    expect(effect({ label: 'l', patch: {}, link: '' })).toBe('');
  });
});
