// SPDX-License-Identifier: MIT
// The time of one training step: what takes it and what limits it, the MFU beside what published runs
// reached, and what a whole run adds. The schedule and the roofline are loaded when their panel opens.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer, StepDetail } from './api';
import { legend, partName, patterns, stacked, type Slice } from './bars';
import { tableToggle } from './charts';
import { remedies } from './report';
import type { MetricId, Path } from './types.generated';
import { inBrackets, percent, share, significant } from './units';
import {
  answerOf,
  bandOf,
  door,
  mfuFrom,
  prose,
  textOf,
  valueOf,
  type Actions,
  type MfuFrom,
  type PanelName,
  type View,
} from './view';

/** They sum to the step. */
export const kStepParts: MetricId[] = [
  'step.matmul',
  'step.experts',
  'step.attention',
  'step.pointwise',
  'step.head',
  'step.recompute',
  'step.tensor',
  'step.context',
  'step.expert',
  'step.pipeline',
  'step.bubble',
  'step.data',
  'step.optimizer',
  'step.overhead',
];
const kMeasuredBy: Path = 'stack.overhead'; // what a calibration sets
const kWhole: MetricId[] = [
  'time.wall',
  'time.wall_gpu_hours',
  'cost.wall',
  'goodput',
  'goodput.checkpoint',
  'goodput.lost',
  'goodput.restart',
  'goodput.evaluation',
  'goodput.failures',
  'goodput.mtbf',
  'goodput.interval',
  'goodput.checkpoint_time',
];

const kFrom: Record<MfuFrom, string> = {
  assumed: 'assumed by you.',
  given: 'from the GPU time that you gave.',
  predicted: 'predicted.',
  typical: 'assumed: the median of published runs.',
};

export const stepParts = (answer: Answer): Slice[] =>
  kStepParts.flatMap((id) => {
    const value = valueOf(answer, id);
    return value && value > 0 ? [{ id, value }] : [];
  });

/** A number that opens its derivation, with its range. */
function banded(view: View, actions: Actions, id: MetricId): TemplateResult {
  const answer = answerOf(view);
  const band = bandOf(view, answer, id);
  const text = textOf(view, id, valueOf(answer, id) ?? NaN);
  return html`${door(view, actions, id)}${
    band ? html` <span class="muted range">${inBrackets(text, band)}</span>` : nothing
  }`;
}

function table(view: View, actions: Actions, parts: readonly Slice[], total: number) {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Step time, table">
    <table>
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col">Time</th>
          <th scope="col">Of the step</th>
        </tr>
      </thead>
      <tbody>
        ${parts.map(
          ({ id, value }) =>
            html`<tr>
              <th scope="row">${partName(view, id)}</th>
              <td>${door(view, actions, id, partName(view, id))}</td>
              <td>${share(value / total)}</td>
            </tr>`,
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          <td>${textOf(view, 'time.step', total)}</td>
          <td>${percent(1)}</td>
        </tr>
      </tfoot>
    </table>
  </div>`;
}

function limit(view: View, actions: Actions): unknown {
  const found = answerOf(view).findings.find((f) => f.code === 'step_limits');
  if (!found) return nothing;
  return html`<p class="limits-step">${prose(view, actions, found.message)}</p>
    ${remedies(found)}`;
}

/** What published runs reached, where the core knows comparable ones. */
function published(view: View, actions: Actions): unknown {
  const answer = answerOf(view);
  if (valueOf(answer, 'time.published_mfu') === undefined) return nothing;
  const band = bandOf(view, answer, 'time.published_mfu');
  return html`Published runs on comparable hardware: median
  ${door(view, actions, 'time.published_mfu')}${band ? html`, most <span class="range">${band}</span>` : nothing}.`;
}

function mfu(view: View, actions: Actions, known: boolean): unknown {
  const value = valueOf(answerOf(view), 'time.mfu');
  if (value === undefined) return nothing;
  const from = mfuFrom(answerOf(view));
  const assume = () => {
    actions.edit('run.mfu', Number(value.toPrecision(3)));
    actions.field('run.mfu');
  };
  const button = (text: string, press: () => void) =>
    html`<button type="button" class="plain" @click=${press}>${text}</button>`;
  return html`<p class="mfu">
      MFU ${banded(view, actions, 'time.mfu')}, ${kFrom[from]}
      ${from === 'typical' ? nothing : published(view, actions)}
    </p>
    ${known ? calibrated(view, actions) : nothing}
    <p class="ways-on">
      ${from === 'assumed' ? button('Predict it', () => actions.reset('run.mfu')) : nothing}
      ${from === 'predicted' || from === 'typical' ? button('Assume an MFU instead', assume) : nothing}
      ${known ? button('You measured it? Calibrate', () => actions.calibrate()) : nothing}
    </p>`;
}

/** A measurement set one constant of the software; from then on everything follows it. */
function calibrated(view: View, actions: Actions): unknown {
  const { [kMeasuredBy]: factor } = view.state.patch;
  if (factor === undefined) return nothing;
  const name = view.fields.get(kMeasuredBy)?.label.toLowerCase() ?? kMeasuredBy;
  const text = typeof factor === 'number' ? significant(factor) : factor;
  return html`<p class="calibrated">
    <strong>Calibrated:</strong> ${name}
    <button type="button" class="plain" @click=${() => actions.field(kMeasuredBy)}>${text}</button>
    instead of the framework's own.
    <button
      type="button"
      class="plain"
      @click=${() => actions.apply({ [kMeasuredBy]: '' }, 'The calibration was removed.')}
    >
      Remove
    </button>
  </p>`;
}

/** Failures, checkpoints and the rest of what a run does beside its steps. */
function whole(view: View, actions: Actions): unknown {
  const answer = answerOf(view);
  const rows = kWhole.filter((id) => valueOf(answer, id));
  if (rows.length === 0) return nothing;
  return html`<h3>The whole run, with interruptions</h3>
    <dl class="whole">
      ${rows.map(
        (id) =>
          html`<div>
            <dt>${view.metrics.get(id)?.label.replace(/ of the whole run$/, '')}</dt>
            <dd>${banded(view, actions, id)}</dd>
          </div>`,
      )}
    </dl>`;
}

const kPanels: [PanelName, string, (answer: Answer) => boolean][] = [
  ['timeline', 'Timeline of the pipeline', (answer) => Number(answer.inputs['cluster.pp']) > 1],
  ['roofline', 'Roofline of the operations', () => true],
];

/** Panels that the scenario has, of those a person opened. */
export const openPanels = (answer: Answer, open: ReadonlySet<string>): PanelName[] =>
  stepParts(answer).length === 0
    ? []
    : kPanels.filter(([name, , has]) => open.has(`panel:${name}`) && has(answer)).map(([n]) => n);

function panels(view: View, actions: Actions): unknown {
  const drawn = (name: PanelName, detail: StepDetail | null) => {
    const draw = view.panels?.[name];
    return draw && detail ? draw(view, actions, detail) : html`<p class="muted">Loading …</p>`;
  };
  return kPanels
    .filter(([, , has]) => has(answerOf(view)))
    .map(([name, title]) => {
      const key = `panel:${name}`;
      const isOpen = view.open.has(key);
      return html`<details
        class="stage"
        ?open=${isOpen}
        @toggle=${(e: Event) => actions.toggle(key, (e.target as HTMLDetailsElement).open)}
      >
        <summary><h3>${title}</h3></summary>
        ${isOpen ? drawn(name, view.detail) : nothing}
      </details>`;
    });
}

export function breakdown(view: View, actions: Actions): unknown {
  const answer = answerOf(view);
  const parts = stepParts(answer);
  const total = valueOf(answer, 'time.step');
  const known = parts.length > 0 && total !== undefined;
  if (!known && valueOf(answer, 'time.mfu') === undefined) return nothing;
  const title = known ? 'Step time' : 'Utilisation';
  return html`<section class="step-time" aria-labelledby="step-title">
    <div class="bar-head">
      <h2 id="step-title">${title}</h2>
      ${
        known
          ? html`<p>${banded(view, actions, 'time.step')}</p>
              ${tableToggle(view, actions, 'step', 'Step time')}`
          : nothing
      }
    </div>
    ${limit(view, actions)}
    ${
      known
        ? html`${patterns(kStepParts, false)}
          ${
            view.open.has('table:step')
              ? table(view, actions, parts, total)
              : html`${stacked(
                  view,
                  { parts, total, say: (x) => textOf(view, 'time.step', x) },
                  total,
                  'Step time',
                  actions.show,
                )}
                ${legend(view, parts, total, (id) => door(view, actions, id, partName(view, id)))}`
          }`
        : nothing
    }
    ${mfu(view, actions, known)} ${whole(view, actions)}
    ${known ? panels(view, actions) : nothing}
  </section>`;
}
