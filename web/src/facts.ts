// SPDX-License-Identifier: MIT
// What one result says, as plain texts: for embeds, snippets, share cards, tables and built pages.
import type { Answer, Fact, Facts, Task } from './api';
import { kCards } from './report';
import type { MetricId } from './types.generated';
import { bandOf, kindOf, sentence, taskOf, textOf, valueOf, type Tables } from './view';

export type { Fact, Facts };

/** Of interest behind the key numbers of a task. */
const kMore: Record<Task, MetricId[]> = {
  pretrain: [
    'params.total',
    'compute.tokens',
    'time.mfu',
    'time.step',
    'time.gpu_hours',
    'cost.price',
  ],
  finetune: [
    'params.total',
    'params.trainable',
    'compute.tokens',
    'time.mfu',
    'time.step',
    'cost.price',
  ],
  serve: ['params.total', 'memory.weights', 'memory.kv_cache', 'cost.price'],
};

export function fact(tables: Tables, answer: Answer, id: MetricId, label?: string): Fact | null {
  const value = valueOf(answer, id);
  const metric = tables.metrics.get(id);
  if (value === undefined || !metric) return null;
  return {
    id,
    label: label ?? metric.label,
    text: textOf(tables, id, value),
    value,
    unit: metric.unit,
    kind: kindOf(tables, id) ?? 'modelled',
    band: bandOf(tables, answer, id),
  };
}

function titleOf(tables: Tables, answer: Answer): string {
  const { model, gpu } = answer.quotes ?? {};
  const size = fact(tables, answer, 'params.total');
  const own = !model || model.id === 'by-size' || model.id === 'custom';
  const name = own ? `A model of ${size?.text ?? '–'} parameters` : model.name;
  const gpus = fact(tables, answer, 'gpus.used');
  return gpu && gpus ? `${name} on ${gpus.text} × ${gpu.name}` : name;
}

/** `Cost` alone would read as that of all of it. */
const kOwnName: MetricId = 'cost.per_million_tokens';

/** What a sum or a number of FLOPs would best train, where one is given. */
const kOfBudget: MetricId[] = ['scaling.optimal_params', 'scaling.optimal_tokens'];

const hasBudget = ({ inputs }: Answer): boolean =>
  typeof inputs['scaling.budget_usd'] === 'number' ||
  typeof inputs['scaling.flop_budget'] === 'number';

export function factsOf(tables: Tables, answer: Answer): Facts {
  const task = taskOf(answer);
  const first = hasBudget(answer) ? kOfBudget.map((id) => fact(tables, answer, id)) : [];
  const rows = kCards[task].flatMap(({ title, metrics }) => {
    const id = metrics.find((m) => valueOf(answer, m) !== undefined);
    return id ? [fact(tables, answer, id, id === kOwnName ? undefined : title)] : [];
  });
  const shown = new Set(rows.map((r) => r?.id));
  const more = kMore[task].filter((id) => !shown.has(id)).map((id) => fact(tables, answer, id));
  return {
    task,
    title: titleOf(tables, answer),
    sentence: sentence(tables, answer, answer.summary),
    verdict: {
      severity: answer.verdict.severity,
      text: sentence(tables, answer, answer.verdict.message),
    },
    rows: [...first, ...rows, ...more].filter((r) => r !== null),
    link: answer.link,
    d: answer.d,
    version: answer.version,
  };
}
