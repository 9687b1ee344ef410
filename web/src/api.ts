// SPDX-License-Identifier: MIT
// The shape of the JSON that the core speaks. The meaning of each id is in the core's two tables.
import type { MetricId } from './types.generated';

export type Value = number | string | boolean;
export type Patch = Readonly<Record<string, Value>>;
export type Task = 'pretrain' | 'finetune' | 'serve';
export type Kind = 'counted' | 'modelled' | 'assumed' | 'quoted';

/** A sentence as parts: words, and numbers named by metric. */
export type Part = string | { metric: string };

export interface Problem {
  path: string;
  severity: 'error' | 'warning' | 'note';
  code: string;
  message: string;
  hint: string;
  value: string;
  /** Ways out: the nearest values that are legal. */
  patches?: { label: string; patch: Patch }[];
}

export interface Step {
  id: string;
  value: number;
  formula: string;
}

export interface Remedy {
  label: string;
  patch: Patch;
  link: string;
  fits?: boolean;
  /** Bytes on the fullest GPU with it. */
  per_gpu?: number | null;
  /** Work of the hardware with it, over the work without: 1.33 takes a third longer. */
  work?: number | null;
}

/** What GPUs hold at one moment: bytes by part, and their sum. */
export interface MemoryOf {
  total: number;
  parts: Readonly<Record<string, number>>;
}

/** The GPUs of one pipeline stage, when they hold most. */
export interface StageMemory extends MemoryOf {
  stage: number;
  name: 'first' | 'middle' | 'last' | 'only';
  ranks: number;
  layers: number;
  in_flight: number;
  moment: string;
}

export interface Memory {
  capacity: number;
  /** Index of the fullest stage. */
  fullest: number;
  /** Metrics, in drawing order. */
  parts: string[];
  stages: StageMemory[];
  /** The fullest stage through the step. */
  timeline: (MemoryOf & { moment: string; label: string })[];
  /** The fewest GPUs of a legal layout. */
  least: { gpus: number; label: string; patch: Patch; link: string } | null;
}

export interface Finding {
  severity: 'good' | 'info' | 'warning' | 'bad';
  code: string;
  about: string[];
  message: Part[];
  remedies: Remedy[];
}

/** What the range of a modelled number rests on: our errors on comparable published runs. */
export interface Band {
  /** Factors of the predicted step time. */
  low: number;
  high: number;
  /** How many published rows, from how many sources. */
  rows: number;
  sources: number;
  text: string;
}

/** What was unknown, found: the rest of the answer is about the scenario with it. */
export interface Solved {
  /** The input that the value is for; of a model with an architecture the patch holds its shape. */
  path: string;
  label: string;
  /** Null where nothing limits it, or the question makes no sense. */
  value: number | null;
  /** What stops it; without a solution, what is not met. */
  binding: 'none' | 'time' | 'cost' | 'memory' | 'speed' | 'work';
  /** If not, the value is the nearest there is. */
  met: boolean;
  message: string;
  /** Makes the scenario one with the value and without an unknown. */
  patch: Patch;
  link: string;
}

export interface Answer {
  version: string;
  v: number;
  d: string;
  link: string;
  patch: Patch;
  inputs: Record<string, Value | null>;
  solved?: Solved;
  summary: Part[];
  verdict: Finding;
  steps: Step[];
  findings: Finding[];
  memory?: Memory;
  band?: Band;
  quotes?: Quotes;
  problems: Problem[];
}

/** What one pipeline stage does and when: stage, kind, micro-batch, chunk, start and end in seconds. */
export type Slot = [
  stage: number,
  kind: 'F' | 'B' | 'W',
  microBatch: number,
  chunk: number,
  start: number,
  end: number,
];

/** The pipeline schedule of one step. */
export interface Timeline {
  schedule: string;
  stages: number;
  /** Parts of the model on each stage. */
  chunks: number;
  micro_batches: number;
  /** Micro-batches in `slots`: fewer than all where there are many. */
  shown: number;
  /** Of the whole step. */
  seconds: number;
  slots: Slot[];
}

/** Work of the slowest stage on one micro-batch, forward and backward together. */
export interface Operation {
  id: string;
  label: string;
  flop: number;
  bytes: number;
  seconds: number;
  /** FLOP per byte. */
  intensity: number;
  /** FLOP per second. */
  rate: number;
  /** Of the step. */
  share: number;
}

export interface Roofline {
  bandwidth: number;
  peaks: { label: string; rate: number }[];
  operations: Operation[];
}

/** What happens within one training step. */
export interface StepDetail {
  timeline: Timeline | null;
  roofline: Roofline | null;
  problems: Problem[];
}

export interface Measured {
  scenario: string | Patch;
  quantity: 'step_s' | 'tokens_per_s_per_gpu' | 'mfu';
  value: number;
}

/** The constant of the software stack with which the prediction is what was measured. */
export interface Calibration {
  patch: Patch;
  problems: Problem[];
}

/** Dollars, FLOP, days, or GPUs of the scenario and days; tokens that the model will serve. */
export interface BudgetRequest {
  scenario?: string | Patch;
  usd?: number;
  flop?: number;
  days?: number;
  served?: number;
}

/** A model and its training run. Null where the law or the price list says nothing. */
export interface Trained {
  params: number;
  active: number;
  tokens: number;
  loss: number | null;
  gpus: number;
  /** `TP 8, PP 4, DP 16` */
  layout: string;
  mfu: number;
  seconds: number;
  usd: number | null;
  /** 6 N D. */
  train_flop: number;
}

export interface BestModel {
  law: string;
  budget: Record<'usd' | 'flop' | 'days' | 'served', number | null>;
  optimal: (Trained & { served_flop: number | null; link: string; patch: Patch }) | null;
  /** As good, with the fewest FLOP of training and serving; only where tokens are served. */
  served: (Trained & { served_flop: number | null; link: string; patch: Patch }) | null;
  /** Sizes around the best, smallest first. */
  considered: Trained[];
  notes: string[];
  problems: Problem[];
}

/** Nothing of it concerns the page: where a search was when its slice ended. */
export type Opaque = unknown;

export interface PlanRequest {
  scenario: string | Patch;
  /** A metric; the core has a default for each task. */
  minimise?: string;
  limits?: { metric: string; at_least?: number; at_most?: number }[];
  /** The switches that are on; without it, those that are on by default. */
  allow?: string[];
  /** How many plans are kept. */
  keep?: number;
  /** How many candidates this slice looks at. */
  most?: number;
  /** The k-th of n parts of the space, from 0. */
  part?: [k: number, n: number];
  resume?: Opaque;
  /** What the parts have found, in any order. */
  merge?: Opaque[];
  /** Whether to say what a change would buy, which takes several more searches. */
  gains?: boolean;
  /** In place of the planner's own values. */
  axes?: { path: string; values: Value[] }[];
}

/** A layout and what it takes. */
export interface Plan {
  /** Applied on the scenario it gives this one. */
  patch: Patch;
  link: string;
  label: string;
  /** The rest of the layout: `micro-batch 2, full recomputation`. */
  detail?: string;
  metrics: Readonly<Record<string, number | null>>;
  /** Kinds of parallelism, offloads and switches in use. */
  simplicity: number;
  /** No other is better in time, cost and GPUs at once. */
  front: boolean;
  /** Into memory. */
  fits: boolean;
}

/** A rule of good practice that can be lifted. */
export interface PlanSwitch {
  id: string;
  label: string;
  on: boolean;
  help: string;
}

/** What a change would buy: a switch of the search, or a patch of the scenario. */
export interface Gain {
  label: string;
  switch?: string;
  patch?: Patch;
  metric: string;
  /** Null where no plan was found. */
  now: number | null;
  then: number;
  /** False: searched around the best plans alone, so that it may be better than `then`. */
  whole: boolean;
}

export interface Plans {
  done: boolean;
  /** Candidates of the whole space, and how many of them were looked at. */
  space: number;
  examined: number;
  counts: {
    evaluated: number;
    fit: number;
    /** In branches that cannot be better. */
    skipped: number;
    rejected: { code: string; label: string; count: number }[];
  };
  minimise: string;
  axes: { path: string; label: string; values: (Value | null)[]; why: string }[];
  switches: PlanSwitch[];
  /** The best first. */
  plans: Plan[];
  /** The scenario as it stands. */
  present: Plan;
  gains: Gain[];
  resume?: Opaque;
  problems: Problem[];
}

export interface Launcher {
  id: string;
  name: string;
  version: string;
  /** The month in which its list of flags was read. */
  as_of: string;
  /** Where its flags are written down. */
  source: string;
  /** Tasks, such as `pretrain|finetune`. */
  covers: string;
}

export interface LaunchRequest {
  scenario: string | Patch;
  launcher?: string;
}

/** How to start the scenario with the software that people run. */
export interface Launch {
  /** Those that can run it. */
  launchers: Launcher[];
  /** The others, each with a sentence. */
  cannot: (Launcher & { why: string })[];
  /** The one whose files these are; empty where none can run it. */
  launcher: string;
  link: string;
  files: { name: string; language: string; text: string }[];
  /** What the launcher cannot express. */
  notes: string[];
  problems: Problem[];
}

/** One axis of a chart. */
export interface Side {
  path: string;
  label: string;
  unit: string;
  log: boolean;
  why: string;
  values: Value[];
  /** Of choices, flags and rows of the catalog. */
  labels?: string[];
  /** Where the scenario stands. */
  now: number | null;
}

/** An output at each value of one or two inputs. */
export interface ChartData {
  /** `x=n&y=seq&z=cost.total` */
  chart: string;
  link: string;
  metric: string;
  label: string;
  unit: string;
  value: number | null;
  x: Side;
  y: Side | null;
  /** At each point, y fastest. */
  values: (number | null)[];
  /** 1 where memory is too small, 2 where a rule is broken. */
  marks: number[];
  /** Of `sentences`; -1 where no rule is broken. */
  reasons: number[];
  sentences: string[];
  problems: Problem[];
}

export interface ChartRequest {
  scenario: string | Patch;
  chart?: string;
  x?: string;
  x_from?: number | string;
  x_to?: number | string;
  y?: string;
  y_from?: number | string;
  y_to?: number | string;
  metric?: string;
}

/** How far an output moves when one input goes to the ends of its plausible range. */
export interface Swing {
  path: string;
  label: string;
  unit: string;
  now: Value;
  low: Value;
  high: Value;
  at_low: number;
  at_high: number;
  /** What speaks against that end, or why it is another than meant. */
  low_note: string;
  high_note: string;
  /** Where the range comes from. */
  why: string;
}

export interface Sensitivity {
  chart: string;
  link: string;
  metric: string;
  label: string;
  unit: string;
  value: number | null;
  rows: Swing[];
  problems: Problem[];
}

/** A config.json as the core understood it. */
export interface Imported {
  name: string;
  patch: Patch;
  link: string;
  problems: Problem[];
}

/** What differs between scenarios. */
export interface Comparison {
  /** Of all of them: the first, and what the others change. */
  link: string;
  scenarios: { link: string }[];
  inputs: { path: string; values: (Value | null)[] }[];
  metrics: { id: string; values: (number | null)[] }[];
}

/** Where the facts of this scenario come from. */
export interface Quotes {
  model?: Row;
  gpu?: Row;
  recipe?: Row;
  stack?: Row;
  price?: { own: boolean; listed: number | null; rows: Price[] };
}

/** A row of the catalog. */
export interface Row {
  id: string;
  name: string;
  family?: string;
  year?: number;
  source?: string;
  as_of?: string;
  note?: string;
  published_params?: number;
  published_exact?: boolean;
  published_source?: string;
}

export interface Choice {
  id: string;
  label: string;
}

export interface Field {
  path: string;
  key: string;
  group: string;
  type: 'number' | 'flag' | 'choice' | 'name';
  unit: string;
  whole?: boolean;
  optional?: boolean;
  min?: number;
  max?: number;
  default: Value | null;
  label: string;
  help: string;
  tasks: Task[];
  basic?: boolean;
  choices?: Choice[];
}

export interface Metric {
  id: string;
  symbol: string;
  unit: string;
  label: string;
  help: string;
  kind: Kind;
  source: string[];
  stage: string;
}

export interface Source {
  author: string;
  year: number;
  title: string;
  url: string;
}

export interface Price {
  accelerator: string;
  provider: string;
  provider_name?: string;
  terms: string;
  usd_per_hour: number;
  date: string;
  source: string;
  url?: string;
  instance?: string;
  count?: number;
}

/** Null where an idea does not apply: an integer has no exponent. */
export interface NumberFormat {
  id: string;
  label: string;
  storage: boolean;
  bits: number;
  sign_bits: number;
  exponent_bits: number;
  mantissa_bits: number;
  bias: number | null;
  max: number | null;
  min_normal: number | null;
  min_subnormal: number | null;
  epsilon: number | null;
  digits: number | null;
  infinity: boolean;
  note: string;
  source: string;
}

export interface Example {
  id: string;
  task: Task;
  title: string;
  link: string;
}

export interface Schema {
  version: string;
  v: number;
  snapshots: string[];
  groups: Choice[];
  fields: Field[];
  metrics: Metric[];
  sources: Record<string, Source>;
  models: Row[];
  accelerators: Row[];
  recipes: Row[];
  stacks: Row[];
  prices: Price[];
  formats: NumberFormat[];
  laws: (Choice & { domain?: string; source?: string })[];
  examples: Example[];
}

export interface ReplayItem {
  label: string;
  figure: string;
  /** Null when the document prints no number. */
  expected: number | null;
  value: number | null;
  unit: string;
  difference: number | null;
  verdict: 'same' | 'explained' | 'added';
  why?: string;
  op?: '' | 'ratio' | 'saving' | 'difference';
  link: string;
  baseline_link?: string;
  metric: string;
}

export interface ReplayRow {
  id: string;
  document: string;
  place: string;
  title: string;
  note: string;
  items: ReplayItem[];
}

export interface Document {
  id: string;
  title: string;
  author: string;
  date: string;
  url: string;
  kind?: string;
}

export interface Replays {
  documents: Document[];
  rows: ReplayRow[];
}

export interface Axis {
  path: string;
  values?: number[];
  from?: number;
  to?: number;
  count?: number;
  scale?: 'log' | 'linear';
}

export interface SweepRequest {
  scenario: Patch;
  axes: Axis[];
  metrics: string[];
}

/** A number and how it is said. */
export interface Fact {
  id: MetricId;
  label: string;
  text: string;
  value: number;
  /** The canonical unit of the value. */
  unit: string;
  kind: Kind;
  /** `61–68 d`, or empty where the model states no error. */
  band: string;
}

export interface Facts {
  task: Task;
  /** `Llama 3.1 405B on 16,384 × NVIDIA H100 SXM5 80GB` */
  title: string;
  sentence: string;
  verdict: { severity: Finding['severity']; text: string };
  /** The key numbers, the most important first; those that do not apply are left out. */
  rows: Fact[];
  link: string;
  /** The month of the catalog. */
  d: string;
  version: string;
}
