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

export interface Answer {
  version: string;
  v: number;
  d: string;
  link: string;
  patch: Patch;
  inputs: Record<string, Value | null>;
  summary: Part[];
  verdict: Finding;
  steps: Step[];
  findings: Finding[];
  memory?: Memory;
  quotes?: Quotes;
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
  /** `61 d – 68 d`, or empty where the model states no error. */
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
