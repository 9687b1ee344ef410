// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAddress, linkOf } from '../../../web/src/address';
import { address } from '../../../web/src/share';

const keys = new Set(['v', 'd', 'model', 'n']);
const at = (hash: string, search = '') => ({ hash, search, pathname: '/envelope/' });

describe('reading', () => {
  test.each([
    ['#v=1&n=8', '', 'v=1&n=8'],
    ['', '?v=1&n=8', 'v=1&n=8'],
    ['#n=8', '?n=4', 'n=8'],
    ['', '?utm_source=x&fbclid=y', ''],
    ['', '?utm_source=x&n=8&b.n=4', 'n=8&b.n=4'],
    ['#main', '', ''],
    ['', '', ''],
  ])('%s %s holds "%s"', (hash, search, link) => expect(linkOf(at(hash, search), keys)).toBe(link));
});

describe('writing', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const page = (hash: string, search = '') => {
    const [replaceState, pushState] = [vi.fn(), vi.fn()];
    const history = { replaceState, pushState };
    return { location: at(hash, search), history, replaceState, pushState };
  };

  test('of a burst only the newest is written, a quarter of a second later', () => {
    const p = page('');
    const bar = createAddress(p);
    bar.write('n=1');
    vi.advanceTimersByTime(200);
    bar.write('n=16');
    vi.advanceTimersByTime(249);
    expect(p.replaceState).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(p.replaceState.mock.calls).toEqual([[null, '', '/envelope/#n=16']]);
  });

  test('what is there already is not written again', () => {
    const p = page('#n=16');
    createAddress(p).write('n=16');
    vi.advanceTimersByTime(1000);
    expect(p.replaceState).not.toHaveBeenCalled();
  });

  test('a query is rewritten to the fragment', () => {
    const p = page('#n=16', '?n=16');
    createAddress(p).write('n=16');
    vi.advanceTimersByTime(250);
    expect(p.replaceState).toHaveBeenCalledWith(null, '', '/envelope/#n=16');
  });

  test('a refusal by the browser is tried again later', () => {
    const p = page('');
    p.replaceState.mockImplementationOnce(() => {
      throw new Error('SecurityError');
    });
    createAddress(p).write('n=2');
    vi.advanceTimersByTime(250);
    vi.advanceTimersByTime(10_000);
    expect(p.replaceState).toHaveBeenCalledTimes(2);
  });

  test('an entry of its own comes at once, behind what waits', () => {
    const p = page('#n=1');
    const bar = createAddress(p);
    bar.write('n=2');
    bar.push('n=2&b.n=4');
    expect(p.replaceState.mock.calls).toEqual([[null, '', '/envelope/#n=2']]);
    expect(p.pushState.mock.calls).toEqual([[null, '', '/envelope/#n=2&b.n=4']]);
    vi.advanceTimersByTime(1000);
    expect(p.replaceState).toHaveBeenCalledTimes(1);
  });

  test('opening another link cancels what waits', () => {
    const p = page('');
    const bar = createAddress(p);
    bar.write('n=2');
    bar.cancel();
    vi.advanceTimersByTime(1000);
    expect(p.replaceState).not.toHaveBeenCalled();
  });
});

describe('sharing', () => {
  test('the link replaces query and fragment', () =>
    expect(address('v=1&n=8', 'https://a.example/x/?n=1#old')).toBe(
      'https://a.example/x/#v=1&n=8',
    ));
});
