// SPDX-License-Identifier: MIT
// The dialog that takes a measurement and asks the core which constant of the software gives it. Loaded when
// it is first asked for.
import { html, nothing, render } from 'lit/html.js';
import type { Answer, Calibration, Measured, Patch, Problem } from './api';
import { textOf, valueOf, type Tables } from './view';

export interface Host {
  tables: Tables;
  answer: Answer;
  solve(measured: Omit<Measured, 'scenario'>): Promise<Calibration | undefined>;
  use(patch: Patch, said: string): void;
}

type Quantity = Measured['quantity'];

const kQuantities: [Quantity, string, string, string][] = [
  ['step_s', 'Time of one step', 'seconds', 'time.step'],
  ['tokens_per_s_per_gpu', 'Tokens per second per GPU', 'tokens/s', 'time.tokens_per_s_per_gpu'],
  ['mfu', 'MFU', '%', 'time.mfu'],
];

let dialog: HTMLDialogElement | null = null;
let host: Host;
let quantity: Quantity = 'step_s';
let text = '';
let problems: readonly Problem[] = [];
let failure = '';

/** Null where it is no number. A decimal comma is as good as a point; MFU may be 0.41, 41 or 41 %. */
export function measured(of: Quantity, typed: string): number | null {
  const plain = typed
    .trim()
    .replace(/^(\d{1,3})(,\d{3})+(?=$|[^\d])/, (n) => n.replaceAll(',', ''));
  const found = /^(\d*[.,]?\d+(?:e[+-]?\d+)?)\s*(%|s|ms|tokens\/s)?$/i.exec(plain);
  if (!found) return null;
  const value = Number((found[1] ?? '').replace(',', '.'));
  if (!(value > 0)) return null;
  if (of === 'mfu') return found[2] === '%' || value > 1 ? value / 100 : value;
  return of === 'step_s' && found[2]?.toLowerCase() === 'ms' ? value / 1000 : value;
}

async function apply(): Promise<void> {
  const value = measured(quantity, text);
  const by = host;
  [problems, failure] = [[], ''];
  if (value === null) {
    failure = 'This is no positive number. Enter one such as 3.2.';
    return draw();
  }
  try {
    const found = await by.solve({ quantity, value });
    if (!found) return;
    problems = found.problems;
    if (Object.keys(found.patch).length > 0) {
      close();
      text = '';
      return by.use(found.patch, 'Calibrated with your measurement.');
    }
    if (problems.length === 0) failure = 'Nothing could be solved for.';
  } catch (error) {
    failure = `It could not be worked out: ${String(error)}`;
  }
  draw();
}

const close = () => dialog?.close();

function draw(): void {
  if (!dialog) return;
  const [, label, unit, metric] = kQuantities.find(([q]) => q === quantity) ?? kQuantities[0]!;
  const predicted = valueOf(host.answer, metric);
  const bad = failure !== '' || problems.length > 0;
  render(
    html`<h2 id="calibrate-title">Calibrate with a measurement</h2>
      <p>
        You measured this scenario? One constant, the overhead of the software, is solved for; everything else
        follows, and the link carries it.
      </p>
      <form
        @submit=${(e: Event) => {
          e.preventDefault();
          void apply();
        }}
      >
        <fieldset>
          <legend>What you measured</legend>
          ${kQuantities.map(
            ([q, name]) =>
              html`<label
                ><input
                  type="radio"
                  name="quantity"
                  value=${q}
                  .checked=${q === quantity}
                  @change=${() => {
                    quantity = q;
                    [problems, failure] = [[], ''];
                    draw();
                  }}
                />
                ${name}</label
              >`,
          )}
        </fieldset>
        <label for="calibrate-value">${label}, ${unit}</label>
        <input
          id="calibrate-value"
          type="text"
          inputmode="decimal"
          autocomplete="off"
          spellcheck="false"
          aria-invalid=${bad ? 'true' : nothing}
          aria-describedby="calibrate-said"
          .value=${text}
          @input=${(e: Event) => {
            text = (e.target as HTMLInputElement).value;
          }}
        />
        <div id="calibrate-said" role="status">
          ${failure ? html`<p class="problem error">${failure}</p>` : nothing}
          ${problems.map((p) => html`<p class=${`problem ${p.severity}`}>${p.message} ${p.hint}</p>`)}
          ${
            bad || predicted === undefined
              ? nothing
              : html`<p class="muted">Predicted: ${textOf(host.tables, metric, predicted)}.</p>`
          }
        </div>
        <p class="import-actions">
          <button class="button primary">Calibrate</button>
          <button type="button" class="button" @click=${close}>Cancel</button>
        </p>
      </form>`,
    dialog,
  );
}

export function openCalibration(by: Host): void {
  host = by;
  [problems, failure] = [[], ''];
  if (!dialog) {
    dialog = document.createElement('dialog');
    dialog.className = 'import calibrate';
    dialog.setAttribute('aria-labelledby', 'calibrate-title');
    document.body.append(dialog);
  }
  draw();
  if (!dialog.open) dialog.showModal();
  document.getElementById('calibrate-value')?.focus();
}
