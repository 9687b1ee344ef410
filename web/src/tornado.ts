// SPDX-License-Identifier: MIT
// What matters most: how far a result moves when each input alone goes to the ends of its plausible range.
// Loaded with its panel; the core works it out.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Patch, Sensitivity, Swing, Value } from './api';
import { shown } from './form';
import { extent, linear } from './scale';
import { format } from './units';
import type { Tables } from './view';

const kFew = 10; // rows before someone asks for all

export interface Deeds {
  use(patch: Patch, said: string): void;
  sweep(path: string): void;
  all: boolean;
  showAll(): void;
  asTable: boolean;
  turn(): void;
}

/** An end of a range in words. */
function endText(tables: Tables, row: Swing, value: Value): string {
  const field = tables.fields.get(row.path);
  return field ? shown(field, value) : String(value);
}

/** Ends and present value as shares of the width, with a little room at both sides. */
export function scaleOf(data: Sensitivity): (value: number) => number {
  const ends = data.rows.flatMap((row) => [row.at_low, row.at_high]);
  const [low, high] = extent([...ends, data.value ?? NaN]) ?? [0, 1];
  const x = linear([low, high > low ? high : low + 1], [1, 99]);
  return (value) => x(value);
}

interface End {
  input: Value;
  value: number;
  note: string;
}

/** The end with the smaller result first: it lies on the left. */
export function endsOf(row: Swing): [End, End] {
  const low = { input: row.low, value: row.at_low, note: row.low_note };
  const high = { input: row.high, value: row.at_high, note: row.high_note };
  return low.value <= high.value ? [low, high] : [high, low];
}

function ends(tables: Tables, data: Sensitivity, row: Swing, by: Deeds): TemplateResult {
  const end = ({ input, value, note }: End, side: string) => {
    const name = endText(tables, row, input);
    const text = html`<b>${name}</b> ${format(value, data.unit)}`;
    const press = () => by.use({ [row.path]: input }, `Changed: ${row.label} ${name}.`);
    return html`<span class=${side}
      >${
        input === row.now
          ? html`<span class="end">${text}</span>`
          : html`<button type="button" class="plain end" title="Apply" @click=${press}>${text}</button>`
      }${note ? html`<small>${note}</small>` : nothing}</span
    >`;
  };
  const [less, more] = endsOf(row);
  return html`<div class="ends">${end(less, 'less')} ${end(more, 'more')}</div>`;
}

function bar(data: Sensitivity, row: Swing): TemplateResult {
  const x = scaleOf(data);
  const now = x(data.value ?? 0);
  const part = ({ value }: End, name: string) => {
    const at = x(value);
    return svg`<rect class=${name} x=${`${Math.min(at, now)}%`} width=${`${Math.max(0.3, Math.abs(at - now))}%`} y="3" height="12" />`;
  };
  const [less, more] = endsOf(row);
  const parts: [End, string][] = [
    [less, 'less'],
    [more, 'more'],
  ];
  // The longer one lies below where both ends are on one side.
  parts.sort(([a], [b]) => Math.abs(x(b.value) - now) - Math.abs(x(a.value) - now));
  return html`<svg width="100%" height="18" aria-hidden="true" focusable="false">
    ${parts.filter(([end]) => end.value !== data.value).map(([end, name]) => part(end, name))}
    ${svg`<line class="now" x1=${`${now}%`} x2=${`${now}%`} y1="0" y2="18" />`}
  </svg>`;
}

function table(tables: Tables, data: Sensitivity): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="What matters most, table">
    <table>
      <thead>
        <tr>
          <th scope="col">Input</th>
          <th scope="col">From</th>
          <th scope="col">${data.label}</th>
          <th scope="col">To</th>
          <th scope="col">${data.label}</th>
          <th scope="col">Why this range</th>
        </tr>
      </thead>
      <tbody>
        ${data.rows.map(
          (row) =>
            html`<tr>
              <th scope="row">${row.label}</th>
              <td>${endText(tables, row, row.low)}</td>
              <td>${format(row.at_low, data.unit)}</td>
              <td>${endText(tables, row, row.high)}</td>
              <td>${format(row.at_high, data.unit)}</td>
              <td class="why">${[row.why, row.low_note, row.high_note].filter(Boolean).join(' ')}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

export function tornado(tables: Tables, data: Sensitivity, by: Deeds): TemplateResult {
  const rows = by.all || by.asTable ? data.rows : data.rows.slice(0, kFew);
  return html`<figure class="chart tornado">
    <figcaption>
      <h4>${data.label}, now ${data.value === null ? '–' : format(data.value, data.unit)}</h4>
      <button type="button" class="plain" aria-pressed=${by.asTable ? 'true' : 'false'} aria-label="What matters most: table" @click=${() => by.turn()}>
        Table
      </button>
    </figcaption>
    ${
      by.asTable
        ? table(tables, data)
        : html`<ol>
            ${rows.map(
              (row) =>
                html`<li data-path=${row.path}>
                  <div class="head">
                    <strong>${row.label}</strong>
                    <button type="button" class="plain" aria-label=${`Sweep ${row.label}`} @click=${() => by.sweep(row.path)}>
                      Sweep
                    </button>
                  </div>
                  ${bar(data, row)} ${ends(tables, data, row, by)}
                  <p class="why">${row.why}</p>
                </li>`,
            )}
          </ol>`
    }
    ${
      rows.length < data.rows.length
        ? html`<button type="button" class="button" @click=${() => by.showAll()}>
            Show all ${data.rows.length}
          </button>`
        : nothing
    }
    <p class="read">
      Each input alone, from one end of its range to the other; what does not matter is left out. The line is the
      present scenario.
    </p>
  </figure>`;
}
