// SPDX-License-Identifier: MIT
// What the page can be asked for: inputs of the core that it solves for, and the results.
import type { Answer, Task } from './api';
import type { MetricId, Path } from './types.generated';

type Result = readonly [ask: string, label: string, id: MetricId, limit: Path];
const kTrain: readonly Result[] = [
  ['first', 'Time', 'time.total', 'run.deadline'],
  ['second', 'Cost', 'cost.total', 'solve.usd'],
];
/** What comes out where nothing else is asked for; otherwise each can be given a limit. */
export const kResults: Record<Task, readonly Result[]> = {
  pretrain: kTrain,
  finetune: kTrain,
  serve: [
    ['first', 'Throughput', 'serving.tokens_per_s', 'solve.per_user'],
    ['second', 'Cost', 'cost.per_million_tokens', 'solve.per_million'],
  ],
};
export const kAsks: { [path in Path]?: string } = {
  'model.params': 'params',
  'run.tokens': 'tokens',
  'run.seq': 'seq',
  'run.global_batch': 'batch',
  'serve.prompt': 'seq',
  'serve.batch': 'batch',
  'cluster.gpus': 'gpus',
};

export const isAsking = ({ inputs }: Answer): boolean =>
  (inputs['solve.unknown'] ?? 'none') !== 'none';
