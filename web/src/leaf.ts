// SPDX-License-Identifier: MIT
// The pages beside the calculator: built to HTML, then brought to life.
import { render } from 'lit/html.js';
import type { Answer, Replays, Schema } from './api';
import { createClient } from './client';
import { documentPage, indexPage } from './replays';
import { listenTheme, restoreTheme } from './shell';
import { spawn } from './surroundings';
import { kLastStep, walkPage } from './walk';

restoreTheme();
listenTheme();
const { root = '', page = '', document: id = '' } = document.documentElement.dataset;
const main = document.getElementById('main') as HTMLElement;

const client = createClient(spawn);
async function ask<T>(...request: Parameters<typeof client.ask>): Promise<T> {
  return JSON.parse(String(await client.ask(...request))) as T;
}

/** What an element says, without the templates' marks. */
const said = (element: HTMLElement) =>
  element.innerHTML
    .replace(/<!--.*?-->/gs, '')
    .replace(/\s+/g, ' ')
    .trim();

/**
 * Worked out again in this browser, by the same core; the built figures stay if it cannot start, and
 * where they come out the same: a link that is replaced under the finger swallows the click.
 */
async function replay(): Promise<void> {
  const replays = await ask<Replays>('replays');
  const anew = document.createElement('main');
  render(id ? documentPage(replays, id, root) : indexPage(replays), anew);
  if (said(anew) !== said(main)) main.replaceChildren(...anew.childNodes);
}

async function walk(): Promise<void> {
  const schema = await ask<Schema>('schema');
  const answer = await ask<Answer>('estimate', schema.examples[0]?.link ?? '{}');
  const go = (at: number | null) =>
    render(walkPage(answer, root, at, { go: (to) => go(to) }), main);
  main.replaceChildren();
  let now = 0;
  const move = (to: number) => {
    now = Math.max(0, Math.min(kLastStep, to));
    render(walkPage(answer, root, now, { go: move }), main);
  };
  move(0);
  addEventListener('keydown', (e) => {
    if (e.key === 'ArrowRight') move(now + 1);
    if (e.key === 'ArrowLeft') move(now - 1);
  });
  addEventListener('beforeprint', () => go(null));
  addEventListener('afterprint', () => move(now));
}

/** Built closed to keep the page short; paper has nothing to click on. */
addEventListener('beforeprint', () => {
  for (const d of document.querySelectorAll('details')) d.open = true;
});

if (page === 'replays') void replay().catch(() => client.close());
if (page === 'flops') void walk().catch(() => client.close());
