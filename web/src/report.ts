// SPDX-License-Identifier: MIT
// The answer: sentence, verdict, key numbers, memory bar, findings. Numbers are doors to their work.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Finding, Task } from './api';
import { tableToggle } from './charts';
import { hasError, isStale } from './state';
import type { MetricId } from './types.generated';
import { binaryBytes, bytes, percent, roughly } from './units';
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

/** Colours and patterns belong to the part, everywhere. */
export const kParts = [
  'weights',
  'adapters',
  'gradients',
  'optimizer',
  'activations',
  'logits',
  'kv_cache',
  'reserve',
] as const;

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

export interface Slice {
  part: string;
  id: string;
  value: number;
}

/** The parts of one GPU's memory that are there, in the order of the bar. */
export function slices(view: View): Slice[] {
  const answer = answerOf(view);
  return kParts.flatMap((part) => {
    const id = `layout.${part}`;
    const value = valueOf(answer, id);
    return value ? [{ part, id, value }] : [];
  });
}

const partName = (view: View, id: string) =>
  (view.metrics.get(id)?.label ?? id).replace(/ per GPU$/, '');

function memoryTable(view: View, actions: Actions, list: Slice[], capacity: number) {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Memory per GPU, table">
    <table>
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col">Memory</th>
          <th scope="col">Of capacity</th>
        </tr>
      </thead>
      <tbody>
        ${list.map(
          (s) =>
            html`<tr>
              <th scope="row">${partName(view, s.id)}</th>
              <td>${door(view, actions, s.id, partName(view, s.id))}</td>
              <td>${percent(s.value / capacity)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const pct = (x: number) => `${(100 * x).toFixed(3)}%`;

export function memory(view: View, actions: Actions): unknown {
  const answer = answerOf(view);
  const list = slices(view);
  const capacity = valueOf(answer, 'layout.capacity');
  const used = valueOf(answer, 'layout.per_gpu') ?? list.reduce((sum, s) => sum + s.value, 0);
  if (!capacity || list.length === 0) return nothing;
  const scale = Math.max(capacity, used) * 1.02;
  const over = used > capacity;
  const label = (id: string) => partName(view, id);
  const words = `${bytes(used)} of ${bytes(capacity)} per GPU: ${list
    .map((s) => `${label(s.id)} ${bytes(s.value)}`)
    .join(', ')}`;
  let x = 0;
  const memoryBar = () => html`
    <svg class="bar" width="100%" height="44" role="img" aria-label=${words}>
      <defs>
        ${list.map(
          (s, i) => svg`
          <pattern id=${`hatch-${s.part}`} width="8" height="8" patternUnits="userSpaceOnUse"
            patternTransform=${`rotate(${(i * 45) % 180})`}>
            <rect width="8" height="8" class="under" />
            <path d=${i % 2 ? 'M0 2h8M0 6h8' : 'M0 4h8'} class="line" />
          </pattern>`,
        )}
        <pattern
          id="hatch-over"
          width="8"
          height="8"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <path d="M0 4h8" class="over-line" />
        </pattern>
      </defs>
      <rect class="free" x="0" y="6" width=${pct(capacity / scale)} height="32" rx="2" />
      ${list.map((s) => {
        const at = x;
        x += s.value;
        return svg`<rect class=${`part ${s.part}`} x=${pct(at / scale)} y="6" width=${pct(s.value / scale)} height="32"
          @click=${() => actions.show(s.id)}/>`;
      })}
      ${over ? svg`<rect class="overflow" x=${pct(capacity / scale)} y="6" width=${pct((used - capacity) / scale)} height="32" />` : nothing}
      <line
        class="capacity"
        x1=${pct(capacity / scale)}
        x2=${pct(capacity / scale)}
        y1="0"
        y2="44"
      />
    </svg>
    <ul class="legend">
      ${list.map(
        (s) =>
          html`<li>
            <svg width="12" height="12" aria-hidden="true">
              <rect class=${`part ${s.part}`} width="12" height="12" rx="2" />
            </svg>
            <span>${label(s.id)}</span> ${door(view, actions, s.id, label(s.id))}
            <span class="muted">${percent(s.value / capacity)}</span>
          </li>`,
      )}
    </ul>
  `;
  return html`<section class="memory" aria-labelledby="memory-title">
    <div class="bar-head">
      <h2 id="memory-title">Memory per GPU</h2>
      <p>
        ${door(view, actions, 'layout.per_gpu')} of ${door(view, actions, 'layout.capacity')}
        <span class="muted">(${binaryBytes(capacity)})</span>,
        ${
          over
            ? html`<strong class="over">${bytes(used - capacity)} too much</strong>`
            : html`${bytes(capacity - used)} free`
        }
      </p>
      ${tableToggle(view, actions, 'memory', 'Memory per GPU')}
    </div>
    ${view.open.has('table:memory') ? memoryTable(view, actions, list, capacity) : memoryBar()}
  </section>`;
}

const kOrder: Finding['severity'][] = ['bad', 'warning', 'good', 'info'];
const kSigns: Record<Finding['severity'], string> = {
  good: '✓',
  info: 'i',
  warning: '!',
  bad: '✕',
};
const kWords: Record<Finding['severity'], string> = {
  good: 'Good',
  info: 'Note',
  warning: 'Warning',
  bad: 'Problem',
};

function remedies(f: Finding): unknown {
  if (f.remedies.length === 0) return nothing;
  return html`<p class="remedies">
    ${f.remedies.map(
      (r) =>
        html`<a class="button" href=${`#${r.link}`}
          >${r.label}${
            r.per_gpu
              ? html` <span class="muted"
                  >${bytes(r.per_gpu)} per GPU${r.fits ? ', fits' : ''}</span
                >`
              : nothing
          }</a
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
              ${
                f.remedies.length
                  ? html`<p class="remedies">
                      ${f.remedies.map((r) => html`<a class="button" href=${`#${r.link}`}>${r.label}</a>`)}
                    </p>`
                  : nothing
              }
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
