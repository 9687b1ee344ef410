// SPDX-License-Identifier: MIT
// The inputs that a reader may change: slider and text for numbers, lists for names and choices.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { live } from 'lit/directives/live.js';
import type { Choice, Field } from '../api';
import { options } from '../combobox';
import { kAutomatic, problemsOf, shown, text } from '../form';
import type { Path } from '../types.generated';
import { editable } from '../units';
import { answerOf, valueOf } from '../view';
import { changed, type Model, type Moves } from './model';
import { nearest } from './stops';

/** The value in use: the input's, or the result that stands in for an empty one. */
export function inUse(model: Pick<Model, 'state'>, field: Field): number | undefined {
  const answer = model.state.good;
  const value = answer?.inputs[field.path];
  if (typeof value === 'number') return value;
  const id = kAutomatic[field.path as Path];
  return answer && id ? valueOf(answer, id) : undefined;
}

function choices(model: Model, field: Field): Choice[] {
  if (field.type === 'choice') return field.choices ?? [];
  const list: Choice[] = options(model, field);
  const value = answerOf(model).inputs[field.path];
  return typeof value === 'string' && list.length > 0 && !list.some((c) => c.id === value)
    ? [{ id: value, label: value }, ...list]
    : list;
}

function number(model: Model, moves: Moves, field: Field, stops: number[], about: string) {
  const value = inUse(model, field);
  const typed = text(model, field);
  const bad = problemsOf(model, field.path).some((p) => p.severity === 'error');
  return html`<input
      type="text"
      inputmode="decimal"
      autocomplete="off"
      spellcheck="false"
      id=${`f-${field.path}`}
      aria-describedby=${about || nothing}
      aria-invalid=${bad ? 'true' : nothing}
      placeholder=${value === undefined ? 'auto' : editable(Number(value.toPrecision(4)), field.unit)}
      .value=${live(typed)}
      @input=${(e: Event) => moves.edit(field.path, (e.target as HTMLInputElement).value)}
      @blur=${() => moves.settle()}
      @keydown=${(e: KeyboardEvent) => {
        if (e.key !== 'ArrowUp' && e.key !== 'ArrowDown') return;
        e.preventDefault();
        moves.step(field.path, e.key === 'ArrowUp' ? 1 : -1);
      }}
    />${
      stops.length > 1 && value !== undefined
        ? html`<input
            type="range"
            aria-label=${`${field.label}, slider`}
            aria-valuetext=${shown(field, value)}
            min="0"
            max=${stops.length - 1}
            .value=${live(String(nearest(stops, value)))}
            @input=${(e: Event) => {
              const at = stops[Number((e.target as HTMLInputElement).value)];
              if (at !== undefined) moves.edit(field.path, at);
            }}
          />`
        : nothing
    }`;
}

function control(model: Model, moves: Moves, field: Field, stops: number[], about: string) {
  const id = `f-${field.path}`;
  const value = answerOf(model).inputs[field.path];
  const list = field.type === 'choice' || field.type === 'name' ? choices(model, field) : [];
  if (field.type === 'flag')
    return html`<input
      type="checkbox"
      id=${id}
      aria-describedby=${about || nothing}
      .checked=${live(value === true)}
      @change=${(e: Event) => moves.edit(field.path, (e.target as HTMLInputElement).checked)}
    />`;
  // A list of the browser's own reaches over the edge of a small frame; one of ours would be cut.
  if (list.length > 0)
    return html`<select
      id=${id}
      aria-describedby=${about || nothing}
      @change=${(e: Event) => {
        moves.edit(field.path, (e.target as HTMLSelectElement).value);
        moves.settle();
      }}
    >
      ${list.map(
        (c) => html`<option value=${c.id} .selected=${live(c.id === value)}>${c.label}</option>`,
      )}
    </select>`;
  return number(model, moves, field, stops, about);
}

export function controls(model: Model, moves: Moves): TemplateResult | typeof nothing {
  if (model.edits.length === 0) return nothing;
  return html`<form class="controls" aria-label="Inputs" @submit=${(e: Event) => e.preventDefault()}>
    ${model.edits.map(({ field, stops }) => {
      const problems = problemsOf(model, field.path);
      const about = problems.map((_, i) => `e-${field.path}-${i}`).join(' ');
      return html`<div class=${`field ${field.type}`}>
        <label for=${`f-${field.path}`}>${field.label}</label>
        ${control(model, moves, field, stops, about)}
        ${problems.map(
          (p, i) =>
            html`<p class=${`problem ${p.severity}`} id=${`e-${field.path}-${i}`}>
              ${p.message} ${p.hint}
            </p>`,
        )}
      </div>`;
    })}
  </form>`;
}

/** Back to what the link says; there once something has changed. */
export const reset = (model: Model, moves: Moves): TemplateResult | typeof nothing =>
  changed(model)
    ? html`<button type="button" class="reset" @click=${() => moves.reset()}>Reset</button>`
    : nothing;
