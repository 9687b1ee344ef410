// SPDX-License-Identifier: MIT
// A link may carry up to three more scenarios, each as its difference from the first: b.gpu=b200. This
// shows them side by side.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Comparison, Value } from './api';
import { shown } from './form';
import { kCards } from './report';
import { percent, times } from './units';
import { answerOf, taskOf, textOf, type Actions, type View } from './view';

const kScopes = ['A', 'B', 'C', 'D'];
const kFar = 3; // from here on a factor says more than a percentage

/** How far `x` is from `a`: `+12.0 %`, or `4.20 ×`. */
export function change(a: number, x: number): string {
  if (a === 0 || !Number.isFinite(x / a)) return '';
  const ratio = x / a;
  if (ratio >= kFar || ratio <= 0) return ratio > 0 ? times(ratio) : '';
  if (Math.abs(ratio - 1) < 5e-4) return '';
  return `${ratio > 1 ? '+' : '−'}${percent(Math.abs(ratio - 1))}`;
}

function inputCell(view: View, path: string, value: Value | null): string {
  const field = view.fields.get(path);
  if (value === null || value === 'auto') return 'auto';
  return field ? shown(field, value) : String(value);
}

function metricCell(view: View, id: string, value: number | null, first: number | null) {
  if (value === null) return html`<td>–</td>`;
  const by = first === null || value === first ? '' : change(first, value);
  return html`<td>
    ${textOf(view, id, value)} ${by ? html`<span class="muted">${by}</span>` : nothing}
  </td>`;
}

export function comparison(view: View, actions: Actions): unknown {
  const data: Comparison | null = view.comparison;
  if (!data || data.scenarios.length < 2) return nothing;
  const wanted = kCards[taskOf(answerOf(view))].flatMap((c) => [
    ...c.metrics,
    ...c.below.map(([, id]) => id),
  ]);
  const metrics = data.metrics.filter((m) => wanted.some((id) => id === m.id));
  const label = (id: string) => view.metrics.get(id)?.label ?? id;
  return html`<section class="compare" aria-labelledby="compare-title">
    <div class="bar-head">
      <h2 id="compare-title">Side by side</h2>
      <button type="button" class="plain" @click=${() => actions.endComparison()}>Only A</button>
    </div>
    <div class="scroll" tabindex="0" role="group" aria-label="Comparison">
      <table>
        <thead>
          <tr>
            <td></td>
            ${data.scenarios.map(
              (s, i) => html`<th scope="col"><a href=${`#${s.link}`}>${kScopes[i]}</a></th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${data.inputs.map(
            (row): TemplateResult =>
              html`<tr class="input">
                <th scope="row">${view.fields.get(row.path)?.label ?? row.path}</th>
                ${row.values.map((v) => html`<td>${inputCell(view, row.path, v)}</td>`)}
              </tr>`,
          )}
          ${metrics.map(
            (row): TemplateResult =>
              html`<tr>
                <th scope="row">${label(row.id)}</th>
                ${row.values.map((v) => metricCell(view, row.id, v, row.values[0] ?? null))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}
