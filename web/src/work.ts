// SPDX-License-Identifier: MIT
// Show the work: how one number comes about, from its formula to its source, and the list of them all.
import { html, mathml, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Metric, Source, Step } from './api';
import { equation, names, number, parse, symbol, type Draw, type Node } from './formula';
import { shown } from './form';
import { exact, format } from './units';
import {
  answerOf,
  chip,
  cited,
  kKinds,
  stageTitle,
  stepOf,
  textOf,
  valueOf,
  type Actions,
  type View,
} from './view';

const kFeeds = new WeakMap<readonly Step[], Map<string, string[]>>();

/** Which steps read a step or an input. */
export function feeds(steps: readonly Step[]): Map<string, string[]> {
  const known = kFeeds.get(steps);
  if (known) return known;
  const found = new Map<string, string[]>();
  kFeeds.set(steps, found);
  for (const step of steps)
    for (const id of names(parse(step.formula))) found.set(id, [...(found.get(id) ?? []), step.id]);
  return found;
}

function inputNumber(view: View, path: string): number | undefined {
  const value = answerOf(view).inputs[path];
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'number' ? value : undefined;
}

/** Symbols: from the metric table; an input goes by its label. */
function symbols(view: View): Draw {
  return {
    name: (id) => {
      const metric = view.metrics.get(id);
      if (metric) return symbol(metric.symbol || metric.label);
      return mathml`<mtext>${view.fields.get(id)?.label.toLowerCase() ?? id}</mtext>`;
    },
  };
}

function values(view: View): Draw {
  const of = (id: string) => valueOf(answerOf(view), id) ?? inputNumber(view, id);
  return {
    name: (id) => {
      const value = of(id);
      return value === undefined ? mathml`<mtext>${id}</mtext>` : number(value);
    },
    wide: (id) => Math.abs(of(id) ?? 0) >= 1e6 || Math.abs(of(id) ?? 1) < 1e-3,
  };
}

function source(key: string, from: Record<string, Source>): TemplateResult {
  const s = from[key];
  if (!s) return html`<li>${key}</li>`;
  return html`<li>
    ${cited(s)}:
    ${s.title}
  </li>`;
}

function neighbour(view: View, actions: Actions, id: string): TemplateResult {
  const metric = view.metrics.get(id);
  if (metric) {
    const value = valueOf(answerOf(view), id);
    return html`<li>
      <button type="button" class="plain" @click=${() => actions.show(id)}>${metric.label}</button>
      <span class="value">${value === undefined ? '–' : textOf(view, id, value)}</span>
      ${chip(metric.kind)}
    </li>`;
  }
  const field = view.fields.get(id);
  const value = answerOf(view).inputs[id];
  return html`<li>
    <button type="button" class="plain" @click=${() => actions.field(id)}>
      ${field?.label ?? id}
    </button>
    <span class="value"
      >${field && value !== null && value !== undefined ? shown(field, value) : '–'}</span
    >
    <span class="chip input">input</span>
  </li>`;
}

function linked(url: string | undefined, text: string): unknown {
  return url?.startsWith('http')
    ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${text}</a>`
    : text;
}

const kMostPrices = 8;

/** The rows of the catalog behind a number: who said it, and when. */
function facts(view: View, id: string): unknown {
  const quotes = answerOf(view).quotes;
  const prices = quotes?.price?.rows ?? [];
  if (id === 'cost.price' && !quotes?.price?.own && prices.length)
    return html`<dt>Prices</dt>
      <dd>
        <ul class="links">
          ${prices.slice(0, kMostPrices).map(
            (p) =>
              html`<li>
                ${linked(p.url, p.provider_name ?? p.provider)}
                <span class="muted">${p.date}</span>
                <span class="value">${format(p.usd_per_hour, 'usd/hour')}</span>
              </li>`,
          )}
          ${
            prices.length > kMostPrices
              ? html`<li class="muted">and ${prices.length - kMostPrices} more</li>`
              : nothing
          }
        </ul>
      </dd>`;
  const row = /^(time\.peak|layout\.capacity)$/.test(id)
    ? quotes?.gpu
    : /^(params\.total|params\.active|compute\.tokens)$/.test(id)
      ? quotes?.model
      : undefined;
  if (!row) return nothing;
  return html`<dt>Facts</dt>
    <dd>
      ${row.name}:
      ${linked(row.source, row.source?.startsWith('http') ? new URL(row.source).hostname : (row.source ?? ''))}
      <span class="muted">as of ${row.as_of}</span>
      ${
        row.published_params
          ? html`<br />Published: ${format(row.published_params, 'count')} parameters`
          : nothing
      }
    </dd>`;
}

/** The whole derivation as text, for an issue or a note. */
export function asText(view: View, metric: Metric, step: Step): string {
  const lines = [
    `${metric.label} (${metric.id}, ${metric.kind})`,
    `${metric.symbol} = ${step.formula || '(given)'} = ${exact(step.value)} ${metric.unit}`,
    ...names(parse(step.formula)).map((id) => {
      const value = valueOf(answerOf(view), id) ?? inputNumber(view, id);
      return `  ${id} = ${value === undefined ? String(answerOf(view).inputs[id]) : exact(value)}`;
    }),
    ...metric.source.map((key) => {
      const s = view.schema.sources[key];
      return s
        ? `Source: ${[s.author, s.year, s.title, s.url].filter(Boolean).join('. ')}`
        : `Source: ${key}`;
    }),
  ];
  return lines.join('\n');
}

function math(view: View, metric: Metric, tree: Node | null, value: number): TemplateResult {
  const left = symbol(metric.symbol || metric.label);
  return html`<div class="math" tabindex="0" role="group" aria-label="Formula">
    ${tree ? equation(left, tree, symbols(view)) : nothing}
    ${tree && tree.type !== 'name' ? equation(left, tree, values(view)) : nothing}
    <span class="equation"
      ><math>${left}<mo>=</mo>${number(value)}</math>
      <span class="unit"
        >${/^(count|number|ratio|factor|)$/.test(metric.unit) ? '' : format(1, metric.unit).replace(/^\$?1(\.00)?\s*/, '')}</span
      ></span
    >
  </div>`;
}

export function derivation(view: View, actions: Actions, id: string): TemplateResult {
  const metric = view.metrics.get(id);
  const step = stepOf(answerOf(view), id);
  if (!metric || !step) return html`<p>Not part of this scenario.</p>`;
  const tree = parse(step.formula);
  const reads = names(tree);
  const readBy = feeds(answerOf(view).steps).get(id) ?? [];
  const low = stepOf(answerOf(view), `${id}_low`);
  const high = stepOf(answerOf(view), `${id}_high`);
  return html`<div class="derivation">
    ${tree || !step.formula ? math(view, metric, tree, step.value) : nothing}
    ${!tree && step.formula ? html`<p><code>${step.formula}</code></p>` : nothing}
    <p>${metric.help}</p>
    ${
      low && high
        ? html`<p>Band: ${textOf(view, id, low.value)} to ${textOf(view, id, high.value)}.</p>`
        : nothing
    }
    <dl>
      <dt>Kind</dt>
      <dd>${chip(metric.kind)} ${kKinds[metric.kind]}</dd>
      <dt>Exactly</dt>
      <dd><code>${exact(step.value)}</code> ${metric.unit === 'count' ? '' : metric.unit}</dd>
      ${
        reads.length
          ? html`<dt>From</dt>
              <dd>
                <ul class="links">
                  ${reads.map((r) => neighbour(view, actions, r))}
                </ul>
              </dd>`
          : nothing
      }
      ${
        readBy.length
          ? html`<dt>Used by</dt>
              <dd>
                <ul class="links">
                  ${readBy.map((r) => neighbour(view, actions, r))}
                </ul>
              </dd>`
          : nothing
      }
      ${
        metric.source.length
          ? html`<dt>Source</dt>
              <dd>
                <ul class="sources">
                  ${metric.source.map((key) => source(key, view.schema.sources))}
                </ul>
              </dd>`
          : nothing
      }
      ${facts(view, id)}
    </dl>
    <p class="tools">
      <button
        type="button"
        class="button"
        @click=${() => actions.copyText(asText(view, metric, step))}
      >
        Copy as text
      </button>
      <code class="muted">${metric.id}</code>
    </p>
  </div>`;
}

/** The panel beside the page that a door opens. */
export function panel(view: View, actions: Actions): TemplateResult {
  const id = view.trail[view.trail.length - 1];
  const metric = id ? view.metrics.get(id) : undefined;
  const value = id ? valueOf(answerOf(view), id) : undefined;
  return html`<dialog
    class="panel"
    ?open=${metric !== undefined}
    aria-labelledby="panel-title"
    @keydown=${(e: KeyboardEvent) => {
      if (e.key === 'Escape') actions.close();
    }}
  >
    ${
      metric && id
        ? html`<div class="panel-head">
              ${
                view.trail.length > 1
                  ? html`<button
                      type="button"
                      class="icon"
                      aria-label="Back to the number before"
                      @click=${() => actions.back()}
                    >
                      ←
                    </button>`
                  : nothing
              }
              <h2 id="panel-title" tabindex="-1">${metric.label}</h2>
              <button type="button" class="icon" aria-label="Close" @click=${() => actions.close()}>
                ✕
              </button>
            </div>
            <p class="big">${value === undefined ? '–' : textOf(view, id, value)}</p>
            ${derivation(view, actions, id)}`
        : nothing
    }
  </dialog>`;
}

function stages(view: View): [string, { metric: Metric; step: Step }[]][] {
  const groups = new Map<string, { metric: Metric; step: Step }[]>();
  for (const step of answerOf(view).steps) {
    const metric = view.metrics.get(step.id);
    if (!metric) continue;
    groups.set(metric.stage, [...(groups.get(metric.stage) ?? []), { metric, step }]);
  }
  return [...groups];
}

/** Every number of the answer, by stage, in the order in which they were worked out. */
export function work(view: View, actions: Actions): TemplateResult {
  return html`<section class="work" aria-labelledby="work-title">
    <h2 id="work-title">Show the work</h2>
    <p class="muted">
      ${answerOf(view).steps.length} numbers, in the order in which they are worked out. Open one
      for its formula, its values and its source.
    </p>
    ${stages(view).map(([stage, rows]) => {
      const key = `stage:${stage}`;
      const isOpen = view.printing || view.open.has(key);
      return html`<details
        class="stage"
        ?open=${isOpen}
        @toggle=${(e: Event) => actions.toggle(key, (e.target as HTMLDetailsElement).open)}
      >
        <summary>
          <h3>${stageTitle(stage)}</h3>
          <span class="muted">${rows.length}</span>
        </summary>
        ${isOpen ? rows.map(({ metric, step }) => line(view, actions, metric, step)) : nothing}
      </details>`;
    })}
  </section>`;
}

function line(view: View, actions: Actions, metric: Metric, step: Step): TemplateResult {
  const key = `step:${step.id}`;
  const isOpen = view.printing || view.open.has(key);
  return html`<details
    class="step"
    ?open=${isOpen}
    @toggle=${(e: Event) => actions.toggle(key, (e.target as HTMLDetailsElement).open)}
  >
    <summary>
      <span class="label">${metric.label}</span>
      <math>${symbol(metric.symbol || '')}</math>
      <span class="value">${textOf(view, step.id, step.value)}</span>
      ${chip(metric.kind)}
    </summary>
    ${isOpen ? derivation(view, actions, step.id) : nothing}
  </details>`;
}
