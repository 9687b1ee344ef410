// SPDX-License-Identifier: MIT
// Promises over the worker. One call is in the worker at a time; in a channel the newest request wins
// and the older ones resolve to undefined. After a trap the worker is started afresh.
import { kRare, type Rare } from '../../wasm/page.mjs';

export type Call = 'schema' | 'open' | 'estimate' | 'sweep' | Rare;

export interface Request {
  id: number;
  call: Call;
  argument: string;
}
export type Reply = { id: number; result: string | Float64Array } | { id: number; error: string };

/** What the client needs of a Worker; tests pass a fake. */
export interface Port {
  postMessage(message: Request): void;
  terminate(): void;
  onmessage: ((event: { data: Reply }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
}

export interface Client {
  /** Undefined when a newer request of the same channel took its place. */
  ask(
    call: Call,
    argument?: string,
    channel?: string,
    soon?: boolean,
  ): Promise<string | Float64Array | undefined>;
  close(): void;
}

interface Job {
  request: Request;
  urgency: number;
  channel: string;
  resolve(value: string | Float64Array | undefined): void;
  reject(error: Error): void;
}

const kAttempts = 3;
const kMorePatience = 6; // times, where a module may have to come over a slow network first

export function createClient(spawn: () => Port, patience = 10_000): Client {
  let port: Port | null = null;
  let running: Job | null = null;
  let dropped = false; // the running job was overtaken
  let queue: Job[] = [];
  let nextId = 1;
  let failures = 0; // in a row
  let worked = false; // loading may take long; after the first reply silence means a hang
  let watch: ReturnType<typeof setTimeout> | undefined;

  function start(): Port {
    const fresh = spawn();
    fresh.onmessage = ({ data }) => {
      if (fresh === port && running?.request.id === data.id) finish(data);
    };
    fresh.onerror = ({ message }) => {
      if (fresh === port) fail(message ?? 'the worker could not be loaded');
    };
    return fresh;
  }

  function finish(reply: Reply): void {
    if ('error' in reply) return fail(reply.error);
    const job = running as Job;
    clearTimeout(watch);
    running = null;
    failures = 0;
    worked = true;
    job.resolve(dropped ? undefined : reply.result);
    next();
  }

  /** A trap leaves WASM memory in an unknown state, so nothing of that worker is used again. */
  function fail(message: string): void {
    const job = running;
    clearTimeout(watch);
    running = null;
    port?.terminate();
    port = null;
    job?.reject(new Error(message));
    if (++failures >= kAttempts) {
      failures = 0;
      for (const waiting of queue) waiting.reject(new Error(message));
      queue = [];
    }
    next();
  }

  function next(): void {
    if (running) return;
    const job = queue.shift();
    if (!job) return;
    running = job;
    dropped = false;
    port ??= start();
    const loads =
      kRare.some((call) => call === job.request.call) || /solve/.test(job.request.argument);
    const times = loads ? kMorePatience : 1;
    if (worked) watch = setTimeout(() => fail('no answer in time'), patience * times);
    port.postMessage(job.request);
  }

  return {
    ask(call, argument = '', channel = '', soon = false) {
      return new Promise((resolve, reject) => {
        // Estimates go first: a person waits for them; charts may come later.
        const urgency = call === 'estimate' || call === 'open' ? 2 : Number(soon);
        const request = { id: nextId++, call, argument };
        const job: Job = { request, urgency, channel, resolve, reject };
        if (channel !== '') {
          for (const older of queue) if (older.channel === channel) older.resolve(undefined);
          queue = queue.filter((older) => older.channel !== channel);
          if (running?.channel === channel) dropped = true;
        }
        const place = queue.findIndex((waiting) => waiting.urgency < urgency);
        queue.splice(place < 0 ? queue.length : place, 0, job);
        next();
      });
    },
    close() {
      clearTimeout(watch);
      port?.terminate();
      port = null;
      for (const job of [running, ...queue]) job?.resolve(undefined);
      running = null;
      queue = [];
    },
  };
}
