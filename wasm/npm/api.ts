// SPDX-License-Identifier: MIT
// The calls of the package over the core's texts. Bad values come back as problems in the answer; only
// an argument of a wrong type throws, with what to pass instead.
import type {
  Answer,
  Calibration,
  ChartData,
  ChartRequest,
  Comparison,
  Field,
  Finding,
  Imported,
  Launch,
  LaunchRequest,
  Measured,
  Metric,
  PlanRequest,
  Plans,
  Problem,
  Replays,
  Schema,
  Sensitivity,
  Source,
  Step,
  StepDetail,
  SweepRequest,
  Task,
  Value,
  Fact,
  BestModel,
  BudgetRequest,
  Kind,
} from '../../web/src/api';
import type { MetricId, Patch } from '../../web/src/types.generated';
import { factsOf } from '../../web/src/facts';
import { names, parse } from '../../web/src/formula';
import { calculatorAddress, elementSnippet, fallback, iframeSnippet } from '../../web/src/snippets';
import { fromRow, search as find, type Option } from '../../web/src/search';
import { format } from '../../web/src/units';
import { sentence, stepOf, tables, textOf, valueOf, type Tables } from '../../web/src/view';
import type { Envelope as Core } from '../envelope';
import { embeddingOf, isObject, jsonOf, kScenario, textOfScenario, wrong } from './arguments';

export type * from '../../web/src/api';
export type { Key, MetricId, Path } from '../../web/src/types.generated';
export type { Core, Patch };

/** A link, with or without the address before it, or a patch: the inputs that differ from the defaults. */
export type Scenario = string | Patch;

/** A finding with its words and numbers put together. */
export interface Said extends Finding {
  text: string;
}

/** The core's answer, and the same said. */
export interface Result extends Omit<Answer, 'verdict' | 'findings'> {
  /** The number of each metric in its canonical unit; NaN where it does not apply. */
  values: Readonly<Record<MetricId, number>>;
  task: Task;
  /** `Llama 3.1 405B on 16,384 × NVIDIA H100 SXM5 80GB` */
  title: string;
  sentence: string;
  /** The key numbers with their labels and texts, the most important first. */
  rows: Fact[];
  verdict: Said & { fits: boolean };
  findings: Said[];
}

export interface Found {
  kind: 'model' | 'accelerator' | 'input' | 'metric';
  /** What to write: an id of the catalog, a path of the inputs, or a metric. */
  id: string;
  label: string;
  detail: string;
}

export interface Decoded {
  patch: Patch;
  /** The same scenario as a canonical link. */
  link: string;
  problems: Problem[];
}

export interface Sweep {
  /** Paths of the axes, then metrics. */
  columns: string[];
  /** One row a point; NaN where a metric does not apply. */
  rows: number[][];
  problems: Problem[];
}

export interface Embed {
  home: string;
  view?: 'line' | 'card' | 'bar' | 'chart' | 'table' | 'full';
  /** Link keys that the reader may change. */
  edit?: readonly string[];
  theme?: 'auto' | 'light' | 'dark';
  /** By which links in the text find the embed. */
  id?: string;
  as?: 'element' | 'frame' | 'text';
}

/** A metric with its formula, and the values that stand in it. */
export interface Explanation {
  id: string;
  label: string;
  symbol: string;
  unit: string;
  kind: Kind | '';
  value: number;
  text: string;
  /** `6*params.active`; empty where the value is an input or is chosen among several. */
  formula: string;
  /** The formula with the exact value of each name. */
  substituted: string;
  inputs: { id: string; label: string; value: Value | null; text: string; unit: string }[];
  sources: (Source & { id: string })[];
  /** The canonical link of the scenario. */
  link: string;
  problems: Problem[];
}

export interface Envelope {
  readonly version: string;
  /** One scenario, worked out; the default one without an argument. */
  calc(scenario?: Scenario): Result;
  /** The inputs, metrics, sources and the catalog. */
  schema(): Schema;
  /** Rows of the catalog, inputs and metrics in which every word occurs. */
  search(words: string, options?: { kind?: Found['kind']; limit?: number }): Found[];
  /** The canonical link of a patch. */
  encode(patch: Patch): string;
  decode(link: string): Decoded;
  /** The inputs and metrics in which scenarios differ. */
  compare(scenarios: readonly Scenario[]): Comparison & { problems: Problem[] };
  /** Metrics over one or more inputs. */
  sweep(request: Omit<SweepRequest, 'scenario'> & { scenario?: Scenario }): Sweep;
  explain(id: MetricId, scenario?: Scenario): Explanation;
  /** The pipeline schedule of one training step, and its operations on the roofline. */
  step(scenario?: Scenario): StepDetail;
  /** The patch with which the predicted step, tokens/s per GPU or MFU is the one that was measured. */
  calibrate(measured: Omit<Measured, 'scenario'> & { scenario?: Scenario }): Calibration;
  /**
   * The size and the tokens with the least loss that a budget pays for, with a planned layout; with
   * `served` tokens also the model that is as good and cheapest to train and serve.
   */
  bestModel(budget: BudgetRequest): BestModel;
  /** The files and commands that start a scenario with a launcher, such as megatron-lm or vllm. */
  launch(request?: Omit<LaunchRequest, 'scenario'> & { scenario?: Scenario }): Launch;
  /** The best layouts of a scenario, and why the others were rejected. */
  plan(request?: Omit<PlanRequest, 'scenario'> & { scenario?: Scenario }): Plans;
  /** How far a metric moves when each input alone goes to the ends of its plausible range. */
  sensitivity(scenario?: Scenario, metric?: MetricId): Sensitivity;
  /** A metric at each value of one or two inputs, with what cannot run there. */
  chart(request: Omit<ChartRequest, 'scenario'> & { scenario?: Scenario }): ChartData;
  /** A model from the text of its Hugging Face config.json, or from the parsed object. */
  importConfig(config: string | object): Imported;
  /** The calculations of the four documents, redone. */
  replays(): Replays;
  /**
   * HTML that shows a scenario in another page: the live element with its text, a frame, or the text
   * alone. `home` is the address of the calculator and ends in a slash.
   */
  embed(scenario: Scenario, options: Embed): string;
  /** A value in a canonical unit as text: `format(3.2e9, 'byte')` is `3.20 GB`. */
  format(value: number, unit: string): string;
  /** The calls of the core itself: texts in, texts out. */
  readonly core: Core;
}

const problem = (path: string, code: string, message: string, hint: string): Problem => ({
  path,
  severity: 'error',
  code,
  message,
  hint,
  value: '',
});

function valuesOf({ schema }: Tables, answer: Answer): Record<MetricId, number> {
  const steps = new Map(answer.steps.map((s: Step) => [s.id, s.value]));
  return Object.fromEntries(schema.metrics.map(({ id }) => [id, steps.get(id) ?? NaN])) as Record<
    MetricId,
    number
  >;
}

function resultOf(known: Tables, answer: Answer): Result {
  const facts = factsOf(known, answer);
  const say = (finding: Finding): Said => ({
    ...finding,
    text: sentence(known, answer, finding.message),
  });
  return {
    ...answer,
    values: valuesOf(known, answer),
    task: facts.task,
    title: facts.title,
    sentence: facts.sentence,
    rows: facts.rows,
    verdict: { ...say(answer.verdict), fits: answer.verdict.code === 'fits' },
    findings: answer.findings.map(say),
  };
}

function everything(schema: Schema): (Option & Found)[] {
  const input = (f: Field) => ({ id: f.path, label: f.label, detail: f.key });
  const metric = (m: Metric) => ({ id: m.id, label: m.label, detail: m.unit });
  return [
    ...schema.models.map((row) => ({ kind: 'model' as const, ...fromRow(row) })),
    ...schema.accelerators.map((row) => ({ kind: 'accelerator' as const, ...fromRow(row) })),
    ...schema.fields.map((row) => ({ kind: 'input' as const, ...input(row) })),
    ...schema.metrics.map((row) => ({ kind: 'metric' as const, ...metric(row) })),
  ];
}

/** A name of a formula: a metric, or an input by its path. */
function inputOf(known: Tables, answer: Answer, id: string): Explanation['inputs'][number] {
  const metric = known.metrics.get(id);
  if (metric) {
    const value = valueOf(answer, id) ?? NaN;
    return { id, label: metric.label, value, text: textOf(known, id, value), unit: metric.unit };
  }
  const field = known.fields.get(id);
  const value = answer.inputs[id] ?? null;
  const unit = field?.unit ?? '';
  const text = typeof value === 'number' ? format(value, unit) : String(value ?? '–');
  return { id, label: field?.label ?? id, value, text, unit };
}

const kName = /[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+/gi;

function explanation(known: Tables, answer: Answer, id: string): Explanation {
  const metric = known.metrics.get(id);
  const value = valueOf(answer, id) ?? NaN;
  const formula = stepOf(answer, id)?.formula ?? '';
  const inputs = names(parse(formula)).map((name) => inputOf(known, answer, name));
  const values = new Map(inputs.map((i) => [i.id, i.value]));
  const number = (name: string) => {
    const found = values.get(name);
    if (typeof found === 'boolean') return found ? '1' : '0'; // a flag counts in a formula
    return typeof found === 'number' && Number.isFinite(found) ? String(found) : name;
  };
  const missing = problem(
    id,
    'unknown_metric',
    `"${id}" is not a metric.`,
    'search(words, { kind: "metric" }) finds them; schema().metrics lists them.',
  );
  return {
    id,
    label: metric?.label ?? '',
    symbol: metric?.symbol ?? '',
    unit: metric?.unit ?? '',
    kind: metric?.kind ?? '',
    value,
    text: metric ? textOf(known, id, value) : '–',
    formula,
    substituted: formula.replace(kName, number),
    inputs,
    sources: (metric?.source ?? []).flatMap((name) => {
      const source = known.schema.sources[name];
      return source ? [{ id: name, ...source }] : [];
    }),
    link: answer.link,
    problems: [...(metric ? [] : [missing]), ...answer.problems],
  };
}

function sweepOf(core: Core, request: Parameters<Envelope['sweep']>[0]): Sweep {
  if (!isObject(request) || !Array.isArray(request.axes) || !Array.isArray(request.metrics))
    wrong(
      'sweep()',
      "{ scenario, axes: [{ path: 'cluster.gpus', values: [8, 16] }], metrics: ['time.total'] }",
      request,
    );
  const text = textOfScenario('sweep()', request.scenario);
  const scenario = isObject(request.scenario) ? (request.scenario as Patch) : text;
  const numbers = core.sweep(jsonOf({ ...request, scenario }));
  const columns = [...request.axes.map((axis) => axis?.path), ...request.metrics];
  if (numbers.length === 0)
    return {
      columns,
      rows: [],
      problems: [
        problem(
          '',
          'no_points',
          'The request names an unknown path or metric, or has no points.',
          'search(words) finds paths and metrics; an axis has values, or from, to and count.',
        ),
      ],
    };
  const rows = Array.from({ length: numbers.length / columns.length }, (_, i) => [
    ...numbers.subarray(i * columns.length, (i + 1) * columns.length),
  ]);
  return { columns, rows, problems: [] };
}

export function wrap(core: Core): Envelope {
  const schema = JSON.parse(core.schema()) as Schema;
  const known = tables(schema);
  const all = everything(schema);
  const estimate = (call: string, scenario: unknown) =>
    JSON.parse(core.estimate(textOfScenario(call, scenario))) as Answer;

  return {
    version: schema.version,
    core,
    schema: () => schema,
    calc: (scenario) => resultOf(known, estimate('calc()', scenario)),
    search(words, { kind, limit = 20 } = {}) {
      if (typeof words !== 'string') wrong('search()', "words such as 'llama 70b'", words);
      const rows = kind ? all.filter((row) => row.kind === kind) : all;
      return find(rows, words)
        .slice(0, limit)
        .map(({ kind, id, label, detail }) => ({ kind, id, label, detail }));
    },
    encode(patch) {
      if (!isObject(patch)) wrong('encode()', "a patch such as { 'model.id': 'gpt2' }", patch);
      return estimate('encode()', patch).link;
    },
    decode(link) {
      if (typeof link !== 'string') wrong('decode()', "a link such as 'model=gpt2&n=8'", link);
      const { patch, link: canonical, problems } = JSON.parse(core.open(link)) as Decoded;
      return { patch, link: canonical, problems };
    },
    compare(scenarios) {
      if (!Array.isArray(scenarios))
        wrong('compare()', `an array of scenarios, each ${kScenario}`, scenarios);
      for (const scenario of scenarios) textOfScenario('compare()', scenario);
      return JSON.parse(core.compare(jsonOf({ scenarios })));
    },
    sweep: (request) => sweepOf(core, request),
    explain(id, scenario) {
      if (typeof id !== 'string') wrong('explain()', "a metric such as 'time.total'", id);
      return explanation(known, estimate('explain()', scenario), id);
    },
    step: (scenario) => JSON.parse(core.step(textOfScenario('step()', scenario))),
    calibrate(measured) {
      if (!isObject(measured))
        wrong('calibrate()', "{ scenario, quantity: 'step_s', value: 3.2 }", measured);
      const text = textOfScenario('calibrate()', measured.scenario);
      const scenario = isObject(measured.scenario) ? measured.scenario : text;
      return JSON.parse(core.calibrate(jsonOf({ ...measured, scenario })));
    },
    bestModel(budget) {
      if (!isObject(budget)) wrong('bestModel()', '{ scenario, usd: 2e6 }', budget);
      const text = textOfScenario('bestModel()', budget.scenario);
      const scenario = isObject(budget.scenario) ? budget.scenario : text;
      return JSON.parse(core.bestModel(jsonOf({ ...budget, scenario })));
    },
    plan(request = {}) {
      if (!isObject(request)) wrong('plan()', "{ scenario: 'model=llama-3.1-8b&n=64' }", request);
      const text = textOfScenario('plan()', request.scenario);
      const scenario = isObject(request.scenario) ? request.scenario : text;
      return JSON.parse(core.plan(jsonOf({ ...request, scenario })));
    },
    sensitivity(scenario, metric) {
      const text = textOfScenario('sensitivity()', scenario);
      if (metric === undefined) return JSON.parse(core.sensitivity(text));
      const asked = { scenario: isObject(scenario) ? scenario : text, metric };
      return JSON.parse(core.sensitivity(jsonOf(asked)));
    },
    chart(request) {
      if (!isObject(request)) wrong('chart()', "{ scenario, x: 'cluster.gpus' }", request);
      const text = textOfScenario('chart()', request.scenario);
      const scenario = isObject(request.scenario) ? request.scenario : text;
      return JSON.parse(core.chart(jsonOf({ ...request, scenario })));
    },
    launch(request = {}) {
      if (!isObject(request)) wrong('launch()', "{ scenario: 'model=llama-3.1-8b&n=64' }", request);
      const text = textOfScenario('launch()', request.scenario);
      const scenario = isObject(request.scenario) ? request.scenario : text;
      return JSON.parse(core.launch(jsonOf({ ...request, scenario })));
    },
    importConfig(config) {
      if (typeof config !== 'string' && !isObject(config))
        wrong('importConfig()', 'the text of a config.json, or the object in it', config);
      return JSON.parse(core.importConfig(isObject(config) ? JSON.stringify(config) : config));
    },
    embed(scenario, options) {
      const [embedding, as] = embeddingOf(schema, options);
      const facts = factsOf(known, estimate('embed()', scenario));
      if (as === 'frame') return iframeSnippet(facts, embedding);
      if (as === 'text') return fallback(facts, calculatorAddress(facts.link, embedding));
      return elementSnippet(facts, embedding);
    },
    replays: () => JSON.parse(core.replays()),
    format(value, unit) {
      if (typeof value !== 'number') wrong('format()', 'a number and its unit', value);
      return format(value, unit);
    },
  };
}
