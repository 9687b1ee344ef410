// SPDX-License-Identifier: MIT
// What the panels of the share dialog give away, before any of it is drawn.
import { describe, expect, test } from 'vitest';
import type { Answer, Schema } from '../../../web/src/api';
import { editable } from '../../../web/src/sharing/embed';
import { create, kFirst, type Host } from '../../../web/src/sharing/state';
import { tables } from '../../../web/src/view';

const field = (path: string, key: string, group: string) => ({
  path,
  key,
  group,
  label: key,
  basic: true,
  tasks: ['pretrain'],
});
const kTables = tables({
  version: '0.4.0',
  fields: [field('model.params', 'size', 'model'), field('cluster.gpus', 'n', 'cluster')],
  metrics: [],
  models: [],
  accelerators: [],
  sources: {},
} as unknown as Schema);

const kHome = 'https://example.org/calc/';
const kLink = 'v=1&d=2026-11&model=gpt2&n=8';

function shareOf(link = kLink, model = 'gpt2', choices = kFirst) {
  const answer = {
    version: '0.4.0',
    d: '2026-11',
    link,
    patch: {},
    inputs: { 'run.task': 'pretrain', 'model.id': model },
    steps: [],
    quotes: { model: { id: model, name: 'GPT-2 small (124M)' } },
    summary: ['S.'],
    verdict: { severity: 'good', message: ['V.'] },
  } as unknown as Answer;
  const host = { ...kTables, answer, others: '', stale: false } as unknown as Host;
  return create(host, kHome, choices, () => {});
}

describe('what readers may change', () => {
  test('is the size only of a model by size', () => {
    const keys = (model: string) => editable(shareOf(kLink, model)).map(({ key }) => key);
    expect(keys('gpt2')).toEqual(['n']);
    expect(keys('by-size')).toEqual(['size', 'n']);
  });
});
