// SPDX-License-Identifier: MIT
// What the panels of the share dialog give away, before any of it is drawn.
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Answer, Schema } from '../../../web/src/api';
import { editable, embedding, idOf } from '../../../web/src/sharing/embed';
import { integrityOf } from '../../../web/src/sharing/integrity';
import {
  citedRoot,
  citedUrl,
  create,
  firstChoices,
  homeOf,
  urlOf,
  type Host,
} from '../../../web/src/sharing/state';
import { elementSnippet, proseLink } from '../../../web/src/snippets';
import { here } from '../../../web/src/surroundings';
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

function shareOf(link = kLink, model = 'gpt2', choices = firstChoices()) {
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
  const host = { ...kTables, answer, whole: link, stale: false } as unknown as Host;
  return create(host, homeOf(here()), choices, () => {});
}

const stand = (href: string) => vi.stubGlobal('location', new URL(href));
afterEach(() => vi.unstubAllGlobals());

describe('what readers may change', () => {
  test('is the size only of a model by size', () => {
    stand(kHome);
    const keys = (model: string) => editable(shareOf(kLink, model)).map(({ key }) => key);
    expect(keys('gpt2')).toEqual(['n']);
    expect(keys('by-size')).toEqual(['size', 'n']);
  });
});

describe('what is cited', () => {
  test('on the newest page is that page, with its data', () => {
    stand(`${kHome}?utm_source=x#v=1`);
    const share = shareOf();
    expect([citedRoot(share), citedUrl(share)]).toEqual([kHome, `${kHome}#${kLink}`]);
    expect(urlOf(share)).toBe(`${kHome}#${kLink}`);
  });

  test('on a frozen page is the frozen one, which is also what is offered first', () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
    for (const page of ['', 'index.html']) {
      stand(`${kHome}r/0.4.0/${page}#v=1`);
      const share = shareOf();
      expect([citedRoot(share), citedUrl(share)]).toEqual([
        `${kHome}r/0.4.0/`,
        `${kHome}r/0.4.0/#${kLink}`,
      ]);
      expect(urlOf(share)).toBe(`${kHome}r/0.4.0/#${kLink}`);
      expect(embedding(share)).toMatchObject({ home: kHome, frozen: '0.4.0' });
      const newest = shareOf(kLink, 'gpt2', { ...firstChoices(), keep: 'data' });
      expect(urlOf(newest)).toBe(`${kHome}#${kLink}`);
    }
  });
});

describe('the id of an embed', () => {
  test('tells scenarios and views apart, and is the same for the same', () => {
    const links = [kLink, 'v=1&d=2026-11&model=gpt2&n=9', 'v=1', ''];
    const views = ['card', 'bar', 'full'] as const;
    const ids = links.flatMap((link) => views.map((view) => idOf('gpt2', link, view)));
    expect(new Set(ids).size).toBe(ids.length);
    expect(idOf('gpt2', kLink, 'card')).toBe(ids[0]);
  });

  test('is readable, begins with a letter and needs no escape', () => {
    const long = 'x'.repeat(500);
    for (const model of ['llama-3.1-405b', '01-ai/Yi 34B', '中文', '', '"><b>', long]) {
      const id = idOf(model, kLink, 'card');
      expect(id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      expect(id.length).toBeLessThan(45);
    }
    expect(idOf('llama-3.1-405b', kLink, 'card')).toMatch(/^llama-3-1-405b-[a-z0-9]+$/);
  });

  test('is in the HTML, and links in the text have it', () => {
    stand(kHome);
    const [one, two] = [shareOf(), shareOf(kLink.replace('n=8', 'n=16'))];
    const idIn = (html: string) => /<llm-envelope [^>]*\bid="([^"]+)"/.exec(html)?.[1];
    const options = [one, two].map(embedding);
    const ids = [one, two].map((s, i) => idIn(elementSnippet(s.facts, options[i]!)));
    expect(ids[0]).not.toBe(ids[1]);
    for (const [i, o] of options.entries())
      expect(proseLink(kLink, 'x', o)).toContain(`data-llm-envelope="${ids[i]}"`);
  });
});

describe('the hash of a script', () => {
  const address = (n: number) => `${kHome}r/0.5.0/embed/${n}/llm-envelope.js`;
  const answers = (headers: Record<string, string>, status = 200) =>
    vi.stubGlobal('fetch', async () => new Response('void 0;\n', { headers, status }));
  const kOpen = { 'access-control-allow-origin': '*' };

  test('is of the bytes that the site serves', async () => {
    answers(kOpen);
    let draws = 0;
    expect(integrityOf(address(1), () => ++draws)).toBeUndefined();
    await expect.poll(() => draws).toBe(1);
    const hash = createHash('sha384').update('void 0;\n').digest('base64');
    expect(integrityOf(address(1), () => ++draws)).toBe(`sha384-${hash}`);
    expect(draws).toBe(1);
  });

  test('is left out where it would keep the script from loading', async () => {
    const asked: (() => Promise<Response>)[] = [
      async () => new Response('void 0;\n'), // no CORS headers
      async () => new Response('Not found', { status: 404, headers: kOpen }),
      () => Promise.reject(new TypeError('no network')),
    ];
    for (const [i, answer] of asked.entries()) {
      const fetch = vi.fn(answer);
      vi.stubGlobal('fetch', fetch);
      integrityOf(address(i + 2), () => expect.unreachable());
      await new Promise((done) => setTimeout(done, 20));
      expect(integrityOf(address(i + 2), () => expect.unreachable())).toBeUndefined();
      expect(fetch).toHaveBeenCalledTimes(1);
    }
  });
});
