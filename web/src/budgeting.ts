// SPDX-License-Identifier: MIT
// The best model for a budget: what is asked of the core, in a worker of its own so that nothing waits for
// it, and the one or two models that it finds. Loaded with the sweep and the tornado.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { BestModel } from './api';
import { createClient, type Client, type Port } from './client';
import { count, duration, flops, money, percent, significant } from './units';
import { answerOf, valueOf, type View } from './view';
import { amount } from './wishes';

export interface Host {
  view(): View;
  spawn(): Port;
}

type Found = NonNullable<BestModel['optimal']>;

const kNames = ['usd', 'days', 'served'] as const;
type Name = (typeof kNames)[number];
const kLabels: Record<Name, string> = {
  usd: 'Dollars at most',
  days: 'Days at most',
  served: 'Tokens to be served',
};

const kRows: [string, (found: Found) => string | undefined][] = [
  ['Parameters', (m) => count(m.params)],
  ['Active parameters', (m) => (m.active === m.params ? undefined : count(m.active))],
  ['Tokens', (m) => count(m.tokens)],
  ['Loss', (m) => (m.loss === null ? undefined : significant(m.loss, 4))],
  ['GPUs', (m) => count(m.gpus)],
  ['Layout', (m) => m.layout],
  ['MFU', (m) => percent(m.mfu)],
  ['Time', (m) => duration(m.seconds)],
  ['Cost', (m) => (m.usd === null ? undefined : money(m.usd))],
  ['Compute to train', (m) => flops(m.train_flop)],
  ['Compute to serve', (m) => (m.served_flop === null ? undefined : flops(m.served_flop))],
];

export interface Budgeting {
  body(): TemplateResult;
}

export function budgeting(host: Host, draw: () => void): Budgeting {
  let client: Client | undefined;
  let typed: Record<Name, string> = { usd: '', days: '', served: '' };
  let asked = ''; // the request whose answer is shown or awaited
  let waits = false;
  let found: BestModel | null = null;
  let failure = '';

  /** Dollars that nobody typed are what the run costs as it is. */
  function request(): string {
    const view = host.view();
    const usual =
      typed.usd.trim() || typed.days.trim() ? null : valueOf(answerOf(view), 'cost.total');
    const numbers = Object.fromEntries(
      kNames.flatMap((name) => {
        const x = (name === 'usd' ? usual : null) ?? amount(typed[name]);
        return x === null || x === undefined ? [] : [[name, x]];
      }),
    );
    return JSON.stringify({ scenario: view.state.patch, ...numbers });
  }

  async function find(e: Event): Promise<void> {
    e.preventDefault();
    const mine = request();
    asked = mine;
    waits = true;
    failure = '';
    draw();
    try {
      client ??= createClient(host.spawn);
      const text = await client.ask('bestModel', mine, 'bestModel');
      if (asked !== mine || text === undefined) return;
      found = JSON.parse(String(text)) as BestModel;
    } catch (error) {
      failure = `It could not be worked out: ${String(error)}`;
    }
    waits = false;
    draw();
  }

  function input(name: Name, hint: string): TemplateResult {
    const text = typed[name];
    const bad = text.trim() !== '' && amount(text) === null;
    return html`<div class="field">
      <label for=${`best-${name}`}>${kLabels[name]}</label>
      <input
        id=${`best-${name}`}
        type="text"
        inputmode="decimal"
        autocomplete="off"
        spellcheck="false"
        placeholder=${hint}
        .value=${text}
        aria-invalid=${bad ? 'true' : 'false'}
        aria-describedby=${bad ? `best-${name}-problem` : nothing}
        @input=${(e: Event) => {
          typed = { ...typed, [name]: (e.target as HTMLInputElement).value };
          draw();
        }}
      />
      ${
        bad
          ? html`<p class="problem error" id=${`best-${name}-problem`}>
              Not a number above zero. Write 30, 2.5M or 1T.
            </p>`
          : nothing
      }
    </div>`;
  }

  function table({ optimal, served }: BestModel): unknown {
    const models = [optimal, served].filter((m): m is Found => m !== null);
    if (models.length === 0) return nothing;
    const heads = ['Least loss', 'As good, least compute with serving'];
    const rows = kRows.filter(([, say]) => models.some((m) => say(m) !== undefined));
    return html`<div class="scroll" tabindex="0" role="group" aria-label="The best model">
      <table class="best-models">
        <thead>
          <tr>
            <td></td>
            ${models.map((_, i) => html`<th scope="col">${heads[i]}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ([label, say]) =>
              html`<tr>
                <th scope="row">${label}</th>
                ${models.map((m) => html`<td>${say(m) ?? '–'}</td>`)}
              </tr>`,
          )}
          <tr>
            <td></td>
            ${models.map(
              (m, i) =>
                html`<td>
                  <a href=${`#${m.link}`} aria-label=${`Open: ${heads[i]}`}>Open</a>
                </td>`,
            )}
          </tr>
        </tbody>
      </table>
    </div>`;
  }

  function body(): TemplateResult {
    const cost = valueOf(answerOf(host.view()), 'cost.total');
    const old = found && !waits && asked !== request();
    return html`<form class="sweep-choice" @submit=${find}>
        ${input('usd', cost === undefined || typed.days.trim() ? 'any' : `as it is, ${money(cost)}`)}
        ${input('days', 'any')} ${input('served', 'none')}
        <button class="button" ?disabled=${waits}>Find the best model</button>
      </form>
      <div role="status">
        ${waits ? html`<p class="muted">Being worked out …</p>` : nothing}
        ${old ? html`<p class="muted">Something has changed since: find again.</p>` : nothing}
      </div>
      ${failure ? html`<p class="problem error">${failure}</p>` : nothing}
      ${
        found
          ? html`<div class=${old || waits ? 'old' : ''}>
              ${found.problems.map(
                (p) => html`<p class=${`problem ${p.severity}`}>${p.message} ${p.hint}</p>`,
              )}
              ${table(found)} ${found.notes.map((note) => html`<p class="muted best-note">${note}</p>`)}
              <p class="muted best-note">
                By the scaling law ${found.law}; each with the layout that the planner finds for it.
              </p>
            </div>`
          : html`<p class="muted">
              The size and the tokens that the scaling law gives for the budget, and, where tokens are
              to be served, a smaller model trained for longer that is as good.
            </p>`
      }`;
  }

  return { body };
}
