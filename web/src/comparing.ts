// SPDX-License-Identifier: MIT
// Adds, swaps and removes scenarios to compare, and keeps the comparison true to the form. Loaded when
// there is something to compare. What the link of them all is, and what differs, the core says.
import type { Answer, Comparison, Patch } from './api';
import type { Call } from './client';
import { columnTabs, comparison, kLetters } from './compare';
import { dress } from './dressing';
import { bare, chartOf, withOthers } from './others';
import { apply, compared, hasError, scenariosOf, type State } from './state';
import sheet from './style/compare.css?url';
import { answerOf, type ColumnAction, type View } from './view';

export const dressed = (): Promise<unknown> => dress(sheet);

export const kMost = kLetters.length;

export interface Host {
  view(): View;
  ask<T>(call: Call, argument: string, channel: string): Promise<T | undefined>;
  set(change: Partial<View>): void;
  /** Writes the link of the state into the address. */
  write(): void;
  /** Puts a scenario of a comparison into the form. What was `said` has a way back. */
  show(answer: Answer, columns: Partial<State>, said: string, focus: string): void;
  say(text: string): void;
}

export interface Columns {
  links: readonly string[];
  /** The one in the form. */
  at: number;
  /** What has happened, where something is gone that one may want back. */
  said: string;
}

/** What an action makes of the scenarios; `i` is the one it is about, `link` one that comes in. */
export function changed(
  { links, at }: Pick<Columns, 'links' | 'at'>,
  action: ColumnAction,
  i: number,
  link = '',
): Columns {
  const letter = kLetters[i];
  switch (action) {
    case 'add':
      return { links: [...links, links[at] ?? ''], at: links.length, said: '' };
    case 'with':
      return { links: [...links, link], at, said: '' };
    case 'put':
      return { links: links.map((l, k) => (k === i ? link : l)), at, said: `${letter} changed.` };
    case 'edit':
      return { links, at: i, said: '' };
    case 'swap': {
      const swapped = links.map((l, k) => (k === 0 ? links[i] : k === i ? links[0] : l) ?? '');
      // The form stays with its scenario.
      return {
        links: swapped,
        at: at === 0 ? i : at === i ? 0 : at,
        said: `A and ${letter} swapped.`,
      };
    }
    case 'keep':
      return { links: [links[i] ?? ''], at: 0, said: `Only ${letter} is left.` };
    case 'remove': {
      const left = links.filter((_, k) => k !== i);
      const next = at > i || at === left.length ? at - 1 : at;
      return { links: left, at: Math.max(0, next), said: `${letter} removed.` };
    }
  }
}

const request = (scenarios: readonly string[]): string => JSON.stringify({ scenarios });

/** The answers of all columns; that of the form is known. */
async function answersOf(
  host: Host,
  links: readonly string[],
  at: number,
  own: Answer,
): Promise<Answer[] | undefined> {
  const found = await Promise.all(
    links.map((link, i) =>
      i === at ? own : host.ask<Answer>('estimate', link, `estimate column ${i}`),
    ),
  );
  return found.every((a) => a !== undefined) ? (found as Answer[]) : undefined;
}

const shown = (found: Comparison, answers: Answer[]): View['comparison'] => ({
  ...found,
  answers,
  draw: comparison,
  tabs: columnTabs,
});

/** After an answer: what differs now. */
export async function refresh(host: Host): Promise<void> {
  const { state } = host.view();
  const own = answerOf(host.view());
  if (hasError(state.problems)) return;
  const asked = request(scenariosOf(state, own.link));
  const found = await host.ask<Comparison>('compare', asked, 'compare');
  const isNew = () => host.view().state.good === own && host.view().state.at === state.at;
  if (!found || !isNew()) return;
  const links = found.scenarios.map((s) => s.link);
  const answers = await answersOf(host, links, state.at, own);
  if (!answers || !isNew()) return;
  host.set({ state: compared(host.view().state, found), comparison: shown(found, answers) });
  host.write();
}

/** Where the person goes on. A plan that came in, or was taken, leaves them where they are. */
function focusAfter(action: ColumnAction, at: number, isAlone: boolean): string {
  if (action === 'add' || action === 'edit') return `column-${at}`;
  if (action === 'with' || action === 'put') return '';
  return isAlone ? 'main' : 'compare-title';
}

/**
 * `given` is the scenario that comes in: a link, or what it changes in the one in the form. False where
 * nothing came of it.
 */
export async function change(
  host: Host,
  action: ColumnAction,
  i = host.view().state.at,
  given: Patch | string = '',
): Promise<boolean> {
  const { state } = host.view();
  // What was refused is left behind; what was typed last is in.
  const own = hasError(state.problems)
    ? answerOf(host.view())
    : await host.ask<Answer>('estimate', JSON.stringify(state.patch), 'column');
  const asked = own && request(scenariosOf(state, bare(own.link)));
  const now = asked && (await host.ask<Comparison>('compare', asked, 'columns'));
  if (!now) return false;
  const links = now.scenarios.map((s) => s.link);
  if ((action === 'add' || action === 'with') && links.length >= kMost) {
    host.say('Four scenarios fit side by side. Remove one of them first.');
    return false;
  }
  let link = given;
  if (typeof link !== 'string') {
    const patch = JSON.stringify(apply(state, link).patch);
    const other = await host.ask<Answer>('estimate', patch, 'column');
    if (!other) return false;
    link = bare(other.link);
  }
  const next = changed({ links, at: state.at }, action, i, bare(link));
  const found = await host.ask<Comparison>('compare', request(next.links), 'columns');
  const answer = found && (await host.ask<Answer>('estimate', next.links[next.at] ?? '', 'column'));
  if (!answer) return false;
  const columns = found.scenarios.map((s) => s.link);
  const answers = await answersOf(host, columns, next.at, answer);
  if (!answers) return false;
  const isAlone = columns.length < 2;
  host.set({ comparison: isAlone ? null : shown(found, answers) });
  host.show(
    answer,
    {
      link: withOthers(found.link, chartOf(state.others)),
      at: next.at,
      columns: isAlone ? [] : columns,
    },
    next.said,
    focusAfter(action, next.at, isAlone),
  );
  return true;
}
