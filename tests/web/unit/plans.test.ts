// SPDX-License-Identifier: MIT
// The search for plans as the page runs it, with workers that answer when the test says so; and what the
// page says about plans.
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Plan, PlanRequest, Plans } from '../../../web/src/api';
import { createClient, type Port, type Reply, type Request } from '../../../web/src/client';
import { frontOf } from '../../../web/src/front';
import { createSearch, nextSlice, type Progress } from '../../../web/src/planning';
import { accounted, gained, soFar } from '../../../web/src/plans';
import { columnsOf, inWords, whyFirst } from '../../../web/src/plantable';
import { tables } from '../../../web/src/view';
import { amount, kNoWishes, numbersOfGpus, requestOf, turned } from '../../../web/src/wishes';

vi.mock('../../../web/src/style/plans.css?url', () => ({ default: '' }));

const plain = (text: string) => text.replaceAll('\u00a0', ' ');
const day = 86400;

function plan(
  label: string,
  metrics: Record<string, number | null>,
  more: Partial<Plan> = {},
): Plan {
  return {
    patch: {},
    link: label,
    label,
    metrics,
    simplicity: 1,
    front: false,
    fits: true,
    ...more,
  };
}

function plans(more: Partial<Plans> = {}): Plans {
  const counts = { evaluated: 0, fit: 0, skipped: 0, rejected: [] };
  return {
    done: true,
    space: 100,
    examined: 100,
    counts,
    minimise: 'time.total',
    axes: [],
    switches: [],
    plans: [],
    present: plan('now', {}),
    gains: [],
    problems: [],
    ...more,
  };
}

/** A worker with a search of so many candidates, each of which takes a tenth of a millisecond. */
class Fake implements Port {
  static all: Fake[] = [];
  static clock = 0;
  static space = 1000;
  /** Requests wait until `go`, when it is not set. */
  static free = false;
  /** All but the first cannot be loaded. */
  static lonely = false;
  sent: Request[] = [];
  ended = false;
  onmessage: Port['onmessage'] = null;
  onerror: Port['onerror'] = null;
  constructor() {
    Fake.all.push(this);
  }
  postMessage(message: Request): void {
    this.sent.push(message);
    if (Fake.lonely && this !== Fake.all[0])
      return queueMicrotask(() => this.onerror?.({ message: 'no such file' }));
    if (Fake.free) queueMicrotask(() => this.go());
  }
  terminate(): void {
    this.ended = true;
  }
  get last(): Request {
    return this.sent[this.sent.length - 1] as Request;
  }
  get request(): PlanRequest {
    return JSON.parse(this.last.argument) as PlanRequest;
  }
  go(): void {
    const { id, call } = this.last;
    const result = call === 'plan' ? JSON.stringify(this.answer()) : 'estimated';
    this.onmessage?.({ data: { id, result } satisfies Reply });
  }
  answer(): Plans {
    const { part, most = 0, resume, merge } = this.request;
    const from = (resume as number | undefined) ?? 0;
    if (merge) {
      const sum = (merge as number[]).reduce((a, b) => a + b, 0);
      return plans({ done: sum >= Fake.space, space: Fake.space, examined: sum });
    }
    const whole = part ? Math.ceil(Fake.space / part[1]) : Fake.space;
    const to = Math.min(whole, from + most);
    Fake.clock += (to - from) / 10;
    return plans({ done: to === whole, space: Fake.space, examined: to, resume: to });
  }
}
const worker = (i: number) => Fake.all[i] as Fake;

afterEach(() => {
  Fake.all = [];
  Fake.clock = 0;
  Fake.space = 1000;
  Fake.free = false;
  Fake.lonely = false;
  vi.useRealTimers();
});

function begin(cores = 1) {
  const spawn = () => new Fake();
  const client = createClient(spawn);
  const told: Progress[] = [];
  const failures: unknown[] = [];
  const search = createSearch(
    { client, spawn, cores, now: () => Fake.clock },
    (progress) => told.push(progress),
    (error) => failures.push(error),
  );
  /** The plans are known; what a change would buy may not be. */
  const done = () => told.find(({ reply }) => reply.done);
  return { client, search, told, done, failures };
}
const settle = async () => {
  for (let i = 0; i < 50; ++i) await Promise.resolve();
};

describe('a slice', () => {
  test('of a fast core becomes larger, of a slow one smaller, little by little', () => {
    expect(nextSlice(1000, 25, 25)).toBe(1000);
    expect(nextSlice(1000, 12.5, 25)).toBe(2000);
    expect(nextSlice(1000, 0, 25)).toBe(4000);
    expect(nextSlice(1000, 50, 25)).toBe(500);
    expect(nextSlice(1000, 10_000, 25)).toBe(250);
  });
  test('never becomes nothing, nor everything', () => {
    expect(nextSlice(64, 1e6, 25)).toBe(64);
    expect(nextSlice(1 << 22, 1, 25)).toBe(1 << 22);
  });
});

describe('a search', () => {
  test('goes on where the slice before ended, until it is done', async () => {
    const { search, told } = begin();
    search.start({ scenario: 'n=8' });
    expect(worker(0).request).toEqual({ scenario: 'n=8', part: [0, 1], most: 512 });
    worker(0).go();
    await settle();
    expect(worker(0).request.resume).toBe(512);
    expect(told).toEqual([]);
    worker(0).go();
    await settle();
    while (told.length === 0) {
      worker(0).go();
      await settle();
    }
    expect(told.map(({ reply }) => reply.examined)).toEqual([1000]);
    expect(told[0]?.seconds).toBeCloseTo(0.1);
  });

  test('lets an estimate in between two slices, and goes before what nobody waits for', async () => {
    const { client, search } = begin();
    search.start({ scenario: 'n=8' });
    void client.ask('sweep', '', 'chart');
    const estimate = client.ask('estimate', 'now', 'estimate');
    worker(0).go();
    await settle();
    expect(worker(0).last.call).toBe('estimate');
    worker(0).go();
    expect(await estimate).toBe('estimated');
    expect(worker(0).last.call).toBe('plan');
    expect(worker(0).request.resume).toBe(512);
  });

  test('after a fifth of a second takes turns with the charts', async () => {
    Fake.space = 1e6;
    const { client, search } = begin();
    search.start({ scenario: 'n=8' });
    while (Fake.clock < 200) {
      worker(0).go();
      await settle();
    }
    worker(0).go(); // the last that went first
    await settle();
    void client.ask('sweep', '', 'chart');
    worker(0).go();
    await settle();
    expect(worker(0).last.call).toBe('sweep');
  });

  test('gives way to a newer one, and is not heard of again', async () => {
    const { search, told } = begin();
    search.start({ scenario: 'old' });
    search.start({ scenario: 'new' });
    worker(0).go();
    await settle();
    expect(worker(0).request.scenario).toBe('new');
    expect(worker(0).request.resume).toBeUndefined();
    Fake.free = true;
    worker(0).go();
    await vi.waitFor(() => expect(told).toHaveLength(1));
    expect(worker(0).sent.filter((m) => m.argument.includes('old'))).toHaveLength(1);
  });

  test('that is long shows its best so far', async () => {
    Fake.space = 1e5; // ten seconds
    Fake.free = true;
    const { search, told } = begin();
    search.start({ scenario: 'n=8' });
    await vi.waitFor(() => expect(told[told.length - 1]?.reply.done).toBe(true));
    const examined = told.map(({ reply }) => reply.examined);
    expect(examined.length).toBeGreaterThan(10);
    expect(examined).toEqual([...examined].sort((a, b) => a - b));
    const slices = worker(0).sent.length;
    expect(told.length, 'not each slice').toBeLessThan(slices / 2);
  });

  test('that is long is divided among workers where there are cores, and put together', async () => {
    Fake.space = 1e6;
    Fake.free = true;
    const { search, told } = begin(4);
    search.start({ scenario: 'n=8' });
    await vi.waitFor(() => expect(told[told.length - 1]?.reply.done).toBe(true));
    expect(Fake.all).toHaveLength(4);
    for (const k of [0, 1, 2]) {
      const parts = worker(k + 1).sent.map((m) => (JSON.parse(m.argument) as PlanRequest).part);
      expect(new Set(parts.map(String))).toEqual(new Set([`${k},3`]));
    }
    const last = told[told.length - 1];
    expect(last?.workers).toBe(3);
    expect(last?.reply.examined).toBeGreaterThanOrEqual(1e6);
    expect(worker(0).request.merge).toHaveLength(3);
  });

  test('goes on alone when the other workers cannot be started', async () => {
    Fake.space = 1e5;
    [Fake.free, Fake.lonely] = [true, true];
    const { search, told, failures } = begin(4);
    search.start({ scenario: 'n=8' });
    await vi.waitFor(() => expect(told[told.length - 1]?.reply.done).toBe(true));
    expect(Fake.all.length, 'others were tried').toBeGreaterThan(1);
    expect(failures).toEqual([]);
    expect(told[told.length - 1]?.reply.examined).toBe(1e5);
  });

  test('that breaks says so once', async () => {
    const { search, told, failures } = begin();
    search.start({ scenario: 'n=8' });
    worker(0).onmessage?.({ data: { id: worker(0).last.id, error: 'unreachable' } });
    await settle();
    expect(failures.map(String)).toEqual(['Error: unreachable']);
    expect(told).toEqual([]);
  });
});

describe('what a change would buy', () => {
  const quiet = 400;
  const found = async (space: number) => {
    vi.useFakeTimers();
    Fake.space = space;
    Fake.free = true;
    const begun = begin();
    begun.search.start({ scenario: 'n=8' });
    while (!begun.done()) await settle();
    return begun;
  };

  test('is searched for behind the plans, in a worker of its own that goes home again', async () => {
    const { told } = await found(1000);
    expect(told[told.length - 1]?.gains).toBe('soon');
    expect(Fake.all).toHaveLength(1);
    vi.advanceTimersByTime(quiet);
    await settle();
    expect(worker(1).request).toEqual({ scenario: 'n=8', merge: [1000] });
    expect(told[told.length - 1]?.gains).toBe('known');
    expect(worker(1).ended).toBe(true);
  });

  test('is not asked while someone edits, and dropped when it is under way', async () => {
    const { search, told } = await found(1000);
    vi.advanceTimersByTime(quiet / 2);
    search.start({ scenario: 'n=16' });
    while (told.filter(({ reply }) => reply.done).length < 2) await settle();
    vi.advanceTimersByTime(quiet / 2);
    expect(Fake.all).toHaveLength(1);
    Fake.free = false;
    vi.advanceTimersByTime(quiet);
    expect(Fake.all).toHaveLength(2);
    search.start({ scenario: 'n=32' });
    expect(worker(1).ended).toBe(true);
    await settle();
    expect(told.some(({ gains }) => gains === 'known')).toBe(false);
  });

  test('waits to be asked for after a long search', async () => {
    const { search, told } = await found(1e5);
    expect(told[told.length - 1]?.gains).toBe('later');
    vi.advanceTimersByTime(10 * quiet);
    expect(Fake.all).toHaveLength(1);
    search.buy();
    await settle();
    expect(told[told.length - 1]?.gains).toBe('known');
  });
});

describe('what is asked of the planner', () => {
  test('limits are in the units of their metrics; what is no number is left out', () => {
    const limits = { 'time.total': '30', 'cost.total': '2.5M' };
    expect(requestOf({ 'run.tokens': 1 }, 'pretrain', { ...kNoWishes, limits })).toEqual({
      scenario: { 'run.tokens': 1 },
      limits: [
        { metric: 'time.total', at_most: 30 * day },
        { metric: 'cost.total', at_most: 2.5e6 },
      ],
    });
    const bad = { 'time.total': 'soon', 'cost.total': '' };
    expect(requestOf({}, 'pretrain', { ...kNoWishes, limits: bad })).toEqual({ scenario: {} });
  });

  test.each<[string, number | null]>([
    ['30', 30],
    ['2.5M', 2.5e6],
    ['$1,200,000', 1.2e6],
    ['0,5', 0.5],
    ['.5b', 5e8],
    ['$ 40k', 4e4],
    ['1T', 1e12],
    ['1.5e12', 1.5e12],
    ['0', null],
    ['-3', null],
    ['12,34,5', null],
    ['many', null],
  ])('a limit of %s', (text, value) => expect(amount(text)).toBe(value));

  test('a switch that is turned leaves the others as they are', () => {
    expect(turned(['far'], 'offload', true)).toEqual(['far', 'offload']);
    expect(turned(['far', 'offload'], 'far', false)).toEqual(['offload']);
    expect(requestOf({}, 'pretrain', { ...kNoWishes, allow: ['far'] }).allow).toEqual(['far']);
  });

  test('other numbers of GPUs are whole, and around that of the scenario', () => {
    const gpus = numbersOfGpus({ 'cluster.gpus': 24 });
    expect(gpus).toEqual([3, 6, 12, 24, 48, 96]);
    const open = { ...kNoWishes, anyGpus: true };
    expect(requestOf({}, 'pretrain', open, gpus).axes).toEqual([
      { path: 'cluster.gpus', values: gpus },
    ]);
    expect(requestOf({}, 'pretrain', kNoWishes, gpus).axes).toBeUndefined();
    expect(numbersOfGpus({ 'cluster.gpus': 'auto' }), 'open anyway').toEqual([]);
  });
});

describe('the best plan in words', () => {
  const train = (label: string, days: number, usd: number, gpus: number, free = 1e9) =>
    plan(label, {
      'time.total': days * day,
      'cost.total': usd,
      'gpus.used': gpus,
      'layout.free': free,
    });
  const now = train('now', 100, 1000, 64);
  test.each<[string, Plan | undefined, Plan, string]>([
    ['same GPUs', train('a', 80, 800, 64), now, 'takes and costs 20.0 % less.'],
    [
      'other GPUs',
      train('a', 80, 1100, 128),
      now,
      'needs 128 GPUs instead of 64 and takes 20.0 % less time and costs 10.0 % more.',
    ],
    ['the same plan', now, now, 'The layout in use is the best'],
    ['as good', train('a', 100, 1000, 64), now, 'about as good'],
    [
      'one that does not fit',
      train('a', 80, 800, 64, 3e9),
      { ...train('b', 70, 700, 64, -2e9), fits: false },
      'is short of 2.00 GB; the best plan has 3.00 GB left.',
    ],
    ['nothing', undefined, now, 'No plan keeps within these limits.'],
  ])('against %s', (_, best, present, words) =>
    expect(plain(inWords(best, present))).toContain(words),
  );
});

test('why a plan is first that is not quite the fastest', () => {
  const [fast, simple] = [plan('a', { 'time.total': 716 }), plan('b', { 'time.total': 718 })];
  expect(whyFirst([simple, fast], 'time.total')).toContain('fewer parts');
  expect(whyFirst([fast, simple], 'time.total')).toBe('');
  expect(whyFirst([], 'time.total')).toBe('');
});

test('the columns are those that the plans have; the GPUs where they differ', () => {
  const serving = plan('a', { 'gpus.used': 8, 'serving.latency': 3, 'time.total': null });
  expect(columnsOf([serving]).map(([id]) => id)).toEqual(['serving.latency']);
  const more = plan('b', { 'gpus.used': 16, 'serving.latency': 2 });
  expect(columnsOf([serving, more]).map(([id]) => id)).toEqual(['gpus.used', 'serving.latency']);
});

describe('the front', () => {
  const point = (label: string, days: number, usd: number, gpus: number, front = true) =>
    plan(label, { 'time.total': days * day, 'cost.total': usd, 'gpus.used': gpus }, { front });
  test('goes from the fastest to the slowest, without what another plan beats', () => {
    const all = [point('slow', 3, 1, 8), point('beaten', 3, 9, 8, false), point('fast', 1, 5, 64)];
    expect(frontOf(all).map(({ plan: { label } }) => label)).toEqual(['fast', 'slow']);
  });
  test('is nothing to draw where the GPUs are given', () =>
    expect(frontOf([point('a', 1, 5, 64), point('b', 2, 10, 64)])).toEqual([]));
});

describe('the account of a search', () => {
  const counts = {
    evaluated: 1204,
    fit: 210,
    skipped: 1400,
    rejected: [
      { code: 'memory', label: 'Not enough memory', count: 9000 },
      { code: 'divides', label: '', count: 876 },
    ],
  };
  test('says what became of each layout, and how long it took', () =>
    expect(plain(accounted(plans({ space: 11486, counts }), 0.0384))).toBe(
      '11,486 layouts in 38.0 ms: 210 fit, 9,876 ruled out, 1,400 skipped, for they cannot be better.',
    ));
  test('names the workers when there were several', () =>
    expect(plain(accounted(plans({ space: 1e7, counts }), 2, 3))).toMatch(
      /^10\.0M layouts in 2\.00 s by 3 workers: /,
    ));
  test('that goes on says how far it is', () =>
    expect(plain(soFar(plans({ done: false, space: 1e7, examined: 3.4e6 })))).toBe(
      'Looked at 34.0 % of 10.0M layouts; the best so far:',
    ));
});

test('a change is told by what it turns into what', () => {
  const known = tables({
    fields: [],
    metrics: [{ id: 'time.total', unit: 'second' }],
  } as unknown as Parameters<typeof tables>[0]);
  const gain = {
    label: 'Offload',
    metric: 'time.total',
    now: 10 * day,
    then: 8 * day,
    whole: true,
  };
  expect(plain(gained(known, gain))).toBe('10 d → 8 d (−20.0 %)');
  expect(plain(gained(known, { ...gain, whole: false }))).toBe('10 d → 8 d or better (−20.0 %)');
});
