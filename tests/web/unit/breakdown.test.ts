// SPDX-License-Identifier: MIT
// The time of a step on the page: its parts, whose its MFU is, and the dialog that takes a measurement.
import { describe, expect, test } from 'vitest';
import type { Answer, Value } from '../../../web/src/api';
import { kStepParts, openPanels, stepParts } from '../../../web/src/breakdown';
import { measured } from '../../../web/src/calibrating';
import { bandOf, mfuFrom, tables } from '../../../web/src/view';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

function answer(values: Record<string, number>, inputs: Record<string, Value | null> = {}): Answer {
  return {
    inputs,
    steps: Object.entries(values).map(([id, value]) => ({ id, value, formula: '' })),
  } as unknown as Answer;
}

test('the parts of a step stand in the order of the bar, without those that take no time', () => {
  const values = Object.fromEntries([...kStepParts].reverse().map((id, i) => [id, i]));
  const parts = stepParts(answer(values));
  expect(parts.map(({ id }) => id)).toEqual(kStepParts.slice(0, -1)); // the last one took none
  expect(parts.reduce((sum, { value }) => sum + value, 0)).toBe((13 * 14) / 2);
});

describe('the MFU is', () => {
  const step = { 'step.matmul': 1 };
  test.each<[string, Answer]>([
    ['assumed', answer(step, { 'run.mfu': 0.4 })],
    ['assumed', answer({}, { 'run.mfu': 0.4, 'run.gpu_time': 1e9 })],
    ['given', answer(step, { 'run.gpu_time': 1e9 })],
    ['predicted', answer(step, { 'run.mfu': null, 'run.gpu_time': 'auto' })],
    ['typical', answer({}, { 'run.mfu': null })],
  ])('%s', (from, of) => expect(mfuFrom(of)).toBe(from));
});

describe('panels that are open', () => {
  const open = new Set(['panel:timeline', 'panel:roofline', 'table:step']);
  const step = { 'step.matmul': 1 };
  test('are those of a pipeline', () =>
    expect(openPanels(answer(step, { 'cluster.pp': 8 }), open)).toEqual(['timeline', 'roofline']));
  test('without one there is no timeline', () =>
    expect(openPanels(answer(step, { 'cluster.pp': 1 }), open)).toEqual(['roofline']));
  test('without a prediction there is nothing to show', () =>
    expect(openPanels(answer({}, { 'cluster.pp': 8 }), open)).toEqual([]));
  test('what is closed is not worked out', () =>
    expect(openPanels(answer(step, { 'cluster.pp': 8 }), new Set())).toEqual([]));
});

describe('a range', () => {
  const metric = (id: string, unit: string) => ({ id, unit });
  const known = tables({
    fields: [],
    metrics: [
      metric('time.total', 'second'),
      metric('time.mfu', 'ratio'),
      metric('cost.total', 'usd'),
    ],
  } as unknown as Parameters<typeof tables>[0]);
  const day = 86400;
  test.each<[string, number, number, string]>([
    ['time.total', 86.2 * day, 110.4 * day, '86–110 d'],
    ['time.total', 20 * 3600, 2.1 * day, '20 h – 2.1 d'],
    ['time.mfu', 0.362, 0.459, '36–46 %'],
    ['time.mfu', 0.0712, 0.093, '7.1–9.3 %'],
    ['cost.total', 81.2e6, 90.7e6, '$81.2–90.7M'],
    ['cost.total', 912e3, 1.13e6, '$912,000 – $1.13M'],
  ])('of %s from %d to %d is %s', (id, low, high, text) =>
    expect(plain(bandOf(known, answer({ [`${id}_low`]: low, [`${id}_high`]: high }), id))).toBe(
      text,
    ),
  );
  test('with one end only is none', () =>
    expect(bandOf(known, answer({ 'time.total_low': 1 }), 'time.total')).toBe(''));
});

describe('what was measured', () => {
  test.each<[Parameters<typeof measured>[0], string, number | null]>([
    ['step_s', '3.2', 3.2],
    ['step_s', ' 3,2 s ', 3.2],
    ['step_s', '850 ms', 0.85],
    ['tokens_per_s_per_gpu', '1,250', 1250],
    ['tokens_per_s_per_gpu', '12,345.5 tokens/s', 12345.5],
    ['tokens_per_s_per_gpu', '1e4', 10000],
    ['mfu', '41 %', 0.41],
    ['mfu', '41', 0.41],
    ['mfu', '0.41', 0.41],
    ['mfu', '0.9%', 0.009],
    ['step_s', '0', null],
    ['step_s', '-3', null],
    ['step_s', 'fast', null],
    ['step_s', '', null],
  ])('%s "%s" is %d', (quantity, text, value) => {
    const found = measured(quantity, text);
    if (value === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(value, 9);
  });
});
