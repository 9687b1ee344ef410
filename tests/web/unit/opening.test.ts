// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../web/src/api';
import { candidates, isConfig, understand } from '../../../web/src/sharing/opening';
import { homeOf } from '../../../web/src/sharing/state';

const kLink = 'https://a.org/#v=1&n=64&tp=8';

/** Takes a link only when nothing is around it, as the strictest of cores would. */
const core = (text: string): Promise<Answer> => {
  const found = /^https:\/\/a\.org\/#v=1&n=(\d+)&tp=(\d+)$/.exec(text);
  const patch = found ? { n: Number(found[1]), tp: Number(found[2]) } : {};
  const problems = found ? [] : [{ severity: 'error' }];
  return Promise.resolve({ patch, problems } as unknown as Answer);
};

describe('a link is found', () => {
  for (const [where, text] of Object.entries({
    alone: kLink,
    'with space around it': `\n  ${kLink} \n`,
    'in a sentence': `As a=b shows, see ${kLink} for more`,
    'in HTML': `<p>x=y</p><a class="x" href="${kLink}">n=6</a>`,
    'in Markdown': `See [x=y](${kLink}), or not`,
    'in angle brackets': `Mail <${kLink}> arrived`,
    'broken into lines': 'https://a.org/#v=1&n=64\n&tp=8',
    'quoted and broken': '> https://a.org/#v=1&n=64\r\n> &tp=8',
  }))
    test(where, async () => {
      const found = await understand(text, core);
      expect(found?.answer.patch).toEqual({ n: 64, tp: 8 });
      expect(found).toMatchObject({ used: 2, named: true, problems: [] });
    });
});

test('what the page gave away as JSON is its scenario; any other object is a patch', () => {
  const scenario = { 'cluster.gpus': 64 };
  const values = { 'gpus.used': { value: 64 } };
  expect(candidates(JSON.stringify({ envelope: '1', scenario, values }))).toEqual([
    JSON.stringify(scenario),
  ]);
  expect(candidates(JSON.stringify({ patch: scenario }))).toEqual([JSON.stringify(scenario)]);
  expect(candidates(' {"cluster.gpus": 64} ')).toEqual([JSON.stringify(scenario)]);
  expect(candidates('{"cluster.gpus":')).toEqual(['{"cluster.gpus":']); // the core says what is wrong
});

test('Markdown is no JSON', () => {
  for (const text of candidates(`[a=b \\[x\\]](${kLink}).`)) expect(text).toMatch(/^[^[{]/);
});

test('noise is neither a scenario nor slow', async () => {
  const parts = ['=', 'x=', '<b>=1&', '{', '[', '> \n', 'a=b ', ' '].map((s) => s.repeat(100_000));
  for (const noise of parts.flatMap((s) => [s, `x=1${s}y`])) {
    const begin = Date.now();
    const found = await understand(noise, core);
    expect(found?.named ?? false).toBe(false);
    expect(Date.now() - begin).toBeLessThan(1000);
  }
  expect(candidates('')).toEqual([]);
});

test('a text that was overtaken says nothing', async () => {
  expect(await understand(kLink, () => Promise.resolve(undefined))).toBeNull();
});

test('a config.json is told from a patch', () => {
  expect(isConfig('{"hidden_size": 4096}')).toBe(true);
  expect(isConfig('{"model.hidden": 4096}')).toBe(false);
  expect(isConfig('see "hidden_size"')).toBe(false);
});

test('the root of the site, also from a frozen release', () => {
  expect(homeOf('https://a.org/calc/?x=1#v=1')).toBe('https://a.org/calc/');
  expect(homeOf('https://a.org/calc/index.html#v=1&r/1/')).toBe('https://a.org/calc/');
  expect(homeOf('https://a.org/calc/r/1.2.3/#v=1')).toBe('https://a.org/calc/');
});
