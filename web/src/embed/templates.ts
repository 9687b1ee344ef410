// SPDX-License-Identifier: MIT
// The views of an embed. All parts that a view may fall back to are there; the style sheet shows those
// that the width has room for.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Part } from '../api';
import { bar, classes, kRoom, legend, memoryOf, patterns, slices } from '../bars';
import { figure } from '../charts';
import { factsOf, type Fact } from '../facts';
import { kCards, kSigns, kWords } from '../report';
import { bytes } from '../units';
import { answerOf, kKinds, taskOf, textOf, valueOf } from '../view';
import { controls, reset } from './controls';
import type { Model, Moves } from './model';
import { kFallbacks, type ViewName } from './views';

const kNewTab = 'noopener';
const kMostNotices = 8;

/** A number with its exact value behind it. */
function number(model: Model, id: string, text?: string): unknown {
  const value = valueOf(answerOf(model), id);
  const metric = model.metrics.get(id);
  if (value === undefined || !metric) return '–';
  return html`<span class="number" data-metric=${id} title=${`${metric.label}: ${value}`}
    >${text ?? textOf(model, id, value)}</span
  >`;
}

const prose = (model: Model, parts: readonly Part[]): unknown[] =>
  parts.map((part) => (typeof part === 'string' ? part : number(model, part.metric)));

function open(model: Model): TemplateResult {
  return html`<a
    class="open"
    href=${`${model.home}#${model.state.link}`}
    target="_blank"
    rel=${kNewTab}
    aria-label="Open in Envelope"
    >Open<span class="wide"> in Envelope</span> <span aria-hidden="true">↗</span></a
  >`;
}

const month = (model: Model): TemplateResult =>
  html`<span class="month" title="Models, hardware and prices as the catalog had them in that month"
    >Data ${answerOf(model).d}</span
  >`;

function verdict(model: Model): TemplateResult {
  const { severity, message } = answerOf(model).verdict;
  return html`<p class=${`verdict ${severity}`}>
    <span class="sign" aria-hidden="true">${kSigns[severity]}</span>
    <span><span class="hidden">${kWords[severity]}: </span>${prose(model, message)}</span>
  </p>`;
}

const kind = ({ kind }: Fact): TemplateResult =>
  html`<span class=${`chip ${kind}`} title=${kKinds[kind]}>${kind}</span>`;

const kBand = 'Range from the error of the model on published runs';
const band = (fact: Fact): unknown =>
  fact.band ? html`<span class="band" title=${kBand}>${fact.band}</span>` : nothing;

/** The key numbers as tiles, or as lines where it is narrow. */
function numbers(model: Model, rows: readonly Fact[]): TemplateResult {
  return html`<dl class="numbers">
    ${rows.map(
      (fact) =>
        html`<div>
          <dt>${fact.label}</dt>
          <dd class="value">${number(model, fact.id, fact.text)}</dd>
          <dd class="small">${kind(fact)} ${band(fact)}</dd>
        </div>`,
    )}
  </dl>`;
}

function memory(model: Model): unknown {
  const all = memoryOf(answerOf(model));
  const fullest = all?.stages[all.fullest];
  if (!all || !fullest) return nothing;
  const over = fullest.total - all.capacity;
  const scale = Math.max(all.capacity, fullest.total) * kRoom;
  const ranks = classes(all.stages);
  const { label = '' } = ranks.find((c) => c.shown === fullest) ?? {};
  return html`<section class="memory" aria-label="Memory per GPU">
    <p class="bar-head">
      <strong>Memory per GPU${ranks.length > 1 ? html`<span class="of">, ${label.replace(/^\w/, (c) => c.toLowerCase())}</span>` : nothing}</strong>
      <span>
        ${number(model, 'layout.per_gpu')} of ${number(model, 'layout.capacity')},
        ${
          over > 0
            ? html`<strong class="over">${bytes(over)} too much</strong>`
            : `${bytes(-over)} free`
        }
      </span>
    </p>
    ${patterns(all.parts)} ${bar(model, all, fullest, scale, 'Memory per GPU')}
    ${legend(model, slices(all, fullest), all.capacity, (id, value) =>
      valueOf(answerOf(model), id) === value ? number(model, id) : bytes(value),
    )}
  </section>`;
}

function chart(model: Model, moves: Moves): unknown {
  const { charts, width } = model;
  const shown = charts[Math.min(model.chart, charts.length - 1)];
  if (!shown || width <= 0) return nothing;
  const name = (title: string) => title.split(' against ')[0];
  return html`<section class="chart-box" aria-label="Chart">
    ${
      charts.length > 1
        ? html`<div class="choose" role="group" aria-label="Which chart">
            ${charts.map(
              (c, i) =>
                html`<button
                  type="button"
                  aria-pressed=${c === shown ? 'true' : 'false'}
                  @click=${() => moves.chart(i)}
                >
                  ${name(c.title)}
                </button>`,
            )}
          </div>`
        : nothing
    }
    ${figure(model, moves, shown, width)}
  </section>`;
}

function table(model: Model, title: string, rows: readonly Fact[]): TemplateResult {
  return html`<table class="facts">
    <caption class="hidden">
      ${title}
    </caption>
    <thead>
      <tr>
        <th scope="col">Quantity</th>
        <th scope="col" class="figure">Value</th>
        <th scope="col">Kind</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (fact) =>
          html`<tr>
            <th scope="row">${fact.label}</th>
            <td class="figure">${number(model, fact.id, fact.text)} ${band(fact)}</td>
            <td>${kind(fact)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function notices(model: Model): unknown {
  const list = [...model.unused, ...model.request.notices];
  if (list.length === 0) return nothing;
  return html`<details class="notice">
    <summary>Not everything in the link was used</summary>
    <ul>
      ${list.slice(0, kMostNotices).map((text) => html`<li>${text}</li>`)}
      ${list.length > kMostNotices ? html`<li>… and ${list.length - kMostNotices} more</li>` : nothing}
    </ul>
  </details>`;
}

export function embed(model: Model, moves: Moves): TemplateResult {
  const { view } = model.request;
  const answer = answerOf(model);
  const facts = factsOf(model, answer);
  const key = facts.rows.slice(0, kCards[taskOf(answer)].length);
  const has = (part: ViewName) => kFallbacks[view].includes(part) || view === 'full';
  const stale = model.state.problems.some((p) => p.severity === 'error');
  return html`<article class=${`embed ${view}${stale ? ' stale' : ''}`} data-theme=${model.request.theme} aria-label=${facts.title}>
    ${notices(model)}
    <p class="line">${prose(model, answer.summary)} ${month(model)} ${open(model)}
      ${reset(model, moves)}</p>
    <div class="box">
      <h2 class="title">${facts.title}</h2>
      ${view === 'full' ? html`<p class="summary">${prose(model, answer.summary)}</p>` : nothing}
      ${has('card') ? html`<div class="card-part">${verdict(model)} ${numbers(model, key)}</div>` : nothing}
      ${has('bar') ? html`<div class="bar-part">${memory(model)}</div>` : nothing}
      ${has('chart') ? html`<div class="chart-part">${chart(model, moves)}</div>` : nothing}
      ${has('table') ? html`<div class="table-part">${table(model, facts.title, view === 'full' ? facts.rows.slice(key.length) : facts.rows)}</div>` : nothing}
    </div>
    ${controls(model, moves)}
    <footer class="foot">
      ${month(model)} ${reset(model, moves)}
      <a class="brand" href=${model.home} target="_blank" rel=${kNewTab}>
        <svg width="16" height="12" viewBox="0 0 22 16" aria-hidden="true">
          <rect x="1" y="1" width="20" height="14" rx="2" />
          <path d="M1.5 2.5 11 9.5l9.5-7" />
        </svg>
        Envelope</a
      >
      ${open(model)}
    </footer>
    <div class="hidden" role="status">${model.status}</div>
  </article>`;
}

/** Why there are no numbers, for whoever can do something about it. */
function reason(error: unknown): string {
  if (typeof WebAssembly === 'undefined') return ', because WebAssembly is switched off';
  if (typeof DecompressionStream === 'undefined') return ' by a browser of this age';
  if (/CSP|content security|unsafe-eval/i.test(String(error)))
    return ": the site's content security policy has no 'wasm-unsafe-eval' for scripts";
  return '';
}

/** In place of the numbers, where they cannot be had. */
export function failure(error: unknown, address: string): TemplateResult {
  return html`<p class="failure">
    The numbers cannot be worked out here${reason(error)}.
    <a href=${address} target="_blank" rel=${kNewTab}>Open the calculation in Envelope</a>
  </p>`;
}
