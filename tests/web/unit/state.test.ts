// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { Answer, Patch, Problem } from '../../../web/src/api';
import {
  apply,
  compared,
  edit,
  isStale,
  kEmpty,
  modelOf,
  opened,
  received,
  scenariosOf,
  settle,
  withModel,
} from '../../../web/src/state';

const problem = (
  path: string,
  value: string,
  severity: Problem['severity'] = 'error',
): Problem => ({
  path,
  severity,
  code: 'not_a_number',
  message: 'm',
  hint: 'h',
  value,
});

function answer(patch: Patch, problems: Problem[] = []): Answer {
  return {
    version: '0.1.0',
    v: 1,
    d: '2026-11',
    link: `v=1&${Object.keys(patch).join('&')}`,
    patch,
    inputs: { 'run.tokens': 'auto', 'cluster.gpus': 8, ...patch },
    summary: [],
    verdict: { severity: 'good', code: 'fits', about: [], message: [], remedies: [] },
    steps: [],
    findings: [],
    problems,
  };
}

describe('editing', () => {
  test('raw text goes into the patch and stays the draft', () => {
    const state = edit(kEmpty, 'run.tokens', '15T');
    expect(state.patch).toEqual({ 'run.tokens': '15T' });
    expect(state.draft).toEqual({ path: 'run.tokens', text: '15T' });
  });

  test('empty text takes the field back to its default', () => {
    const state = edit(edit(kEmpty, 'run.tokens', '15T'), 'run.tokens', '  ');
    expect(state.patch).toEqual({});
    expect(state.draft).toEqual({ path: 'run.tokens', text: '  ' });
  });

  test('flags are no draft', () => expect(edit(kEmpty, 'model.tied', true).draft).toBeNull());

  test('leaving the field ends the draft', () =>
    expect(settle(edit(kEmpty, 'run.tokens', '15T')).draft).toBeNull());

  test('a remedy changes several fields at once', () =>
    expect(apply(edit(kEmpty, 'a', '1'), { a: 2, b: 3 }).patch).toEqual({ a: 2, b: 3 }));
  test('a remedy may put an input back to its default', () =>
    expect(apply(edit(kEmpty, 'a', 1), { a: '', b: 3 }).patch).toEqual({ b: 3 }));
});

describe('answers', () => {
  test('canonical values replace what was typed', () => {
    const asked = edit(kEmpty, 'run.tokens', '15T');
    const state = received(asked, asked.patch, answer({ 'run.tokens': 15e12 }));
    expect(state.patch).toEqual({ 'run.tokens': 15e12 });
    expect(state.good?.patch).toEqual({ 'run.tokens': 15e12 });
    expect(isStale(state)).toBe(false);
  });

  test('an answer to older inputs is ignored', () => {
    const first = edit(kEmpty, 'run.tokens', '1');
    const second = edit(first, 'run.tokens', '15');
    expect(received(second, first.patch, answer({ 'run.tokens': 1 }))).toBe(second);
  });

  test('with an error the last good answer stays, and the refused text is kept', () => {
    const start = received(kEmpty, kEmpty.patch, answer({}));
    const asked = edit(start, 'cluster.gpus', '8 or so');
    const state = received(asked, asked.patch, answer({}, [problem('cluster.gpus', '8 or so')]));
    expect(state.good).toBe(start.good);
    expect(state.patch).toEqual({ 'cluster.gpus': '8 or so' });
    expect(isStale(state)).toBe(true);
  });

  test('a warning does not hold up the answer', () => {
    const fresh = answer({}, [problem('cluster.gpus', '8', 'warning')]);
    const state = received(kEmpty, kEmpty.patch, fresh);
    expect(state.good).toBe(fresh);
    expect(isStale(state)).toBe(false);
  });

  test('the error is solved by a good value', () => {
    const bad = edit(received(kEmpty, kEmpty.patch, answer({})), 'cluster.gpus', 'x');
    const stuck = received(bad, bad.patch, answer({}, [problem('cluster.gpus', 'x')]));
    const fixed = edit(stuck, 'cluster.gpus', '64');
    const state = received(fixed, fixed.patch, answer({ 'cluster.gpus': 64 }));
    expect(isStale(state)).toBe(false);
    expect(state.good?.patch).toEqual({ 'cluster.gpus': 64 });
  });
});

describe('links', () => {
  test('problems of fields stay at the field, those of unknown keys become notices', () => {
    const state = opened(answer({}, [problem('cluster.gpus', 'many'), problem('colour', 'red')]));
    expect(state.problems.map((p) => p.path)).toEqual(['cluster.gpus']);
    expect(state.notices.map((p) => p.path)).toEqual(['colour']);
    expect(state.patch).toEqual({ 'cluster.gpus': 'many' });
  });

  test('a key called like an Object method is no field', () =>
    expect(opened(answer({}, [problem('constructor', 'x')])).notices).toHaveLength(1));

  test('the next edit ends the notices', () => {
    const state = opened(answer({}, [problem('colour', 'red')]));
    expect(edit(state, 'run.tokens', '1').notices).toEqual([]);
  });
});

describe('scenarios to compare with', () => {
  const start = opened({ ...answer({}), link: 'v=1&n=8&b.n=16&c.gpu=b200' });

  test('are read from the link', () => expect(start.others).toBe('b.n=16&c.gpu=b200'));

  test('stay in the link while the first one is edited', () => {
    const asked = edit(start, 'cluster.gpus', '32');
    const state = received(asked, asked.patch, {
      ...answer({ 'cluster.gpus': 32 }),
      link: 'v=1&n=32',
    });
    expect(state.link).toBe('v=1&n=32&b.n=16&c.gpu=b200');
  });

  test('are no part of the answer of the first', () => expect(start.good?.link).toBe('v=1&n=8'));

  const found = {
    link: 'v=1&n=32&b.n=16&c.gpu=b200',
    scenarios: [{ link: 'v=1&n=32' }, { link: 'v=1&n=16' }, { link: 'v=1&gpu=b200&n=32' }],
    inputs: [],
    metrics: [],
  };

  test('follow the first, each with what it changes, while that is edited', () => {
    expect(scenariosOf(start, 'v=1&n=32')).toEqual(['v=1&n=32&b.n=16&c.gpu=b200']);
    const state = compared(start, { ...found, link: 'v=1&n=16&c.gpu=b200' });
    expect(state.others, 'a value that is passed on the way to another').toBe(start.others);
    expect(state.columns).toEqual(['v=1&n=32', 'v=1&n=16', 'v=1&gpu=b200&n=32']);
  });

  test('stay as they are while another is edited, and the link follows', () => {
    const second = { ...compared(start, found), at: 1 };
    expect(scenariosOf(second, 'v=1&n=64')).toEqual(['v=1&n=32', 'v=1&n=64', 'v=1&gpu=b200&n=32']);
    const asked = edit(second, 'cluster.gpus', '64');
    const answered = received(asked, asked.patch, { ...answer({}), link: 'v=1&n=64' });
    expect(answered.link, 'until it is compared').toBe(second.link);
    const link = 'v=1&n=32&b.n=64&c.gpu=b200';
    const state = compared(answered, { ...found, link });
    expect(state.link).toBe(link);
    expect(state.others).toBe('b.n=64&c.gpu=b200');
    // A chart is of the page, and no scenario.
    const drawn = compared({ ...answered, others: 'b.n=16&x=n' }, { ...found, link });
    expect(drawn.link).toBe(`${link}&x=n`);
    expect(scenariosOf({ ...start, others: 'b.n=16&x=n' }, 'v=1')).toEqual(['v=1&b.n=16']);
  });
});

describe('another model', () => {
  const before = {
    ...kEmpty,
    patch: { 'model.id': 'llama-3.1-8b', 'model.layers': 40, 'run.tokens': '15T typed' },
  };
  const imported = { 'model.id': 'custom', 'model.layers': 12, 'model.hidden': 768 };

  test('replaces all that was said about the old one, and nothing else', () =>
    expect(withModel(before, imported).patch).toEqual({ ...imported, 'run.tokens': '15T typed' }));

  test('undone, gives the old one back and keeps what was edited since', () => {
    const after = edit(withModel(before, imported), 'cluster.gpus', '64');
    expect(withModel(after, modelOf(before.patch)).patch).toEqual({
      ...before.patch,
      'cluster.gpus': '64',
    });
  });
});
