// SPDX-License-Identifier: MIT
// Runs the search for plans: in slices, so that estimates are answered in between; the newest request
// wins; in several workers where it is long and there are cores. Knows nothing of the page.
import type { Opaque, PlanRequest, Plans } from './api';
import type { Client, Port } from './client';
import { createClient } from './client';

/** A search so far. */
export interface Progress {
  reply: Plans;
  /** Since it was asked for. */
  seconds: number;
  workers: number;
  /** Whether it is known what a change would buy; that is searched for behind the plans. */
  gains: 'later' | 'soon' | 'known';
}

export interface Host {
  /** The page's own worker, which answers everything else as well. */
  client: Pick<Client, 'ask'>;
  spawn(): Port;
  /** 0: there are no workers, all is done in this thread. */
  cores: number;
  /** Milliseconds. */
  now(): number;
}

export interface Search {
  /** A request in place of the one before. What it finds is told until it is done. */
  start(request: PlanRequest): void;
  /** What a change would buy, where it was put off. */
  buy(): void;
}

const kChannel = 'plan';
const kSlice = 25; // ms that the page's worker may be busy: an estimate waits no longer
const kLongSlice = 50; // in a worker of its own
const kSoon = 200; // ms in which the search goes before the charts: a person waits
const kTell = 150; // ms between two partial answers
const kAlone = 300; // ms after which a search is long
const kMerge = 300; // ms between two looks at what several workers have
const kMostWorkers = 6;
const kQuick = 1.5; // s: after a longer search, what a change would buy is told on demand
const kQuiet = 400; // ms without another request, before that is searched for
const kIdle = 20_000; // ms after which the other workers go home
const kFewest = 64; // candidates in a slice
const kMost = 1 << 22;

/** How many candidates the next slice gets, so that it takes about `target` milliseconds. */
export function nextSlice(size: number, took: number, target: number): number {
  const factor = Math.min(4, Math.max(0.25, target / Math.max(took, 0.1)));
  return Math.round(Math.min(kMost, Math.max(kFewest, size * factor)));
}

const merging = (request: PlanRequest, found: Opaque[]): PlanRequest => ({
  ...request,
  merge: found,
  gains: false,
});

export function createSearch(
  { client, spawn, cores, now }: Host,
  heard: (progress: Progress) => void,
  failed: (error: unknown) => void,
): Search {
  let newest = 0;
  const sizes = new Map([
    [kSlice, 512],
    [kLongSlice, 1024],
  ]); // what a slice had last; the next search begins with it
  let others: Client[] = [];
  let leaving: ReturnType<typeof setTimeout> | undefined;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  let abandon = () => {};
  let last: { request: PlanRequest; found: Opaque[]; progress: Progress; round: number } | null =
    null;

  async function slice(by: Pick<Client, 'ask'>, request: PlanRequest, soon: boolean) {
    const reply = await by.ask('plan', JSON.stringify(request), kChannel, soon);
    return typeof reply === 'string' ? (JSON.parse(reply) as Plans) : undefined;
  }

  /** Slice after slice, until it is done, was overtaken or `enough` says so. */
  async function slices(
    by: Pick<Client, 'ask'>,
    request: PlanRequest,
    { target, begun, from }: { target: number; begun: number; from?: Opaque },
    enough: (reply: Plans) => boolean,
  ): Promise<Plans | undefined> {
    const round = newest;
    let resume = from;
    for (;;) {
      const most = sizes.get(target) ?? kFewest;
      const before = now();
      const asked = resume === undefined ? { ...request, most } : { ...request, most, resume };
      const reply = await slice(by, asked, before - begun < kSoon);
      if (!reply || round !== newest) return undefined;
      sizes.set(target, nextSlice(most, now() - before, target));
      if (reply.done || enough(reply)) return reply;
      if (reply.resume === undefined) throw new Error('the search cannot go on');
      resume = reply.resume;
    }
  }

  function helpers(count: number): Client[] {
    clearTimeout(leaving);
    while (others.length < count) others.push(createClient(spawn));
    return others.slice(0, count);
  }

  function dismiss(): void {
    for (const other of others) other.close();
    others = [];
  }

  /** Each worker has a part of the space; what they found is put together now and then. */
  async function together(
    request: PlanRequest,
    count: number,
    heardPart: (reply: Plans) => void,
  ): Promise<Opaque[] | undefined> {
    const round = newest;
    const found: Opaque[] = [];
    let looked = now();
    let looking = false;
    const look = () => {
      const complete = found.filter((f) => f !== undefined).length === count;
      if (looking || !complete || now() - looked < kMerge) return;
      looking = true;
      slice(client, merging(request, found), false)
        .then((reply) => {
          if (reply && !reply.done && round === newest) heardPart(reply);
        })
        .catch(() => undefined) // the last merge says so
        .finally(() => {
          looking = false;
          looked = now();
        });
    };
    const ends = await Promise.all(
      helpers(count).map((other, k) =>
        slices(
          other,
          { ...request, part: [k, count] },
          { target: kLongSlice, begun: -Infinity },
          (reply) => {
            found[k] = reply.resume;
            look();
            return false;
          },
        ),
      ),
    );
    leaving = setTimeout(dismiss, kIdle);
    return ends.every((end) => end) ? ends.map((end) => end?.resume) : undefined;
  }

  async function run(request: PlanRequest): Promise<void> {
    const round = ++newest;
    const begun = now();
    let workers = 1;
    const so = (reply: Plans): Progress => ({
      reply,
      seconds: (now() - begun) / 1000,
      workers,
      gains: 'later',
    });
    let told = begun;
    const watch = (reply: Plans) => {
      if (now() - told < kTell) return false;
      told = now();
      heard(so(reply));
      return false;
    };
    const long = () => cores > 2 && now() - begun >= kAlone;
    const whole: PlanRequest = { ...request, part: [0, 1] };
    let reply = await slices(client, whole, { target: kSlice, begun }, (r) => watch(r) || long());
    let found = [reply?.resume];
    if (reply && !reply.done) {
      const far = reply.resume;
      try {
        const count = Math.min(cores - 1, kMostWorkers);
        const all = await together(request, count, (r) => {
          workers = count;
          heard(so(r));
        });
        if (!all) return;
        [found, workers] = [all, count];
        reply = await slice(client, merging(request, found), true);
      } catch {
        // They could not be started, or one of them broke: alone, from where it was.
        dismiss();
        if (round !== newest) return;
        reply = await slices(client, whole, { target: kSlice, begun, from: far }, watch);
        [found, workers] = [[reply?.resume], 1];
      }
    }
    if (!reply || round !== newest) return;
    last = { request, found, progress: so(reply), round };
    if (cores > 0 && last.progress.seconds < kQuick) {
      last.progress.gains = 'soon';
      quiet = setTimeout(() => void buy(), kQuiet);
    }
    heard(last.progress);
  }

  /** In a worker of its own: it is several searches in one call. */
  async function buy(): Promise<void> {
    const of = last;
    if (!of || of.round !== newest) return;
    of.progress.gains = 'soon';
    heard(of.progress);
    const aside = createClient(spawn);
    abandon = () => aside.close();
    try {
      const reply = await slice(aside, { ...of.request, merge: of.found }, false);
      if (reply && of.round === newest)
        heard({ ...of.progress, reply: { ...of.progress.reply, ...reply }, gains: 'known' });
    } catch {
      if (of.round === newest) heard({ ...of.progress, gains: 'later' });
    } finally {
      aside.close();
    }
  }

  function leave(): void {
    clearTimeout(quiet);
    abandon();
    abandon = () => undefined;
  }

  return {
    start(request) {
      leave();
      const round = newest + 1;
      run(request).catch((error: unknown) => {
        if (round === newest) failed(error);
      });
    },
    buy: () => void buy(),
  };
}
