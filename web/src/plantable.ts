// SPDX-License-Identifier: MIT
// Plans as a table, and what the best of them changes, in words. Loaded with the plans.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Plan } from './api';
import { change } from './compare';
import type { MetricId } from './types.generated';
import { bytes, count, percent } from './units';
import { textOf, type Tables } from './view';

const kGpus: MetricId = 'gpus.used';
/** What a plan is told by, where it has it. */
const kColumns: [MetricId, string][] = [
  [kGpus, 'GPUs'],
  ['time.total', 'Time'],
  ['serving.tokens_per_s', 'Tokens/s'],
  ['serving.tokens_per_s_per_user', 'Each user'],
  ['serving.latency', 'Latency'],
  ['time.mfu', 'MFU'],
  ['layout.free', 'Memory left'],
  ['cost.total', 'Cost'],
  ['cost.per_million_tokens', 'Per 1M tokens'],
];
/** Beside these the change from the present scenario is shown. */
const kChanges: MetricId[] = [
  'time.total',
  'serving.tokens_per_s',
  'serving.latency',
  'cost.total',
  'cost.per_million_tokens',
];

const metricOf = (plan: Plan, id: string): number | undefined => {
  const value = plan.metrics[id];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
};

/** The number of GPUs is told where it differs. */
export const columnsOf = (plans: readonly Plan[]): [MetricId, string][] =>
  kColumns.filter(([id]) => {
    const values = new Set(plans.map((plan) => metricOf(plan, id)));
    return values.size > 1 || (id !== kGpus && !values.has(undefined));
  });

/** One may name what the other leaves to the core. */
const isSame = (a: Plan, b: Plan): boolean =>
  a.link === b.link ||
  (a.label === b.label &&
    a.detail === b.detail &&
    JSON.stringify(a.metrics) === JSON.stringify(b.metrics));

/** `12 % less`, `3.2 × `; empty where nothing shows. */
function less(id: MetricId, a: Plan, b: Plan): string {
  const [x, y] = [metricOf(a, id), metricOf(b, id)];
  if (x === undefined || y === undefined || !(x > 0) || !(y > 0)) return '';
  const part = Math.abs(x / y - 1);
  if (part < 5e-4) return '';
  return x < y ? `${percent(part)} less` : `${percent(part)} more`;
}

const listed = (parts: readonly string[]): string =>
  parts.length < 2
    ? parts.join('')
    : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;

const free = (plan: Plan): number | undefined => metricOf(plan, 'layout.free');

/** What the best plan changes, against the scenario as it is. */
export function inWords(best: Plan | undefined, present: Plan): string {
  if (!best) return 'No plan keeps within these limits.';
  if (isSame(best, present)) return 'The layout in use is the best that was found.';
  if (!present.fits) {
    const short = -(free(present) ?? 0);
    const lack = short > 0 ? `each GPU is short of ${bytes(short)}` : 'it does not fit into memory';
    return `As it is now, ${lack}; the best plan has ${bytes(free(best) ?? 0)} left.`;
  }
  const [time, cost, each, rate, wait] = (
    [
      'time.total',
      'cost.total',
      'cost.per_million_tokens',
      'serving.tokens_per_s',
      'serving.latency',
    ] as const
  ).map((id) => less(id, best, present));
  const [gpus, had] = [metricOf(best, 'gpus.used'), metricOf(present, 'gpus.used')];
  const parts = [
    gpus !== undefined && had !== undefined && gpus !== had
      ? `needs ${count(gpus)} GPUs instead of ${count(had)}`
      : '',
    time && time === cost
      ? `takes and costs ${time}`
      : listed(
          [time && `takes ${time} time`, cost && `costs ${cost}`].filter((p) => !!p) as string[],
        ),
    rate && `gives ${rate} tokens per second`,
    wait && `takes ${wait} time for an answer`,
    each && `costs ${each} per token`,
  ].filter((p): p is string => !!p);
  if (parts.length === 0) return 'The best plan is about as good as the layout in use.';
  return `Against the scenario as it is now, the best plan ${listed(parts)}.`;
}

/** Why the first is first though another is better by a hair. */
export function whyFirst(plans: readonly Plan[], minimise: string): string {
  const of = (plan: Plan) => metricOf(plan, minimise as MetricId) ?? Infinity;
  const [first] = plans;
  return first && plans.some((plan) => of(plan) < of(first))
    ? 'Plans within 1 % of one another count as equal, and the one of fewer parts comes first.'
    : '';
}

export interface RowActions {
  use(plan: Plan): void;
  compare(plan: Plan): void;
  launch(plan: Plan): void;
}

interface Row {
  plan: Plan;
  name: string;
  rank: string;
  inUse: boolean;
}

function cells(tables: Tables, columns: [MetricId, string][], plan: Plan, present: Plan) {
  return columns.map(([id, label]) => {
    const value = metricOf(plan, id);
    const first = metricOf(present, id);
    const by =
      kChanges.includes(id) && value !== undefined && first !== undefined && plan !== present
        ? change(first, value)
        : '';
    const short = id === 'layout.free' && value !== undefined && value < 0;
    return html`<td role="cell" data-label=${label} class=${short ? 'short' : ''}>
      ${value === undefined ? '–' : short ? `−${bytes(-value)}` : textOf(tables, id, value)}
      ${by ? html`<span class="by">${by}</span>` : nothing}
    </td>`;
  });
}

/** `the plan ` is in every name, so that a list of buttons makes sense. */
function buttons({ plan, inUse }: Row, actions: RowActions): TemplateResult {
  const button = (text: string, name: string, press: () => void, look: string) =>
    html`<button type="button" class=${look} aria-label=${`${name}: ${plan.label}`} @click=${press}>
      ${text}
    </button>`;
  return html`<td role="cell" class="plan-actions">
    ${inUse ? html`<span class="in-use-note">In use</span>` : button('Use', 'Use this plan', () => actions.use(plan), 'button')}
    ${inUse ? nothing : button('Compare', 'Compare this plan', () => actions.compare(plan), 'plain')}
    ${button('Launch', 'Launch text of this plan', () => actions.launch(plan), 'plain')}
  </td>`;
}

export function planTable(
  tables: Tables,
  plans: readonly Plan[],
  present: Plan,
  actions: RowActions,
): TemplateResult {
  const columns = columnsOf([...plans, present]);
  const rows: Row[] = plans.map((plan, i) => ({
    plan,
    rank: String(i + 1),
    name: plan.label,
    inUse: isSame(plan, present),
  }));
  if (!rows.some((row) => row.inUse))
    rows.push({ plan: present, rank: '', name: 'As it is now', inUse: true });
  return html`<table class="plan-table" role="table" aria-label="Plans, the best first">
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">Layout</th>
        ${columns.map(([, label]) => html`<th role="columnheader" scope="col">${label}</th>`)}
        <th
          role="columnheader"
          scope="col"
          title="Kinds of parallelism, offloads and lifted rules: fewer are easier to run"
        >
          Parts
        </th>
        <td role="cell"></td>
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row" class=${row.inUse ? 'in-use' : ''}>
            <th role="rowheader" scope="row">
              <div>
                <span class="rank">${row.rank}</span>
              <span class="layout"
                >${row.name}
                ${row.name === row.plan.label ? nothing : html`<span class="detail">${row.plan.label}</span>`}
                ${row.plan.detail ? html`<span class="detail">${row.plan.detail}</span>` : nothing}
              </span>
</div></th>
            ${cells(tables, columns, row.plan, present)}
            <td role="cell" data-label="Moving parts">${count(row.plan.simplicity)}</td>
            ${buttons(row, actions)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}
