// SPDX-License-Identifier: MIT
// What the templates see: the tables of the core, the state, and what a person opened on this screen.
import { html } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type {
  Answer,
  Comparison,
  Field,
  Kind,
  Metric,
  Part,
  Schema,
  Patch,
  Source,
  Step,
  StepDetail,
  Task,
  Value,
} from './api';
import type { State } from './state';
import type { Path } from './types.generated';
import { between, format, roughly, significant } from './units';

export interface Tables {
  schema: Schema;
  fields: ReadonlyMap<string, Field>;
  metrics: ReadonlyMap<string, Metric>;
}

/** What is loaded when its panel opens. */
export type PanelName = 'timeline' | 'roofline';

type Draw = (view: View, actions: Actions, detail: StepDetail) => unknown;

/** Scenarios side by side, and what draws them. */
export interface Compared extends Comparison {
  answers: readonly Answer[];
  draw(view: View, actions: Actions): unknown;
  /** Which of them the form edits. */
  tabs(view: View, actions: Actions): unknown;
}

/** One more, one from outside; one replaced, one in the form; then one in place of A, alone, or gone. */
export type ColumnAction = 'add' | 'with' | 'put' | 'edit' | 'swap' | 'keep' | 'remove';

export interface View extends Tables {
  state: State;
  /** Things unfolded: `group:run`, `step:compute.train`, `table:time`. */
  open: ReadonlySet<string>;
  /** Everything unfolded, for paper. */
  printing: boolean;
  /** The metrics visited in the derivation panel; the last one is shown. */
  trail: readonly string[];
  combo: { path: string; query: string; active: number } | null;
  /** Words that the inputs shown must have. */
  find: string;
  /** Columns of numbers for the charts, by chart. */
  sweeps: Readonly<Record<string, number[][]>>;
  /** Width in CSS pixels that a chart may take; 0 before it is known. */
  width: number;
  hover: { chart: string; x: number } | null;
  /** A short message of the page itself: a crash, a copied link. */
  status: string;
  copied: '' | 'done' | 'by-hand';
  comparison: Compared | null;
  /** What draws the answer to what is asked for. */
  solving: ((view: View, actions: Actions) => unknown) | null;
  /** What another scenario or model took the place of, and the way back. */
  undo: { said: string; word: 'Undo' | 'Redo'; back(): void } | null;
  panels: Readonly<Record<PanelName, Draw>> | null;
  /** What the open panels show. */
  detail: StepDetail | null;
}

export interface Actions {
  edit(path: string, value: Value): void;
  settle(): void;
  step(path: string, direction: 1 | -1): void;
  reset(path: string): void;
  /** Several inputs at once, with a way back. */
  apply(patch: Patch, said: string): void;
  /** The scenario with this patch, beside it; false where there are four already. */
  compareWith(patch: Patch): Promise<boolean>;
  calibrate(): void;
  toggle(key: string, open: boolean): void;
  show(id: string): void;
  back(): void;
  close(): void;
  field(path: string): void;
  combo(combo: View['combo']): void;
  find(words: string): void;
  hover(hover: View['hover']): void;
  /** What is done with the scenario `i` of a comparison; without it, with the one in the form. */
  column(action: ColumnAction, i?: number): void;
  /** Chooses what is worked out: an unknown of the core, or the first or second of the results. */
  ask(what: string): void;
  importConfig(file?: File): void;
  share(): void;
  copyLink(): void;
  copySentence(): void;
  copyText(text: string): void;
}

export function tables(schema: Schema): Tables {
  return {
    schema,
    fields: new Map(schema.fields.map((f) => [f.path, f])),
    metrics: new Map(schema.metrics.map((m) => [m.id, m])),
  };
}

export function createView(schema: Schema, state: State): View {
  return {
    ...tables(schema),
    state,
    open: new Set(),
    printing: false,
    trail: [],
    combo: null,
    find: '',
    sweeps: {},
    width: 0,
    hover: null,
    status: '',
    copied: '',
    comparison: null,
    solving: null,
    undo: null,
    panels: null,
    detail: null,
  };
}

export const answerOf = (view: Pick<View, 'state'>): Answer => view.state.good as Answer;

export function stepOf(answer: Answer, id: string): Step | undefined {
  return answer.steps.find((s) => s.id === id);
}

export function valueOf(answer: Answer, id: string): number | undefined {
  const value = stepOf(answer, id)?.value;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export const taskOf = (answer: Answer): Task => (answer.inputs['run.task'] ?? 'pretrain') as Task;

export const textOf = (tables: Tables, id: string, value: number): string =>
  format(value, tables.metrics.get(id)?.unit ?? '');

/** An end of a range: as rough as the range itself. */
function aboutOf(tables: Tables, id: string, value: number): string {
  const unit = tables.metrics.get(id)?.unit;
  if (unit === 'second') return roughly(value);
  if (unit === 'ratio' && value < 1) return `${significant(value * 100, 2)}\u00a0%`;
  return textOf(tables, id, value);
}

/** `61–68 d`, or empty where the model states no error. */
export function bandOf(tables: Tables, answer: Answer, id: string): string {
  const [low, high] = [valueOf(answer, `${id}_low`), valueOf(answer, `${id}_high`)];
  if (low === undefined || high === undefined) return '';
  return between(aboutOf(tables, id, low), aboutOf(tables, id, high));
}

/** Whose the MFU is. */
export type MfuFrom = 'assumed' | 'given' | 'predicted' | 'typical';

export function mfuFrom(answer: Answer): MfuFrom {
  const given = (path: Path) => typeof answer.inputs[path] === 'number';
  if (given('run.mfu')) return 'assumed';
  if (given('run.gpu_time')) return 'given';
  return valueOf(answer, 'step.matmul') === undefined ? 'typical' : 'predicted';
}

/** A sentence of the core as plain text. */
export function sentence(tables: Tables, answer: Answer, parts: readonly Part[]): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part;
      const value = valueOf(answer, part.metric);
      return value === undefined ? '–' : textOf(tables, part.metric, value);
    })
    .join('');
}

/** A number that opens its derivation. */
export function door(view: View, actions: Actions, id: string, label = ''): TemplateResult {
  const value = valueOf(answerOf(view), id);
  const metric = view.metrics.get(id);
  if (value === undefined || !metric) return html`<span class="none">–</span>`;
  const text = textOf(view, id, value);
  return html`<button
    type="button"
    class="door"
    data-metric=${id}
    title=${`${metric.label}: ${value}. Show the work.`}
    aria-label=${label ? `${label}: ${text}` : text}
    aria-haspopup="dialog"
    @click=${() => actions.show(id)}>${text}</button>`;
}

/** A sentence of the core whose numbers are doors. */
export function prose(view: View, actions: Actions, parts: readonly Part[]): unknown[] {
  return parts.map((part) => (typeof part === 'string' ? part : door(view, actions, part.metric)));
}

export const kKinds: Record<Kind, string> = {
  counted: 'Exact arithmetic on the inputs.',
  modelled:
    'A formula with an error. Where a range is shown, four of five comparable published runs lie in it.',
  assumed: 'Someone chose this: you, or a dated default.',
  quoted: 'Read from a dated source.',
};

export function chip(kind: Kind): TemplateResult {
  return html`<span class="chip ${kind}" title=${kKinds[kind]}>${kind}</span>`;
}

export function kindOf(tables: Tables, id: string): Kind | undefined {
  return tables.metrics.get(id)?.kind;
}

const kStages: Record<string, string> = {
  flops: 'One weight, one token',
  arch: 'Architecture',
  params: 'Parameters',
  tune: 'Adapters',
  compute: 'Compute',
  bytes: 'Bytes per value',
  act: 'Activations of a layer',
  memory: 'Memory, undivided',
  rank: 'Fullest GPU',
  kv: 'KV cache',
  time: 'Time',
  physics: 'Constants of the step',
  op: 'Operations of a layer',
  step: 'One step',
  goodput: 'Goodput',
  mfu: 'Utilisation of model FLOPs',
  hfu: 'Utilisation of hardware FLOPs',
  layout: 'Layout on GPUs',
  gpus: 'GPUs',
  serving: 'Serving',
  cost: 'Cost',
  fit: 'Largest model that fits',
  scaling: 'Scaling law',
};

export const stageTitle = (stage: string): string => kStages[stage] ?? stage;

/** `Kaplan et al., 2020`, as a link where the source has an address: some slides have neither. */
export function cited(s: Source): unknown {
  const name = s.year ? `${s.author}, ${s.year}` : s.author;
  return s.url
    ? html`<a href=${s.url} target="_blank" rel="noopener noreferrer">${name}</a>`
    : name;
}
