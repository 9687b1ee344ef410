// SPDX-License-Identifier: MIT
// Which charts a task has, and what they ask of the core. All numbers come from `sweep`.
import { html, nothing } from 'lit/html.js';
import { guard } from 'lit/directives/guard.js';
import type { Answer, Patch, SweepRequest } from './api';
import { figure, type Chart, type Point, type Series } from './charts';
import type { MetricId, Path } from './types.generated';
import {
  count,
  flops,
  format,
  kDay,
  kHour,
  kMinute,
  kYear,
  money,
  roughly,
  significant,
} from './units';
import { answerOf, mfuFrom, taskOf, valueOf, type Actions, type View } from './view';

const kPoints = 41;
const kReach = 64; // how far to each side of the present value the charts look
const kBatchReach = 32;

type Requests = Record<string, SweepRequest>;

/** Whole numbers, evenly spread over a logarithmic axis. */
export function wholes(low: number, high: number, points = kPoints): number[] {
  const values = new Set<number>();
  for (let i = 0; i < points; ++i)
    values.add(Math.round(low * (high / low) ** (i / Math.max(1, points - 1))));
  return [...values].filter((v) => v >= 1);
}

const kGpu: MetricId[] = [
  'time.total',
  'time.total_low',
  'time.total_high',
  'cost.total',
  'cost.total_low',
  'cost.total_high',
  'layout.free',
];
const kBatch: MetricId[] = ['serving.tokens_per_s', 'serving.tokens_per_s_per_user', 'layout.free'];
const kIso: MetricId[] = ['scaling.loss', 'compute.tokens'];
const kFrontier: MetricId[] = ['scaling.optimal_params', 'scaling.optimal_tokens'];

/** The input that the charts of a task are drawn against, and its present value. */
export function axisOf(answer: Answer): { path: Path; now: number } | null {
  const serves = taskOf(answer) === 'serve';
  const now = serves ? answer.inputs['serve.batch'] : valueOf(answer, 'gpus.used');
  if (typeof now !== 'number' || !(now > 0)) return null;
  return { path: serves ? 'serve.batch' : 'cluster.gpus', now };
}

/** The sweep along that input, around a value and through others. */
export function along(patch: Patch, path: Path, around: number, also: number[] = []): SweepRequest {
  const serves = path === 'serve.batch';
  const reach = serves ? kBatchReach : kReach;
  const spread = wholes(Math.max(1, around / reach), around * reach);
  const values = [...new Set([...spread, ...[around, ...also].map(Math.round)])].sort(
    (a, b) => a - b,
  );
  return { scenario: patch, axes: [{ path, values }], metrics: serves ? kBatch : kGpu };
}

export function requests(answer: Answer, patch: Patch): Requests {
  const found: Requests = {};
  const task = taskOf(answer);
  const axis = axisOf(answer);
  if (axis) found[task === 'serve' ? 'batch' : 'gpus'] = along(patch, axis.path, axis.now);
  const compute = valueOf(answer, 'scaling.budget') ?? valueOf(answer, 'compute.train');
  const best = valueOf(answer, 'scaling.optimal_params');
  if (task !== 'pretrain' || !compute || !best) return found;
  const law = answer.inputs['scaling.law'] ?? 'besiroglu';
  const size = valueOf(answer, 'params.total') ?? best;
  found.isoflop = {
    scenario: {
      'model.id': 'by-size',
      'model.params': best,
      'run.compute': compute,
      'scaling.law': law,
    },
    axes: [
      {
        path: 'model.params',
        from: Math.min(best / 30, size / 1.5),
        to: Math.max(best * 30, size * 1.5),
        count: kPoints,
        scale: 'log',
      },
    ],
    metrics: kIso,
  };
  found.frontier = {
    scenario: { 'model.id': 'by-size', 'model.params': best, 'scaling.law': law },
    axes: [
      { path: 'run.compute', from: compute / 1e4, to: compute * 1e2, count: 25, scale: 'log' },
    ],
    metrics: kFrontier,
  };
  return found;
}

/** Rows of a sweep as columns: the axis, then the metrics. */
export function columns(request: SweepRequest, numbers: Float64Array): number[][] {
  const width = request.axes.length + request.metrics.length;
  const found: number[][] = Array.from({ length: width }, () => []);
  numbers.forEach((value, i) => found[i % width]?.push(value));
  return found;
}

const pairs = (x: number[] = [], y: number[] = []): Point[] =>
  x.flatMap((v, i): Point[] => {
    const w = y[i];
    return w !== undefined && Number.isFinite(w) && w > 0 ? [[v, w]] : [];
  });

function banded(x: number[], low: number[] = [], high: number[] = []): Series['band'] {
  const band = x.flatMap((v, i): [number, number, number][] => {
    const [a, b] = [low[i], high[i]];
    return a !== undefined && b !== undefined && a > 0 && b > 0 ? [[v, a, b]] : [];
  });
  return band.length > 1 ? band : undefined;
}

function series(name: string, points: Point[], extra: Partial<Series> = {}): Series {
  const { band, works } = extra;
  return { name, points, ...(band ? { band } : {}), ...(works ? { works } : {}) };
}

function mark(x: number | undefined, y: number | undefined, label: string, kind: 'here' | 'best') {
  return x && y && x > 0 && y > 0 ? [{ x, y, label, kind }] : [];
}

/** Powers of ten of seconds mean nothing to anyone. */
const kTimes = [
  ...[1, 10],
  ...[1, 10].map((n) => n * kMinute),
  ...[1, 6].map((n) => n * kHour),
  ...[1, 10, 100].map((n) => n * kDay),
  ...[3, 10, 100, 1000, 1e4].map((n) => n * kYear),
];

export function gpuCharts(answer: Answer, data: number[][]): Chart[] {
  const [x = [], time, timeLow, timeHigh, cost, costLow, costHigh, free = []] = data;
  const fits = new Map(x.map((v, i) => [v, !((free[i] ?? 0) < 0)]));
  const works = (v: number) => fits.get(v) ?? true;
  const here = valueOf(answer, 'gpus.used');
  const least = valueOf(answer, 'gpus.to_fit');
  const rules = least ? [{ x: least, label: 'memory fits from here' }] : [];
  const note = x.some((v) => !works(v)) ? ' Dashed: does not fit in memory.' : '';
  const gpus = { label: 'GPUs', format: count };
  const predicted = mfuFrom(answer) === 'predicted';
  return [
    {
      id: 'time',
      title: 'Time against GPUs',
      caption: `${
        predicted
          ? 'Each point is predicted: with more GPUs, communication takes a larger share.'
          : 'Twice the GPUs, half the time, as long as utilisation holds.'
      }${note}`,
      x: gpus,
      y: { label: 'Time', format: roughly, ticks: kTimes },
      series: [series('Time', pairs(x, time), { band: banded(x, timeLow, timeHigh), works })],
      marks: mark(
        here,
        valueOf(answer, 'time.total'),
        roughly(valueOf(answer, 'time.total') ?? 0),
        'here',
      ),
      rules,
    },
    {
      id: 'cost',
      title: 'Cost against GPUs',
      caption: `${
        predicted
          ? 'The same work on more GPUs takes more GPU-hours where utilisation falls.'
          : 'The same GPU-hours whatever their number: there are no economies of scale.'
      }${note}`,
      x: gpus,
      y: { label: 'Cost', format: money },
      series: [series('Cost', pairs(x, cost), { band: banded(x, costLow, costHigh), works })],
      marks: mark(
        here,
        valueOf(answer, 'cost.total'),
        money(valueOf(answer, 'cost.total') ?? 0),
        'here',
      ),
      rules,
    },
  ];
}

export function batchCharts(answer: Answer, data: number[][]): Chart[] {
  const [x = [], all, each, free = []] = data;
  const fits = new Map(x.map((v, i) => [v, !((free[i] ?? 0) < 0)]));
  const works = (v: number) => fits.get(v) ?? true;
  const batch = answer.inputs['serve.batch'] as number;
  const rate = (v: number) => format(v, 'token/s').replace(' tokens', '');
  const note = x.some((v) => !works(v)) ? ' Dashed: does not fit in memory.' : '';
  const one = (id: string, title: string, caption: string, y: number[] | undefined): Chart => ({
    id,
    title,
    caption: caption + note,
    x: { label: 'Concurrent sequences', format: count },
    y: { label: 'tokens/s', format: rate },
    series: [series('tokens/s', pairs(x, y), { works })],
    marks: mark(batch, valueOf(answer, id), rate(valueOf(answer, id) ?? 0), 'here'),
  });
  return [
    one(
      'serving.tokens_per_s',
      'Throughput against batch',
      'Tokens per second, all users together.',
      all,
    ),
    one(
      'serving.tokens_per_s_per_user',
      'Speed for each user',
      'Tokens per second that one user sees.',
      each,
    ),
  ];
}

function isoflop(answer: Answer, data: number[][]): Chart {
  const [x = [], loss = [], tokens = []] = data;
  const points = pairs(x, loss);
  const best = points.reduce<Point | undefined>((a, b) => (!a || b[1] < a[1] ? b : a), undefined);
  const bestTokens = best ? tokens[x.indexOf(best[0])] : undefined;
  const budget = valueOf(answer, 'scaling.budget') ?? valueOf(answer, 'compute.train') ?? 0;
  return {
    id: 'isoflop',
    title: 'IsoFLOP curve: one budget, every size',
    caption: `Loss by model size when all models spend ${flops(budget)}: small ones see more tokens.`,
    x: { label: 'Parameters', format: count },
    y: { label: 'Loss', format: (v) => significant(v, 4), linear: true },
    series: [series('Loss', points)],
    marks: [
      ...mark(
        best?.[0],
        best?.[1],
        best ? `best: ${count(best[0])}, ${count(bestTokens ?? 0)} tokens` : '',
        'best',
      ),
      ...mark(valueOf(answer, 'params.total'), valueOf(answer, 'scaling.loss'), 'this run', 'here'),
    ],
  };
}

function frontier(answer: Answer, data: number[][]): Chart {
  const [x = [], size, tokens] = data;
  const budget = valueOf(answer, 'scaling.budget') ?? valueOf(answer, 'compute.train');
  return {
    id: 'frontier',
    title: 'Compute-optimal frontier',
    caption: 'The size and the tokens that give the least loss for a budget. Dots: this run.',
    x: {
      label: 'Compute in FLOP',
      format: (v) =>
        flops(v)
          .replace(/^1\.00 × /, '')
          .replace(/\s?\w*FLOP$/, ''),
    },
    y: { label: 'Parameters and tokens', format: count },
    series: [series('parameters', pairs(x, size)), series('tokens', pairs(x, tokens))],
    marks: [
      ...mark(
        budget,
        valueOf(answer, 'params.total'),
        count(valueOf(answer, 'params.total') ?? 0),
        'here',
      ),
      ...mark(
        budget,
        valueOf(answer, 'compute.tokens'),
        `${count(valueOf(answer, 'compute.tokens') ?? 0)} tokens`,
        'here',
      ),
    ],
  };
}

/** Loaded when one is opened, and drawn into its place by `exploring.ts`. */
const kMore = [
  ['sweep', 'Sweep: one or two inputs against a result'],
  ['matters', 'What matters most'],
  ['best', 'The best model for a budget'],
] as const;

export const isMore = (key: string): boolean => key.startsWith('more:');

function more(view: View, actions: Actions): unknown {
  const { open } = view;
  const pretrains = taskOf(answerOf(view)) === 'pretrain';
  return kMore
    .filter(([name]) => pretrains || name !== 'best')
    .map(
      ([name, title]) =>
        html`<details
        class="stage"
        ?open=${open.has(`more:${name}`)}
        @toggle=${(e: Event) => actions.toggle(`more:${name}`, (e.target as HTMLDetailsElement).open)}
      >
        <summary><h3>${title}</h3></summary>
        <div id=${`more-${name}`}></div>
      </details>`,
    );
}

const kGap = 24;
const kTwoColumns = 720;

export function explore(view: View, actions: Actions): unknown {
  const { sweeps, width, state, hover, open } = view;
  const each = Math.floor(width >= kTwoColumns ? (width - kGap) / 2 : width);
  const draw = (name: string, charts: (answer: Answer, data: number[][]) => Chart[]) => {
    const data = sweeps[name];
    if (!data || each <= 0) return nothing;
    const list = charts(answerOf(view), data).filter((c) => (c.series[0]?.points.length ?? 0) > 1);
    return list.map((c) => {
      const over = hover?.chart === c.id ? hover.x : null;
      const reads = [data, state.good, each, over, open.has(`table:${c.id}`)];
      return guard(reads, () => figure(view, actions, c, each));
    });
  };
  return html`<section class="charts" aria-label="Charts">
    ${draw('gpus', gpuCharts)} ${draw('batch', batchCharts)}
    ${draw('isoflop', (a, data) => [isoflop(a, data)])}
    ${draw('frontier', (a, data) => [frontier(a, data)])}
  </section>
  ${more(view, actions)}`;
}
