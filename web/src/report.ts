// SPDX-License-Identifier: MIT
// The answer: sentence, verdict, key numbers, memory bar, findings. Numbers are doors to their work.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Finding, Problem, Remedy, Task } from './api';
import { hasError, isStale } from './state';
import type { MetricId } from './types.generated';
import { bytes, inBrackets, work } from './units';
import {
  answerOf,
  bandOf,
  chip,
  door,
  kindOf,
  kKinds,
  mfuFrom,
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
  {
    title: 'Time',
    metrics: ['time.total'],
    below: [
      ['at ', 'time.mfu', ' MFU'],
      ['', 'time.wall', ' with interruptions'],
    ],
  },
  {
    title: 'Cost',
    metrics: ['cost.total'],
    below: [
      ['', 'time.gpu_hours', ''],
      ['', 'cost.wall', ' with interruptions'],
    ],
  },
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

/** The range of a number, in brackets behind it; it opens what it rests on. */
function band(view: View, actions: Actions, id: string, title: string): unknown {
  const answer = answerOf(view);
  const found = bandOf(view, answer, id);
  if (!found) return nothing;
  const isOpen = view.open.has('band');
  return html`<button
    type="button"
    class="band"
    title="What the range rests on"
    aria-label=${`${title}: range ${found}. What it rests on`}
    aria-expanded=${isOpen ? 'true' : 'false'}
    aria-controls="band-note"
    @click=${() => actions.toggle('band', !isOpen)}>${inBrackets(textOf(view, id, valueOf(answer, id) ?? NaN), found)}</button>`;
}

const kBandFindings = ['step_predicted', 'mfu_published', 'mfu_unknown'];

/** Why a number may be as far off as its range says. */
function basis(view: View, actions: Actions): unknown {
  const { band: known, findings } = answerOf(view);
  const found = findings.find((f) => kBandFindings.includes(f.code));
  if (!view.open.has('band')) return nothing;
  return html`<p id="band-note" class="note">
    ${known ? known.text : found ? prose(view, actions, found.message) : kKinds.modelled}
  </p>`;
}

/** What stands behind the MFU of a card. */
const kMfuFrom = {
  assumed: 'assumed',
  given: 'as given',
  predicted: 'predicted',
  typical: 'typical',
};

function under(view: View, actions: Actions, [before, id, after]: Card['below'][number]) {
  const found = bandOf(view, answerOf(view), id);
  const text = textOf(view, id, valueOf(answerOf(view), id) ?? NaN);
  return html`<span
    >${before}${door(view, actions, id)}${after}${
      found ? html` <span class="range">${inBrackets(text, found)}</span>` : nothing
    }${id === 'time.mfu' ? `, ${kMfuFrom[mfuFrom(answerOf(view))]}` : nothing}</span
  >`;
}

function card(view: View, actions: Actions, { title, metrics, below }: Card): TemplateResult {
  const answer = answerOf(view);
  const id = metrics.find((m) => valueOf(answer, m) !== undefined);
  const kind = id && kindOf(view, id);
  return html`<li class="card">
    <span class="title">${title}</span>
    <span class="figure"
      ><strong>${id ? door(view, actions, id, title) : html`<span class="none">–</span>`}</strong>
      ${id ? band(view, actions, id, title) : nothing}</span
    >
    <span class="below">
      ${below.filter(([, m]) => valueOf(answer, m) !== undefined).map((b) => under(view, actions, b))}
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

export function remedies(f: Finding): unknown {
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
  const all = answerOf(view).findings.filter((f) => f.code !== 'step_limits'); // over its bar
  const list = kOrder.flatMap((s) => all.filter((f) => f.severity === s));
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

/** The nearest values that are legal, one click each. */
export function ways(actions: Actions, { patches = [] }: Problem): unknown {
  if (patches.length === 0) return nothing;
  return html`<span class="ways"
    >${patches.map(
      ({ label, patch }) =>
        html`<button
          type="button"
          class="button"
          @click=${() => actions.apply(patch, `Changed: ${label}.`)}
        >
          ${label}
        </button>`,
    )}</span
  >`;
}

/** Above the answer and not above the form: there it would push away the input being typed in. */
export function problems(view: View, actions: Actions): unknown {
  const errors = view.state.problems.filter((p) => p.severity === 'error');
  // What cannot run as it is, and has a way out: its field may be folded away.
  const wrong = view.state.problems.filter((p) => p.severity === 'warning' && p.patches?.length);
  const { notices } = view.state;
  const name = ({ path }: Problem) =>
    html`<button type="button" class="plain" @click=${() => actions.field(path)}>
      ${view.fields.get(path)?.label ?? path}</button
    >`;
  return html`${
    wrong.length
      ? html`<div class="waiting">
          <ul>
            ${wrong.map((p) => html`<li>${name(p)}: ${p.message} ${ways(actions, p)}</li>`)}
          </ul>
        </div>`
      : nothing
  }
  ${
    errors.length
      ? html`<div class="waiting">
          <ul>
            ${errors.map(
              (p) =>
                html`<li>
                  Waiting for ${name(p)}: ${p.message} ${ways(actions, p)}
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
    <p class="eyebrow">${view.comparison ? `Scenario ${'ABCD'[view.state.at]}` : example ? html`Example: ${example.title}` : html`Your scenario`}</p>
    <h1>${prose(view, actions, summary)}</h1>
    <p class=${`verdict ${verdict.severity}`}>
      <span class="sign" aria-hidden="true">${kSigns[verdict.severity]}</span>
      ${prose(view, actions, verdict.message)}
    </p>
    ${remedies(verdict)} ${view.solving?.(view, actions) ?? nothing}
  </section>`;
}

export function cards(view: View, actions: Actions): TemplateResult {
  const list = kCards[taskOf(answerOf(view))];
  return html`<ul class="cards" aria-label="Key numbers">
      ${list.map((c) => card(view, actions, c))}
    </ul>
    ${basis(view, actions)}`;
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
