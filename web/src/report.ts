// SPDX-License-Identifier: MIT
// The answer: sentence, verdict, key numbers, memory bar, findings. Numbers are doors to their work.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Finding, Remedy, Task } from './api';
import { hasError, isStale } from './state';
import type { MetricId } from './types.generated';
import { bytes, roughly, work } from './units';
import {
  answerOf,
  chip,
  door,
  kindOf,
  prose,
  taskOf,
  textOf,
  valueOf,
  type Actions,
  type View,
} from './view';

interface Card {
  title: string;
  metrics: MetricId[]; // the first that has a value
  below: [string, MetricId, string][]; // text before, metric, text after
}

const kTrain: Card[] = [
  { title: 'Compute', metrics: ['compute.train'], below: [['', 'compute.pfs_days', '']] },
  {
    title: 'Memory per GPU',
    metrics: ['layout.per_gpu', 'memory.total'],
    below: [['of ', 'layout.capacity', '']],
  },
  { title: 'GPUs', metrics: ['gpus.used'], below: [['', 'gpus.to_fit', ' would hold it']] },
  { title: 'Time', metrics: ['time.total'], below: [['at ', 'time.mfu', ' MFU']] },
  { title: 'Cost', metrics: ['cost.total'], below: [['', 'time.gpu_hours', '']] },
];
export const kCards: Record<Task, Card[]> = {
  pretrain: kTrain,
  finetune: kTrain,
  serve: [
    {
      title: 'Throughput',
      metrics: ['serving.tokens_per_s'],
      below: [['', 'serving.tokens_per_s_per_user', ' each']],
    },
    kTrain[1] as Card,
    kTrain[2] as Card,
    {
      title: 'Latency',
      metrics: ['serving.latency'],
      below: [['', 'serving.prefill_time', ' to the first token']],
    },
    {
      title: 'Cost',
      metrics: ['cost.per_million_tokens', 'cost.total'],
      below: [['', 'cost.price', '']],
    },
  ],
};

function band(view: View, id: string): unknown {
  const low = valueOf(answerOf(view), `${id}_low`);
  const high = valueOf(answerOf(view), `${id}_high`);
  if (low === undefined || high === undefined) return nothing;
  const about = (x: number) =>
    view.metrics.get(id)?.unit === 'second' ? roughly(x) : textOf(view, id, x);
  return html`<span class="band" title="Range from the error of the model on published runs"
    >${about(low)} – ${about(high)}</span
  >`;
}

function card(view: View, actions: Actions, { title, metrics, below }: Card): TemplateResult {
  const answer = answerOf(view);
  const id = metrics.find((m) => valueOf(answer, m) !== undefined);
  const kind = id && kindOf(view, id);
  return html`<li class="card">
    <span class="title">${title}</span>
    <strong>${id ? door(view, actions, id, title) : html`<span class="none">–</span>`}</strong>
    ${id ? band(view, id) : nothing}
    <span class="below">
      ${below
        .filter(([, m]) => valueOf(answer, m) !== undefined)
        .map(([before, m, after]) => html`<span>${before}${door(view, actions, m)}${after}</span>`)}
    </span>
    ${kind ? chip(kind) : nothing}
  </li>`;
}

const kOrder: Finding['severity'][] = ['bad', 'warning', 'good', 'info'];
export const kSigns: Record<Finding['severity'], string> = {
  good: '✓',
  info: 'i',
  warning: '!',
  bad: '✕',
};
export const kWords: Record<Finding['severity'], string> = {
  good: 'Good',
  info: 'Note',
  warning: 'Warning',
  bad: 'Problem',
};

/** What a remedy does to memory and to time. */
export function effect(r: Remedy): string {
  return [
    r.per_gpu ? `${bytes(r.per_gpu)} per GPU` : '',
    r.per_gpu && r.fits !== undefined ? (r.fits ? 'fits' : 'still too much') : '',
    r.work ? work(r.work) : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function remedies(f: Finding): unknown {
  if (f.remedies.length === 0) return nothing;
  return html`<p class="remedies">
    ${f.remedies.map(
      (r) =>
        html`<a class="button" href=${`#${r.link}`}
          >${r.label} <span class="muted">${effect(r)}</span></a
        >`,
    )}
  </p>`;
}

export function findings(view: View, actions: Actions): unknown {
  const list = kOrder.flatMap((s) => answerOf(view).findings.filter((f) => f.severity === s));
  if (list.length === 0) return nothing;
  return html`<section class="findings" aria-label="Findings">
    <ul>
      ${list.map(
        (f) =>
          html`<li class=${f.severity}>
            <span class="sign" aria-hidden="true">${kSigns[f.severity]}</span>
            <div>
              <span class="hidden">${kWords[f.severity]}: </span>
              <p>${prose(view, actions, f.message)}</p>
              ${remedies(f)}
            </div>
          </li>`,
      )}
    </ul>
  </section>`;
}

/** Above the answer and not above the form: there it would push away the input being typed in. */
export function problems(view: View, actions: Actions): unknown {
  const errors = view.state.problems.filter((p) => p.severity === 'error');
  const { notices } = view.state;
  return html`${
    errors.length
      ? html`<div class="waiting">
          <ul>
            ${errors.map(
              (p) =>
                html`<li>
                  Waiting for
                  <button type="button" class="plain" @click=${() => actions.field(p.path)}>
                    ${view.fields.get(p.path)?.label ?? p.path}</button
                  >: ${p.message}
                </li>`,
            )}
          </ul>
          <p>
            ${hasError(answerOf(view).problems) ? 'Below is the answer without it.' : 'Below is the last good answer.'}
          </p>
        </div>`
      : nothing
  }
  ${
    notices.length
      ? html`<div class="waiting">
          <p>Not everything in the link was used.</p>
          <ul>
            ${notices.map((p) => html`<li><code>${p.path}</code>: ${p.message} ${p.hint}</li>`)}
          </ul>
        </div>`
      : nothing
  }
  ${view.status && view.copied === '' ? html`<p class="waiting">${view.status}</p>` : nothing}`;
}

export function answer(view: View, actions: Actions): TemplateResult {
  const { summary, verdict, link } = answerOf(view);
  const example = view.schema.examples.find((e) => e.link === link);
  return html`<section class="answer" aria-label="Answer">
    ${problems(view, actions)}
    ${
      view.undo
        ? html`<p class="undo">
            ${view.undo.said}
            <button type="button" class="plain" @click=${() => view.undo?.back()}>
              ${view.undo.word}
            </button>
          </p>`
        : nothing
    }
    <p class="eyebrow">${example ? html`Example: ${example.title}` : html`Your scenario`}</p>
    <h1>${prose(view, actions, summary)}</h1>
    <p class=${`verdict ${verdict.severity}`}>
      <span class="sign" aria-hidden="true">${kSigns[verdict.severity]}</span>
      ${prose(view, actions, verdict.message)}
    </p>
    ${remedies(verdict)}
  </section>`;
}

export function cards(view: View, actions: Actions): TemplateResult {
  const list = kCards[taskOf(answerOf(view))];
  return html`<ul class="cards" aria-label="Key numbers">
    ${list.map((c) => card(view, actions, c))}
  </ul>`;
}

/** One line for the foot of a phone: the same numbers as the cards, without their small print. */
export function brief(view: View): TemplateResult {
  const result = answerOf(view);
  const list = kCards[taskOf(result)];
  const parts = list
    .filter((c) => ['Time', 'Throughput', 'Latency', 'Cost'].includes(c.title))
    .map((c) => c.metrics.find((m) => valueOf(result, m) !== undefined))
    .filter((id) => id !== undefined)
    .map((id) => textOf(view, id, valueOf(result, id) as number));
  const used = valueOf(result, 'layout.per_gpu');
  const capacity = valueOf(result, 'layout.capacity');
  if (used !== undefined && capacity !== undefined)
    parts.push(used > capacity ? 'does not fit' : 'fits');
  return html`<span>${isStale(view.state) ? 'Waiting for an input' : parts.join(' · ')}</span>`;
}
