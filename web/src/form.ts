// SPDX-License-Identifier: MIT
// The form, from the field table. Inputs are built once; afterwards only their values and messages
// change, and never under the cursor.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { live } from 'lit/directives/live.js';
import type { Answer, Field, Problem, Value } from './api';
import { alsoAsked, askFor, isIdle, limits, results, worked } from './asking';
import { combobox } from './combobox';
import type { MetricId, Path } from './types.generated';
import { ways } from './report';
import { editable, format } from './units';
import { answerOf, door, taskOf, valueOf, type Actions, type View } from './view';

/** Which result stands in for an optional input that was left empty, or belongs under an input. */
export const kAutomatic: { [path in Path]?: MetricId } = {
  'run.tokens': 'compute.tokens',
  'run.mfu': 'time.mfu',
  'cluster.gpus': 'gpus.used',
  'price.usd_per_gpu_hour': 'cost.price',
  'model.params': 'params.total',
  'model.active': 'params.active',
  'tune.trainable': 'params.trainable',
};
const kNotes: { [path in Path]?: [MetricId, string][] } = {
  'model.id': [
    ['params.total', 'parameters'],
    ['params.active', 'active per token'],
  ],
  'run.tokens': [['scaling.tokens_per_param', 'as many tokens as parameters']],
  'run.mfu': [['time.achieved', 'per GPU']],
  'gpu.id': [['time.peak', 'dense peak']],
  'cluster.gpus': [['gpus.to_fit', 'would hold it']],
  'run.deadline': [['time.total', 'as it is']],
  'solve.usd': [['cost.total', 'as it is']],
  'solve.per_user': [['serving.tokens_per_s_per_user', 'as it is']],
  'solve.per_million': [['cost.per_million_tokens', 'as it is']],
};
const kHidden = new Set<string>(['run.task'] satisfies Path[]); // the tabs
const kUnits: Record<string, string> = {
  'flop/s': 'FLOP/s',
  'byte/s': 'B/s',
  byte: 'bytes',
  flop: 'FLOP',
  token: 'tokens',
  second: 'time',
  usd: '$',
  'usd/hour': '$ per hour',
  watt: 'W',
  ratio: '%',
};

const given = (value: Value | null | undefined): value is Value =>
  value !== null && value !== undefined && value !== 'auto';

function isBasic(field: Field, answer: Answer): boolean {
  if (answer.solved?.path === field.path) return true;
  if (!field.basic || kHidden.has(field.path)) return false;
  const size = field.path === 'model.params';
  return !size || answer.inputs['model.id'] === 'by-size' || given(answer.inputs['model.params']);
}

export function problemsOf(view: Pick<View, 'state'>, path: string): Problem[] {
  return view.state.problems.filter((p) => p.path === path);
}

/** The text in a number's input: as typed while typing or refused, otherwise as understood. */
export function text(view: Pick<View, 'state'>, field: Field): string {
  const { draft, patch, good } = view.state;
  if (draft?.path === field.path) return draft.text;
  const asked = patch[field.path];
  if (problemsOf(view, field.path).some((p) => p.severity === 'error')) return String(asked ?? '');
  const value = good?.inputs[field.path];
  if (!given(value)) return '';
  return typeof value === 'number' ? editable(value, field.unit) : String(value);
}

function placeholder(view: View, field: Field): string {
  if (limits(answerOf(view)).includes(field.path)) return 'no limit';
  const id = kAutomatic[field.path as Path];
  const value = id ? valueOf(answerOf(view), id) : undefined;
  return value === undefined
    ? 'auto'
    : `auto: ${editable(Number(value.toPrecision(4)), field.unit)}`;
}

/** A value in words, for the closed summary of a group. */
export function shown(field: Field, value: Value): string {
  if (field.type === 'flag') return value ? 'yes' : 'no';
  if (typeof value === 'number') return format(value, field.unit);
  return field.choices?.find((c) => c.id === value)?.label ?? String(value);
}

function control(view: View, actions: Actions, field: Field, described: string): TemplateResult {
  const id = `f-${field.path}`;
  const problems = problemsOf(view, field.path);
  const bad = problems.some((p) => p.severity === 'error');
  const answer = answerOf(view);
  const value = answer.inputs[field.path];
  if (answer.solved?.path === field.path)
    return worked(id, shown(field, answer.solved.value ?? NaN));
  if (field.type === 'flag')
    return html`<input
      type="checkbox"
      id=${id}
      aria-describedby=${described || nothing}
      ?checked=${value === true}
      .checked=${live(value === true)}
      @change=${(e: Event) => actions.edit(field.path, (e.target as HTMLInputElement).checked)}
    />`;
  if (field.type === 'choice')
    return html`<select
      id=${id}
      aria-describedby=${described || nothing}
      aria-invalid=${bad ? 'true' : nothing}
      @change=${(e: Event) => actions.edit(field.path, (e.target as HTMLSelectElement).value)}
    >
      ${field.choices?.map(
        (c) =>
          html`<option value=${c.id} ?selected=${c.id === value} .selected=${live(c.id === value)}>
            ${c.label}
          </option>`,
      )}
    </select>`;
  if (field.type === 'name') return combobox(view, actions, field, described, bad);
  return html`<input
    type="text"
    inputmode="decimal"
    autocomplete="off"
    spellcheck="false"
    id=${id}
    placeholder=${field.optional ? placeholder(view, field) : ''}
    aria-describedby=${described || nothing}
    aria-invalid=${bad ? 'true' : nothing}
    .value=${live(text(view, field))}
    @input=${(e: Event) => actions.edit(field.path, (e.target as HTMLInputElement).value)}
    @blur=${() => actions.settle()}
    @keydown=${(e: KeyboardEvent) => {
      if (e.key !== 'ArrowUp' && e.key !== 'ArrowDown') return;
      e.preventDefault();
      actions.step(field.path, e.key === 'ArrowUp' ? 1 : -1);
    }}
  />`;
}

function notes(view: View, actions: Actions, field: Field): unknown {
  const answer = answerOf(view);
  const list = (kNotes[field.path as Path] ?? []).filter(([id], i, all) => {
    const value = valueOf(answer, id);
    return value !== undefined && (i === 0 || value !== valueOf(answer, all[0]?.[0] ?? ''));
  });
  return list.map(([id, word], i) => html`${i ? ' · ' : ''}${door(view, actions, id)} ${word}`);
}

/** What the catalog says of the row that was chosen. */
function chosenNote(view: View, field: Field): string {
  const { quotes } = answerOf(view);
  if (field.path === 'stack.id') return quotes?.stack?.note ?? '';
  if (field.path === 'states.recipe') return quotes?.recipe?.note ?? '';
  return '';
}

function row(view: View, actions: Actions, field: Field, basic: boolean): TemplateResult {
  const problems = problemsOf(view, field.path);
  const isWorked = answerOf(view).solved?.path === field.path;
  const changed = field.path in view.state.patch && field.type !== 'name' && !isWorked;
  const ids = [`h-${field.path}`, ...problems.map((_, i) => `e-${field.path}-${i}`)].join(' ');
  const unit = field.type === 'number' && !isWorked ? (kUnits[field.unit] ?? '') : '';
  return html`<div class="field ${field.type} ${problems.length ? 'has-problem' : ''}">
    <span class="caption">
      <label for=${`f-${field.path}`}>${field.label}</label>
      ${
        changed
          ? html`<button
              type="button"
              class="reset"
              title="Back to the default"
              aria-label=${`${field.label}: back to the default`}
              @click=${() => actions.reset(field.path)}
            >
              ↺
            </button>`
          : nothing
      }
      ${unit ? html`<span class="unit" aria-hidden="true">${unit}</span>` : nothing}
      ${askFor(view, actions, field)}
    </span>
    ${control(view, actions, field, ids)}
    ${basic && field.path in kNotes ? html`<p class="note">${notes(view, actions, field)}</p>` : nothing}
    ${chosenNote(view, field) ? html`<p class="note">${chosenNote(view, field)}</p>` : nothing}
    ${
      field.path === 'model.id'
        ? html`<p>
            <button type="button" class="plain import-button" @click=${() => actions.importConfig()}>
              Import config.json
            </button>
          </p>`
        : nothing
    }
    <p class="help ${basic ? 'hidden' : ''}" id=${`h-${field.path}`}>${field.help}</p>
    ${problems.map(
      (p, i) =>
        html`<p class="problem ${p.severity}" id=${`e-${field.path}-${i}`}>
          ${p.message} ${p.hint} ${ways(actions, p)}
        </p>`,
    )}
  </div>`;
}

function summary(view: View, fields: Field[]): string {
  const answer = answerOf(view);
  return fields
    .filter((f) => f.path in view.state.patch)
    .map((f) => {
      const value = answer.inputs[f.path];
      return `${f.label} ${given(value) ? shown(f, value) : String(view.state.patch[f.path])}`;
    })
    .join(' · ');
}

/** Whether every word is in the name, the path or the choices of a field, or in the name of its group. */
export function matches(field: Field, group: string, words: string): boolean {
  const choices = field.choices?.map((c) => c.label).join(' ') ?? '';
  const hay = `${field.label} ${field.path} ${field.key} ${group} ${choices}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

export function form(view: View, actions: Actions): TemplateResult {
  const answer = answerOf(view);
  const task = taskOf(answer);
  const fields = view.schema.fields.filter(
    (f) => f.tasks.includes(task) && !kHidden.has(f.path) && !isIdle(answer, f),
  );
  const kept = limits(answer).flatMap((path) => fields.find((f) => f.path === path) ?? []);
  const basic = [...fields.filter((f) => isBasic(f, answer) && !kept.includes(f)), ...kept];
  const find = view.find.trim();
  const groups = view.schema.groups
    .map((group) => ({
      group,
      rows: fields.filter(
        (f) =>
          f.group === group.id && !basic.includes(f) && (!find || matches(f, group.label, find)),
      ),
    }))
    .filter(({ rows }) => rows.length > 0);
  return html`<form
    class="inputs"
    aria-label="Scenario"
    autocomplete="off"
    @submit=${(e: Event) => e.preventDefault()}
  >
    <h2 class="hidden">Scenario</h2>
    ${view.comparison?.tabs(view, actions) ?? nothing}
    ${basic.map((f) => row(view, actions, f, true))} ${results(view, actions)}
    ${alsoAsked(
      view,
      actions,
      fields.filter((f) => !basic.includes(f)),
    )}
    <p class="find">
      <label class="hidden" for="find">Find another input</label>
      <input
        type="search"
        id="find"
        placeholder="Find another input"
        autocomplete="off"
        spellcheck="false"
        .value=${live(view.find)}
        @input=${(e: Event) => actions.find((e.target as HTMLInputElement).value)}
      />
    </p>
    ${find && groups.length === 0 ? html`<p class="note">No other input is called “${find}”.</p>` : nothing}
    ${groups.map(({ group, rows }) => {
      const key = `group:${group.id}`;
      const isOpen = view.open.has(key) || find !== '';
      return html`<details
        class="group"
        ?open=${isOpen}
        @toggle=${(e: Event) => {
          if (!find) actions.toggle(key, (e.target as HTMLDetailsElement).open);
        }}
      >
        <summary>
          <span class="name">${group.label}</span>
          <span class="changes">${summary(view, rows)}</span>
        </summary>
        ${isOpen ? html`<div class="rows">${rows.map((f) => row(view, actions, f, false))}</div>` : nothing}
      </details>`;
    })}
  </form>`;
}
