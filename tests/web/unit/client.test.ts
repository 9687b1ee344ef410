// SPDX-License-Identifier: MIT
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createClient, type Port, type Reply, type Request } from '../../../web/src/client';

/** A worker that answers when the test says so. */
class Fake implements Port {
  static all: Fake[] = [];
  sent: Request[] = [];
  ended = false;
  onmessage: Port['onmessage'] = null;
  onerror: Port['onerror'] = null;
  constructor() {
    Fake.all.push(this);
  }
  postMessage(message: Request): void {
    this.sent.push(message);
  }
  terminate(): void {
    this.ended = true;
  }
  reply(text: string): void {
    const last = this.sent[this.sent.length - 1] as Request;
    this.onmessage?.({ data: { id: last.id, result: text } satisfies Reply });
  }
  trap(): void {
    const last = this.sent[this.sent.length - 1] as Request;
    this.onmessage?.({ data: { id: last.id, error: 'RuntimeError: unreachable' } });
  }
}
const worker = (i: number) => Fake.all[i] as Fake;
const spawn = () => new Fake();

afterEach(() => {
  Fake.all = [];
  vi.useRealTimers();
});

describe('newest wins', () => {
  test('of a burst, the first and the last are asked, and only the last is answered', async () => {
    const client = createClient(spawn);
    const answers = ['a', 'b', 'c'].map((text) => client.ask('estimate', text, 'estimate'));
    worker(0).reply('A');
    worker(0).reply('C');
    expect(await Promise.all(answers)).toEqual([undefined, undefined, 'C']);
    expect(worker(0).sent.map((m) => m.argument)).toEqual(['a', 'c']);
  });

  test('channels do not drop each other', async () => {
    const client = createClient(spawn);
    const one = client.ask('sweep', '1', 'sweep time');
    const two = client.ask('sweep', '2', 'sweep iso');
    worker(0).reply('one');
    worker(0).reply('two');
    expect(await one).toBe('one');
    expect(await two).toBe('two');
  });

  test('an estimate goes before waiting sweeps', () => {
    const client = createClient(spawn);
    void client.ask('sweep', '1', 's1');
    void client.ask('sweep', '2', 's2');
    void client.ask('estimate', 'now', 'estimate');
    worker(0).reply('');
    expect(worker(0).sent.map((m) => m.argument)).toEqual(['1', 'now']);
  });
});

describe('failure', () => {
  test('after a trap a new worker serves the next request', async () => {
    const client = createClient(spawn);
    const bad = client.ask('estimate', 'bad');
    const good = client.ask('estimate', 'good');
    worker(0).trap();
    await expect(bad).rejects.toThrow('unreachable');
    expect(worker(0).ended).toBe(true);
    worker(1).reply('fine');
    expect(await good).toBe('fine');
  });

  test('a late answer of an ended worker is not heard', async () => {
    const client = createClient(spawn);
    const first = client.ask('estimate', '1');
    worker(0).trap();
    await expect(first).rejects.toThrow();
    const second = client.ask('estimate', '2');
    worker(0).onmessage?.({ data: { id: 2, result: 'ghost' } });
    worker(1).reply('real');
    expect(await second).toBe('real');
  });

  test('a worker that cannot load is given up after three attempts', async () => {
    const client = createClient(spawn);
    const all = [1, 2, 3, 4, 5].map((n) => client.ask('schema', String(n)));
    const settled = Promise.allSettled(all);
    for (let i = 0; i < 3; ++i) worker(i).onerror?.({ message: 'no such file' });
    expect((await settled).map((s) => s.status)).toEqual(Array(5).fill('rejected'));
    expect(Fake.all).toHaveLength(3);
  });

  test('silence after the first answer is a hang, before it a slow download', async () => {
    vi.useFakeTimers();
    const client = createClient(spawn, 1000);
    const first = client.ask('schema');
    vi.advanceTimersByTime(60_000);
    expect(worker(0).ended).toBe(false);
    worker(0).reply('{}');
    expect(await first).toBe('{}');
    const second = client.ask('estimate');
    const failed = expect(second).rejects.toThrow('no answer in time');
    vi.advanceTimersByTime(1001);
    await failed;
    expect(worker(0).ended).toBe(true);
  });

  test('closing answers everyone', async () => {
    const client = createClient(spawn);
    const open = [client.ask('schema'), client.ask('replays')];
    client.close();
    expect(await Promise.all(open)).toEqual([undefined, undefined]);
    expect(worker(0).ended).toBe(true);
  });
});
