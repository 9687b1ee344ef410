// SPDX-License-Identifier: MIT
// Up to four scenarios side by side: what each changes, what comes of it, and the choice of the one that
// the form edits. Loaded when there is something to compare.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer, Comparison, Field } from './api';
import { bar, kRoom, memoryOf } from './bars';
import { options } from './combobox';
import { shown } from './form';
import { kCards } from './report';
import type { MetricId } from './types.generated';
import { bytes, inBrackets, percent, times } from './units';
import {
  bandOf,
  taskOf,
  textOf,
  valueOf,
  type Actions,
  type ColumnAction,
  type Compared,
  type View,
} from './view';

export const kLetters = ['A', 'B', 'C', 'D'];
const kFar = 3; // from here on a factor says more than a percentage
const kTitle = 2; // changes that a heading names

/** How far `x` is from `a`: `+12.0 %`, or `4.20 ×`. */
export function change(a: number, x: number): string {
  if (a === 0 || !Number.isFinite(x / a)) return '';
  const ratio = x / a;
  if (ratio >= kFar || ratio <= 0) return ratio > 0 ? times(ratio) : '';
  if (Math.abs(ratio - 1) < 5e-4) return '';
  return `${ratio > 1 ? '+' : '−'}${percent(Math.abs(ratio - 1))}`;
}

const kLess: MetricId[] = [
  'time.total',
  'time.wall',
  'time.gpu_hours',
  'cost.total',
  'cost.wall',
  'cost.per_million_tokens',
  'cost.price',
  'serving.latency',
  'serving.prefill_time',
];
const kMore: MetricId[] = ['time.mfu', 'serving.tokens_per_s', 'serving.tokens_per_s_per_user'];

/** Whether `x` is better than `a`, where everyone would agree on what is better. */
export function judged(id: string, a: number, x: number): '' | 'better' | 'worse' {
  const isIn = (list: readonly string[]) => list.includes(id);
  if (a === x || !(isIn(kLess) || isIn(kMore))) return '';
  return x < a === isIn(kLess) ? 'better' : 'worse';
}

/** Ranges that have values in common: which is better is then not sure. */
export function overlap(a: Answer, b: Answer, id: string): boolean {
  const ends = (answer: Answer) =>
    [valueOf(answer, `${id}_low`) ?? NaN, valueOf(answer, `${id}_high`) ?? NaN] as const;
  const [[low, high], [from, to]] = [ends(a), ends(b)];
  return low <= to && from <= high;
}

/** An input; what was worked out counts, and not what stands in its place. */
function inputText(view: View, path: string, i: number, { answers }: Compared): string {
  const answer = answers[i];
  const value = answer?.inputs[path] ?? null;
  const field = view.fields.get(path);
  if (value === null || value === 'auto') return 'auto';
  if (!field) return String(value);
  const solved = answer?.solved?.path === path ? ', worked out' : '';
  const name = field.type === 'name' && options(view, field).find((o) => o.id === value)?.label;
  return (name || shown(field, value)) + solved;
}

/** The inputs that someone changed, for each column; what a catalog row brings along is not among them. */
export function chosen(link: string, fields: readonly Field[]): string[][] {
  const paths = new Map(fields.map((f) => [f.key, f.path]));
  const found: string[][] = [[], [], [], []];
  for (const pair of link.split('&')) {
    const [, letter, key] = /^([b-d])\.([^=]+)=/.exec(pair) ?? [];
    const path = paths.get(key ?? '');
    if (letter && path) found['abcd'.indexOf(letter)]?.push(path);
  }
  return found;
}

/** A column in a few words: the inputs that make it another one. */
function title(view: View, found: Compared, i: number): string {
  const { inputs, link } = found;
  const all = chosen(link, view.schema.fields);
  const mine = i === 0 ? all.flat() : (all[i] ?? []);
  const rows = inputs.filter((row) => mine.includes(row.path));
  const words = rows.flatMap((row) => {
    const field = view.fields.get(row.path);
    const value = found.answers[i]?.inputs[row.path];
    if (!field || value === null || value === 'auto' || value === 'none') return []; // says nothing
    const text = inputText(view, row.path, i, found);
    const isName = field.type === 'name' || (field.type === 'choice' && field.group !== 'solve');
    return isName ? text : `${field.label} ${text}`;
  });
  const more = words.length - kTitle;
  if (rows.length === 0 && i > 0) return 'the same as A so far';
  return words.slice(0, kTitle).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Which scenario the form edits. */
export function columnTabs(view: View, actions: Actions): TemplateResult {
  const found = view.comparison as Compared;
  const { at } = view.state;
  const name = title(view, found, at);
  return html`<fieldset class="columns-edited">
    <legend class="hidden">Which scenario these inputs are of</legend>
    ${found.scenarios.map(
      (_, i) =>
        html`<label class="column-tab"
          ><input
            type="radio"
            name="column"
            id=${`column-${i}`}
            aria-describedby=${i === at ? 'column-name' : nothing}
            .checked=${i === at}
            ?checked=${i === at}
            @change=${() => actions.column('edit', i)}
          /><span>${kLetters[i]}</span></label
        >`,
    )}
    <span class="note" id="column-name">${name || 'what the others differ from'}</span>
    <button type="button" class="plain" @click=${() => document.getElementById('compare-title')?.focus()}>
      Side by side
    </button>
  </fieldset>`;
}

function memoryCell(view: View, answer: Answer, scale: number, letter: string): TemplateResult {
  const all = memoryOf(answer);
  const fullest = all?.stages[all.fullest];
  if (!all || !fullest) return html`<td>–</td>`;
  const left = all.capacity - fullest.total;
  return html`<td>
    ${bar(view, all, fullest, scale, `Memory per GPU, ${letter}`)} ${bytes(fullest.total)} of
    ${bytes(all.capacity)}
    <span class="small ${left < 0 ? 'over' : 'muted'}"
      >${left < 0 ? `${bytes(-left)} too much` : `${bytes(left)} free`}</span
    >
  </td>`;
}

function memoryRow(view: View, answers: readonly Answer[]): unknown {
  const all = answers.map(memoryOf).filter((m) => m !== null);
  if (all.length === 0) return nothing;
  const scale =
    Math.max(...all.flatMap((m) => [m.capacity, ...m.stages.map((s) => s.total)])) * kRoom;
  return html`<tr class="bars">
    <th scope="row">Memory per GPU</th>
    ${answers.map((a, i) => memoryCell(view, a, scale, kLetters[i] ?? ''))}
  </tr>`;
}

function metricCell(
  view: View,
  answers: readonly Answer[],
  { id, values }: Comparison['metrics'][number],
  i: number,
): TemplateResult {
  const [first, value] = [values[0] ?? null, values[i] ?? null];
  const [a, x] = [answers[0], answers[i]];
  if (value === null || !a || !x) return html`<td>–</td>`;
  const range = bandOf(view, x, id);
  const by = i === 0 || first === null ? '' : change(first, value);
  const verdict = by && first !== null ? judged(id, first, value) : '';
  const words = [by, verdict, verdict && overlap(a, x, id) ? 'ranges overlap' : '']
    .filter(Boolean)
    .join(', ');
  const text = textOf(view, id, value);
  return html`<td>
    ${text} ${range ? html`<span class="muted">${inBrackets(text, range)}</span>` : nothing}
    ${words ? html`<span class="small ${verdict || 'muted'}">${words}</span>` : nothing}
  </td>`;
}

const kLines = ['_low', '_high']; // said behind the number
const kInBars: MetricId[] = ['layout.per_gpu', 'memory.total', 'layout.capacity'];

/** What can be done with a column; in a row of its own, which scrolls away. */
function columnTools(view: View, actions: Actions, i: number): TemplateResult {
  const letter = kLetters[i] ?? '';
  const one = (action: ColumnAction, text: string, label: string) =>
    html`<button
      type="button"
      class="plain"
      aria-label=${label}
      @click=${() => actions.column(action, i)}
    >
      ${text}
    </button>`;
  return html`<td>
    <span class="column-tools">
      ${i === view.state.at ? html`<span class="muted">In the form</span>` : one('edit', 'Edit', `Edit ${letter}`)}
      ${i === 0 ? nothing : one('swap', 'Swap with A', `Swap ${letter} with A`)}
      ${one('keep', 'Keep only this', `Keep only ${letter}`)} ${one('remove', 'Remove', `Remove ${letter}`)}
    </span>
  </td>`;
}

export function comparison(view: View, actions: Actions): unknown {
  const data = view.comparison;
  if (!data || data.scenarios.length < 2) return nothing;
  const { answers } = data;
  const tasks = new Set(answers.map(taskOf));
  // In the order of the cards; memory has its bars.
  const wanted = [...tasks].flatMap((task) =>
    kCards[task].flatMap((c) => [...c.metrics, ...c.below.map(([, id]) => id)]),
  );
  const isOpen = (key: string) => view.open.has(`compare:${key}`);
  const said = data.metrics.filter((m) => !kLines.some((end) => m.id.endsWith(end)));
  const key = [...new Set(wanted)]
    .filter((id) => !kInBars.includes(id))
    .flatMap((id) => said.find((m) => m.id === id) ?? []);
  const metrics = isOpen('all') ? said : key;
  const made = new Set(chosen(data.link, view.schema.fields).flat());
  const own = data.inputs.filter((row) => made.has(row.path));
  const inputs = isOpen('inputs') ? data.inputs : own;
  const toggle = (name: string, more: string, count: number) =>
    count > 0
      ? html`<button
          type="button"
          class="plain"
          aria-expanded=${isOpen(name) ? 'true' : 'false'}
          @click=${() => actions.toggle(`compare:${name}`, !isOpen(name))}
        >
          ${isOpen(name) ? `Without ${more}` : `${count} ${more}`}
        </button>`
      : nothing;
  return html`<section class="compare" aria-labelledby="compare-title">
    <div class="bar-head">
      <h2 id="compare-title" tabindex="-1">Side by side</h2>
      ${
        data.scenarios.length < kLetters.length
          ? html`<button
              type="button"
              class="button"
              @click=${() => actions.column('add', view.state.at)}
            >
              Add a copy of ${kLetters[view.state.at]}
            </button>`
          : nothing
      }
    </div>
    <div class="scroll" tabindex="0" role="group" aria-label="Comparison">
      <table>
        <thead>
          <tr>
            <td></td>
            ${data.scenarios.map(
              (_, i) =>
                html`<th scope="col" class=${i === view.state.at ? 'edited' : ''}>
                  <span class="letter">${kLetters[i]}</span> ${title(view, data, i)}
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          <tr>
            <td></td>
            ${data.scenarios.map((_, i) => columnTools(view, actions, i))}
          </tr>
          ${inputs.map(
            (row) =>
              html`<tr class="input">
                <th scope="row">${view.fields.get(row.path)?.label ?? row.path}</th>
                ${row.values.map((_, i) => html`<td>${inputText(view, row.path, i, data)}</td>`)}
              </tr>`,
          )}
        </tbody>
        <tbody>
          ${memoryRow(view, answers)}
          ${metrics.map(
            (row) =>
              html`<tr>
                <th scope="row">${view.metrics.get(row.id)?.label ?? row.id}</th>
                ${row.values.map((_, i) => metricCell(view, answers, row, i))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      data.inputs.length === 0
        ? html`<p class="note">
            So far they are the same. Change an input of ${kLetters[view.state.at]}.
          </p>`
        : html`<p class="compare-more">
            ${toggle('inputs', 'inputs that come with those', data.inputs.length - own.length)}
            ${toggle('all', 'more results that differ', said.length - key.length)}
          </p>`
    }
  </section>`;
}
