// SPDX-License-Identifier: MIT
// The scenario while someone edits it: a patch, the last good answer, and what stands in the way of the
// next one. Pure functions; no DOM.
import type { Answer, Comparison, Patch, Problem, Value } from './api';
import { bare, chartOf, columnsOf, joined, othersOf, withOthers } from './others';

export interface State {
  /** What the core is asked: canonical values, and the raw text of fields that it refused. */
  patch: Patch;
  /** The field being typed in, with its text as typed. */
  draft: { path: string; text: string } | null;
  /** The last answer without an error; kept on screen while an error stands. */
  good: Answer | null;
  /** Problems of the newest answer, by order of the core. */
  problems: Problem[];
  /** What the link that was opened said and the core could not use; until the next link. */
  notices: Problem[];
  link: string;
  /**
   * The scenarios to compare with, which follow A, and the chart, as the pairs of the link:
   * `b.gpu=b200&x=n`.
   */
  others: string;
  /** Which scenario of a comparison this is: 0 is A. */
  at: number;
  /** All of a comparison, each as a link of its own; empty until they are compared. */
  columns: readonly string[];
}

export const kEmpty: State = {
  patch: {},
  draft: null,
  good: null,
  problems: [],
  notices: [],
  link: '',
  others: '',
  at: 0,
  columns: [],
};

export const hasError = (problems: readonly Problem[]): boolean =>
  problems.some((p) => p.severity === 'error');

function without(patch: Patch, path: string): Patch {
  const { [path]: _, ...rest } = patch;
  return rest;
}

/** A keystroke or a choice. Empty text means: back to the default. */
export function edit(state: State, path: string, value: Value): State {
  const text = typeof value === 'string' ? value : null;
  const patch =
    text !== null && text.trim() === ''
      ? without(state.patch, path)
      : { ...state.patch, [path]: value };
  return { ...state, patch, draft: text === null ? null : { path, text }, notices: [] };
}

/** The field was left: from now on it shows the value as the core understood it. */
export function settle(state: State): State {
  return state.draft ? { ...state, draft: null } : state;
}

/** Several fields at once: a remedy. Empty text means, as above: back to the default. */
export function apply(state: State, patch: Patch): State {
  const next = Object.entries({ ...state.patch, ...patch }).filter(([, value]) => value !== '');
  return { ...state, patch: Object.fromEntries(next), draft: null, notices: [] };
}

const kModel = 'model.';

/** What a patch says about the model. */
export const modelOf = (patch: Patch): Patch =>
  Object.fromEntries(Object.entries(patch).filter(([path]) => path.startsWith(kModel)));

/** Another model; what was said about the old one does not hold for it. The rest stays as it is. */
export function withModel(state: State, model: Patch): State {
  const rest = Object.entries(state.patch).filter(([path]) => !path.startsWith(kModel));
  return apply({ ...state, patch: Object.fromEntries(rest) }, model);
}

/** Refused values stay in the patch as typed, so that the problem stands until it is solved. */
function merge(answer: Answer, asked: Patch): Patch {
  const patch: Record<string, Value> = { ...answer.patch };
  for (const p of answer.problems)
    if (p.severity === 'error' && Object.hasOwn(answer.inputs, p.path))
      patch[p.path] = asked[p.path] ?? p.value;
  return patch;
}

/** An answer to `asked`. Ignored when the patch has changed since: a newer answer is under way. */
export function received(state: State, asked: Patch, answer: Answer): State {
  if (asked !== state.patch) return state;
  const bad = hasError(answer.problems);
  return {
    ...state,
    patch: merge(answer, asked),
    good: bad && state.good ? state.good : answer,
    problems: answer.problems,
    // What B and the later ones change is worked out by comparing.
    link: state.at ? state.link : withOthers(answer.link, state.others),
  };
}

/** A link was opened. Problems with keys that are no fields are notices, and do not stop the answer. */
export function opened(answer: Answer): State {
  // That the link asks for newer facts is said once, and not beside a field that may be folded away.
  const ofField = (p: Problem) =>
    Object.hasOwn(answer.inputs, p.path) && p.code !== 'newer_catalog';
  return {
    patch: merge(answer, {}),
    draft: null,
    good: { ...answer, link: bare(answer.link) },
    problems: answer.problems.filter(ofField),
    notices: answer.problems.filter((p) => !ofField(p)),
    link: answer.link,
    others: othersOf(answer.link),
    at: 0,
    columns: [],
  };
}

/** What the core is asked to compare, when this answer is that of the present inputs. */
export function scenariosOf({ at, columns, others }: State, own: string): string[] {
  if (at === 0) return [withOthers(own, columnsOf(others))];
  return columns.map((column, i) => (i === at ? own : column));
}

function beside(state: State, others: string): State {
  return { ...state, link: withOthers(bare(state.link), others), others };
}

/** The comparison is there. While A is edited, what the others change stays as it was said. */
export function compared(state: State, { link, scenarios }: Comparison): State {
  const next = { ...state, columns: scenarios.map((s) => s.link) };
  return state.at === 0
    ? next
    : beside({ ...next, link }, joined(columnsOf(link), chartOf(state.others)));
}

/** Another chart: `x=n&z=cost.total`. */
export const charted = (state: State, chart: string): State =>
  beside(state, joined(columnsOf(state.others), chart));

/** Whether what is shown belongs to the inputs as they stand. */
export const isStale = (state: State): boolean => hasError(state.problems);
