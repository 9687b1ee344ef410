// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Answer, Field, Schema } from '../../../web/src/api';
import { editable, unusedOf } from '../../../web/src/embed/model';
import { kLongest, linkText, requestOf, said } from '../../../web/src/embed/request';
import { nearest, stopsOf } from '../../../web/src/embed/stops';
import { kFallbacks, kViews, type ViewName } from '../../../web/src/embed/views';
import { tables } from '../../../web/src/view';

describe('the words of an embed', () => {
  it('are read from the link, and the core gets the link', () => {
    const request = requestOf('#v=1&n=8&view=bar&edit=n,tp,n&theme=dark');
    expect(request).toEqual({
      link: 'v=1&n=8',
      view: 'bar',
      theme: 'dark',
      edit: ['n', 'tp'],
      secret: '',
      notices: [],
    });
  });
  it('have defaults', () => {
    expect(requestOf('')).toMatchObject({ link: '', view: 'card', theme: 'auto', edit: null });
    expect(requestOf('#view=table')).toMatchObject({ link: '', view: 'table' });
    expect(requestOf('n=8&edit=').edit).toEqual([]);
  });
  it('are found in what platforms make of a link', () => {
    for (const text of [
      '#v=1&n=8&view=bar&edit=n',
      '?v=1&n=8&view=bar&edit=n',
      '#v=1&amp;n=8&amp;view=bar&amp;edit=n',
      '#v%3D1%26n%3D8%26view%3Dbar%26edit%3Dn',
      '#v=1&n=8&VIEW=Bar&edit=n%20',
      '#v=1&n=8&view=card&view=bar&edit=n',
      '#v=1&n=8&view=bar&edit=n#?secret=abc',
      '#v=1&n=8&view=bar&edit=n&secret=abc',
    ])
      expect(requestOf(text), text).toMatchObject({
        view: 'bar',
        edit: ['n'],
        link: text.includes('amp;') ? 'v=1&amp;n=8' : 'v=1&n=8',
      });
    expect(requestOf('v=1&#38;n=8&view=bar').link).toBe('v=1&#38;n=8');
  });
  it("have WordPress's secret, which is no part of the link", () => {
    expect(requestOf('v=1&n=8#?secret=aB3')).toMatchObject({ link: 'v=1&n=8', secret: 'aB3' });
    expect(requestOf('#?secret=aB3')).toMatchObject({ link: '', secret: 'aB3' });
    expect(requestOf('n=8&secret=<b>').secret).toBe('');
    expect(requestOf(`n=8&secret=${'x'.repeat(200)}`).secret).toHaveLength(64);
  });
  it('give way to the attributes of an element', () => {
    const own = { view: 'full', edit: 'tp', theme: null };
    expect(requestOf('n=8&view=bar&edit=n&theme=dark', own)).toMatchObject({
      view: 'full',
      edit: ['tp'],
      theme: 'dark',
    });
  });
  it('are named when they mean nothing', () => {
    const request = requestOf(`n=8&view=constructor&theme=__proto__&edit=${'a,b,c,'.repeat(9)}`);
    expect(request).toMatchObject({ view: 'card', theme: 'auto', edit: ['a', 'b', 'c'] });
    expect(request.notices).toHaveLength(3);
    expect(requestOf(`view=${'x'.repeat(500)}`).notices[0]?.length).toBeLessThan(80);
  });
  it('are read from the query where there is no fragment', () => {
    expect(said({ hash: '#v=1', search: '?v=2' })).toBe('#v=1');
    expect(said({ hash: '', search: '?v=2' })).toBe('?v=2');
    // WordPress appends its mark as a fragment.
    expect(said({ hash: '#?secret=a', search: '?v=2' })).toBe('?v=2#?secret=a');
    expect(said({ hash: '#v%3D1', search: '?utm=2' })).toBe('#v%3D1');
    expect(said({ hash: '', search: '' })).toBe('');
  });
});

describe('the text of a link', () => {
  it('ends where nothing of ours follows', () => {
    expect(linkText('#v=1&n=8?utm_source=x')).toBe('v=1&n=8');
    expect(linkText('##v=1&n=8#top')).toBe('v=1&n=8');
    expect(linkText('v=1&#38;n=8')).toBe('v=1&#38;n=8');
    expect(linkText('x'.repeat(kLongest + 5))).toHaveLength(kLongest);
  });
});

const field = (more: Partial<Field>): Field => ({
  path: 'cluster.gpus',
  key: 'n',
  group: 'cluster',
  type: 'number',
  unit: 'count',
  whole: true,
  default: null,
  label: 'GPUs',
  help: '',
  tasks: ['pretrain'],
  min: 1,
  max: 1e8,
  ...more,
});

describe('where a slider can stand', () => {
  const cases: [string, Field, number, number[]][] = [
    ['powers of two', field({}), 16384, [256, 384, 12288, 16384, 24576, 1048576]],
    ['round numbers', field({}), 3000, [50, 100, 120, 2500, 3000, 150000]],
    [
      'numbers of tokens',
      field({ unit: 'token', max: 1e18 }),
      15.6e12,
      [3e11, 15e12, 15.6e12, 8e14],
    ],
    [
      'shares',
      field({ unit: 'ratio', whole: false, min: 1e-4, max: 1 }),
      0.4174,
      [0.01, 0.4174, 1],
    ],
    ['few', field({ min: 0, max: 3 }), 3, [0, 1, 2, 3]],
    ['from nothing', field({ min: 0, max: 1e9 }), 0, [0, 1, 2, 64]],
    ['fractions', field({ whole: false, min: 0.01, max: 1e4 }), 1.3, [0.025, 1.2, 1.3, 80]],
  ];
  it.each(cases)('%s', (_, f, start, some) => {
    const stops = stopsOf(f, start);
    for (const x of [start, ...some]) expect(stops).toContain(x);
    expect(stops).toEqual([...new Set(stops)].sort((a, b) => a - b));
    expect(Math.min(...stops)).toBeGreaterThanOrEqual(f.min ?? 0);
    expect(Math.max(...stops)).toBeLessThanOrEqual(f.max ?? Infinity);
    if (f.whole) expect(stops.every((x) => x === start || Number.isInteger(x))).toBe(true);
    expect(stops.length).toBeLessThan(200);
  });
  it('is nowhere without a value, and for months', () => {
    expect(stopsOf(field({}), undefined)).toEqual([]);
    expect(stopsOf(field({}), NaN)).toEqual([]);
    expect(stopsOf(field({ unit: 'month' }), 202611)).toEqual([]);
  });
  it('is nearest by ratio', () => {
    expect(nearest([1, 10, 100], 30)).toBe(1);
    expect(nearest([1, 10, 100], 33)).toBe(2);
    expect(nearest([0, 1, 2], 0)).toBe(0);
    expect(nearest([1, 2, 4], 1e9)).toBe(2);
  });
});

describe('what can be edited', () => {
  const fields = [
    field({}),
    field({ path: 'serve.batch', key: 'batch', label: 'Batch', tasks: ['serve'] }),
    field({ path: 'catalog.snapshot', key: 'd' }),
  ];
  const known = tables({ fields, metrics: [] } as unknown as Schema);
  const answer = (task: string): Answer =>
    ({
      inputs: { 'run.task': task, 'serve.batch': 32 },
      steps: [{ id: 'gpus.used', value: 8, formula: '' }],
      problems: [
        { path: 'cluster.gpus', severity: 'error', message: 'no number' },
        { path: 'foo', severity: 'error', message: 'no input' },
        { path: 'x', severity: 'note', message: 'by the way' },
      ],
    }) as unknown as Answer;
  const paths = (text: string, task = 'pretrain') =>
    editable(known, answer(task), requestOf(text)).fields.map((f) => f.path);

  it('is what the link names, by key or by path', () => {
    expect(paths('n=8&edit=n')).toEqual(['cluster.gpus']);
    expect(paths('n=8&edit=cluster.gpus')).toEqual(['cluster.gpus']);
    expect(paths('n=8&edit=batch', 'serve')).toEqual(['serve.batch']);
  });
  it('is the axis of a chart where nothing is named', () => {
    expect(paths('n=8&view=chart')).toEqual(['cluster.gpus']);
    expect(paths('n=8&view=chart', 'serve')).toEqual(['serve.batch']);
    expect(paths('n=8&view=chart&edit=')).toEqual([]);
    expect(paths('n=8&view=full')).toEqual([]);
  });
  it('is not what does not matter, nor what is unknown: that is said', () => {
    const { fields: found, unused } = editable(
      known,
      answer('pretrain'),
      requestOf('edit=batch,foo,constructor,d,n'),
    );
    expect(found.map((f) => f.key)).toEqual(['n']);
    expect(unused).toHaveLength(4);
  });
  it('says its own mistakes; the others are notices', () => {
    expect(unusedOf(answer('pretrain'), [])).toEqual(['no number', 'no input']);
    expect(unusedOf(answer('pretrain'), [field({})])).toEqual(['no input']);
  });
});

describe('the views', () => {
  const css = readFileSync(new URL('../../../web/src/embed/views.css', import.meta.url), 'utf8');
  it.each(Object.keys(kViews) as ViewName[])('%s falls back to what fits', (view) => {
    const list = kFallbacks[view];
    expect(list[0]).toBe(view);
    expect(list[list.length - 1]).toBe('line');
    const widths = list.map((name) => kViews[name].smallest);
    expect(widths).toEqual([...new Set(widths)].sort((a, b) => b - a));
    const { smallest } = kViews[view];
    if (smallest) expect(css).toContain(`(width >= ${smallest}px)`);
  });
});
