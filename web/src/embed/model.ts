// SPDX-License-Identifier: MIT
// What the templates of an embed see, and which inputs its reader may change. Pure.
import type { Answer, Field, Patch, Value } from '../api';
import { axisOf } from '../explore';
import type { Chart } from '../charts';
import type { Path } from '../types.generated';
import { taskOf, type Tables, type View } from '../view';
import type { Request } from './request';

export interface Model extends View {
  request: Request;
  /** The site, for links to the calculator. */
  home: string;
  /** What the link said, for the way back. */
  start: Patch;
  /** The inputs that can be changed, and where their sliders stand. */
  edits: { field: Field; stops: number[] }[];
  /** What of the request was not used, in words. */
  unused: string[];
  charts: Chart[];
  /** The chart that is shown. */
  chart: number;
}

export interface Moves {
  edit(path: string, value: Value): void;
  settle(): void;
  step(path: string, direction: 1 | -1): void;
  reset(): void;
  toggle(key: string, open: boolean): void;
  hover(hover: View['hover']): void;
  chart(index: number): void;
}

const kNever = new Set<string>(['catalog.snapshot'] satisfies Path[]); // a page of figures has one month

/** The fields behind the keys, and words about keys that are not to be had. */
export function editable(
  tables: Tables,
  answer: Answer,
  { view, edit }: Request,
): { fields: Field[]; unused: string[] } {
  const charted = view === 'chart' ? axisOf(answer)?.path : undefined;
  const byKey = new Map(tables.schema.fields.map((f) => [f.key, f]));
  if (edit === null) {
    const field = charted && tables.fields.get(charted);
    return { fields: field ? [field] : [], unused: [] };
  }
  const fields: Field[] = [];
  const unused: string[] = [];
  for (const key of edit) {
    const field = byKey.get(key) ?? tables.fields.get(key);
    const name = key.length > 24 ? `${key.slice(0, 24)}…` : key;
    if (!field || kNever.has(field.path)) unused.push(`“${name}” is no input that can be edited.`);
    else if (!field.tasks.includes(taskOf(answer)))
      unused.push(`“${name}” (${field.label}) does not matter here, so it cannot be edited.`);
    else fields.push(field);
  }
  return { fields, unused };
}

/** What the core could not use of the link, in words; what can be edited says so itself. */
export function unusedOf(answer: Answer, fields: readonly Field[]): string[] {
  const own = new Set(fields.map((f) => f.path));
  return answer.problems
    .filter((p) => p.severity === 'error' && !own.has(p.path))
    .map((p) => p.message);
}

export const changed = (model: Model): boolean =>
  model.edits.some(({ field: { path } }) => model.state.patch[path] !== model.start[path]);
