// SPDX-License-Identifier: MIT
// What is asked of the planner beside the scenario: what to minimise, limits, which rules of good
// practice are lifted. Loaded with the plans.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer, Patch, PlanRequest, PlanSwitch, Task } from './api';
import type { MetricId, Path } from './types.generated';
import { count, kDay } from './units';
import { taskOf, valueOf, type View } from './view';

export interface Wishes {
  /** Empty: as the core thinks best for the task. */
  minimise: string;
  /** As typed, by metric. */
  limits: Readonly<Record<string, string>>;
  /** Switches that are turned on; what the scenario uses already is on without. */
  allow: readonly string[];
  /** Other numbers of GPUs than that of the scenario. */
  anyGpus: boolean;
}

export const kNoWishes: Wishes = { minimise: '', limits: {}, allow: [], anyGpus: false };

interface LimitField {
  metric: MetricId;
  before: string;
  unit: string;
  /** In the metric's unit. */
  size: number;
}

const kFewest: MetricId = 'gpus.used';
const kEnergy: MetricId = 'cost.energy';
const kTrain = {
  aims: [
    ['time.total', 'the fastest'],
    ['cost.total', 'the cheapest'],
    [kEnergy, 'the one with the least energy'],
    [kFewest, 'the one with the fewest GPUs'],
  ] as [MetricId, string][],
  limits: [
    { metric: 'time.total', before: 'Time', unit: 'days', size: kDay },
    { metric: 'cost.total', before: 'Cost', unit: '$', size: 1 },
  ] as LimitField[],
};
const kServe: typeof kTrain = {
  aims: [
    ['cost.per_million_tokens', 'the cheapest per token'],
    ['serving.latency', 'the quickest to answer'],
    [kFewest, 'the one with the fewest GPUs'],
  ],
  limits: [
    { metric: 'serving.latency', before: 'Latency', unit: 's', size: 1 },
    { metric: 'cost.per_million_tokens', before: 'Per 1M tokens', unit: '$', size: 1 },
  ],
};
export const kinds = (task: Task): typeof kTrain => (task === 'serve' ? kServe : kTrain);

const kGpus: Path = 'cluster.gpus';
const kTimes = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4]; // the GPUs of the scenario

/** Numbers of GPUs around that of the scenario; nothing where it is open anyway. */
export function numbersOfGpus(inputs: Answer['inputs']): number[] {
  const { [kGpus]: now } = inputs;
  return typeof now === 'number' ? kTimes.map((t) => now * t).filter((n) => n % 1 === 0) : [];
}

const kSizes: Record<string, number> = { '': 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 };

/** `30`, `2.5M`, `1e12`, `$1,200,000`, `0,5`; null where it is no positive number. */
export function amount(typed: string): number | null {
  const plain = typed.trim().replace(/^\$\s*/, '');
  const ungrouped = /^\d{1,3}(,\d{3})+(?!\d)/.test(plain)
    ? plain.replaceAll(',', '')
    : plain.replace(',', '.');
  const found = /^((?:\d+\.?\d*|\.\d+)(?:e\d{1,2})?)\s*([kmbt]?)$/i.exec(ungrouped);
  if (!found) return null;
  const value = Number(found[1]) * (kSizes[(found[2] ?? '').toLowerCase()] ?? NaN);
  return value > 0 ? value : null;
}

/** What the core is asked. A limit that cannot be read is left out; its field says so. */
export function requestOf(
  scenario: Patch,
  task: Task,
  wishes: Wishes,
  gpus: readonly number[] = [],
): PlanRequest {
  const limits = kinds(task).limits.flatMap(({ metric, size }) => {
    const most = amount(wishes.limits[metric] ?? '');
    return most === null ? [] : [{ metric, at_most: most * size }];
  });
  return {
    scenario,
    ...(wishes.minimise ? { minimise: wishes.minimise } : {}),
    ...(limits.length ? { limits } : {}),
    ...(wishes.allow.length ? { allow: [...wishes.allow] } : {}),
    ...(wishes.anyGpus && gpus.length ? { axes: [{ path: kGpus, values: [...gpus] }] } : {}),
  };
}

/** All that are turned on when one is turned. */
export const turned = (allow: readonly string[], id: string, on: boolean): string[] => [
  ...allow.filter((other) => other !== id),
  ...(on ? [id] : []),
];

type Change = (wishes: Wishes) => void;

export function aims(
  view: Pick<View, 'metrics'>,
  answer: Answer,
  wishes: Wishes,
  minimise: string,
  change: Change,
): TemplateResult {
  const { aims: all, limits } = kinds(taskOf(answer));
  // Not every accelerator says what power it draws.
  const aims = all.filter(([id]) => id !== kEnergy || valueOf(answer, id) !== undefined);
  const chosen = wishes.minimise || minimise;
  // Where steps are not predicted the core weighs something else.
  const other =
    chosen && !aims.some(([id]) => id === chosen) ? view.metrics.get(chosen) : undefined;
  const list = other ? [...aims, [chosen, `by ${other.label.toLowerCase()}`] as const] : aims;
  const now = answer.inputs[kGpus];
  return html`<div class="plan-wishes">
    <label
      >Best is
      <select
        .value=${chosen}
        @change=${(e: Event) => {
          const next = (e.target as HTMLSelectElement).value;
          const anyGpus = wishes.anyGpus || next === kFewest; // else all have the same
          change({ ...wishes, minimise: next, anyGpus });
        }}
      >
        ${list.map(
          ([id, label]) => html`<option value=${id} ?selected=${id === chosen}>${label}</option>`,
        )}
      </select></label
    >
    ${limits.map(({ metric, before, unit }) => {
      const text = wishes.limits[metric] ?? '';
      const bad = text.trim() !== '' && amount(text) === null;
      return html`<label
        >${before} at most
        <span class="amount"
          >${unit === '$' ? '$ ' : nothing}<input
            type="text"
            inputmode="decimal"
            autocomplete="off"
            spellcheck="false"
            size="7"
            placeholder="any"
            aria-invalid=${bad ? 'true' : nothing}
            .value=${text}
            @input=${(e: Event) =>
              change({
                ...wishes,
                limits: { ...wishes.limits, [metric]: (e.target as HTMLInputElement).value },
              })}
          />${unit === '$' ? nothing : ` ${unit}`}</span
        >${bad ? html`<span class="problem error">Not a number such as 30 or 2.5M.</span>` : nothing}</label
      >`;
    })}
    ${
      typeof now === 'number'
        ? html`<label
            ><input
              type="checkbox"
              .checked=${wishes.anyGpus}
              @change=${(e: Event) =>
                change({ ...wishes, anyGpus: (e.target as HTMLInputElement).checked })}
            />
            Other numbers of GPUs than ${count(now)}</label
          >`
        : nothing
    }
  </div>`;
}

/** What is not used by default, each with what it means. */
export function switchList(
  switches: readonly PlanSwitch[],
  wishes: Wishes,
  change: Change,
): TemplateResult {
  return html`<ul class="switches">
    ${switches.map(({ id, label, on, help }) => {
      const wished = wishes.allow.includes(id);
      const used = on && !wished; // by the scenario as it is
      return html`<li>
        <label
          ><input
            type="checkbox"
            data-switch=${id}
            aria-describedby=${`switch-${id}`}
            ?disabled=${used}
            .checked=${wished || used}
            @change=${(e: Event) => {
              const now = (e.target as HTMLInputElement).checked;
              change({ ...wishes, allow: turned(wishes.allow, id, now) });
            }}
          />
          ${label}</label
        >
        <p class="help" id=${`switch-${id}`}>
          ${help} ${used ? 'The scenario as it is uses it.' : nothing}
        </p>
      </li>`;
    })}
  </ul>`;
}
