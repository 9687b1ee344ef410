// SPDX-License-Identifier: MIT
// The calls of the WASM module. Texts are JSON; their types are generated from the core's tables.

/** A scenario: a link such as `v=1&model=gpt2`, or a patch as JSON text. */
type ScenarioText = string;

export interface Envelope {
  /** The tables: fields, metrics, sources, and the names of the catalog. */
  schema(): string;
  /** Decodes a link into its patch, canonical link and problems. */
  open(link: string): string;
  /** One scenario, worked out, with every step, finding and problem. */
  estimate(scenario: ScenarioText): string;
  /** `{"scenarios": [patch | link, ...]}` to the inputs and metrics that differ. */
  compare(request: string): string;
  /** The text of a Hugging Face config.json to `{name, patch, link, problems}`. */
  importConfig(text: string): string;
  /** The calculations of the four documents, redone. */
  replays(): string;
  /** The pipeline schedule of one training step, and its operations on the roofline. */
  step(scenario: ScenarioText): string;
  /**
   * `{"scenario": patch | link, "quantity": "step_s" | "tokens_per_s_per_gpu" | "mfu", "value": number}`
   * to the `{patch, problems}` with which the prediction is what was measured.
   */
  calibrate(request: string): string;
  /** `{"scenario": patch | link, ...}` to the best layouts, in slices; the request is in docs/plans.md. */
  plan(request: string): string;
  /** `{"scenario": patch | link, "launcher"?: id}` to the files that start it with that software. */
  launch(request: string): string;
  /**
   * `{"scenario": patch | link, "usd"?, "flop"?, "days"?, "served"?: tokens}` to the size and tokens
   * with the least loss for the budget, and the model that is cheapest to train and serve.
   */
  bestModel(request: string): string;
  /**
   * A scenario, or `{"scenario": patch | link, "metric"?: id}`, to what moves that output most:
   * `{metric, label, unit, value, rows: [{path, label, unit, now, low, high, at_low, at_high, low_note,
   * high_note, why}], problems}`, the largest swing first.
   */
  sensitivity(request: string): string;
  /**
   * A link with `x`, `y` and `z`, or `{"scenario": patch | link, "x"?: path, "x_from"?, "x_to"?, "y"?,
   * ..., "metric"?: id}`, to the output at every value of one or two inputs, the second fastest:
   * `{chart, link, metric, label, unit, value, x, y, values, marks, reasons, sentences, problems}`.
   * Marks: 0, 1 where memory is too small, 2 where a rule is broken.
   */
  chart(request: string): string;
  /** Rows of numbers: the axis values, then the metrics; NaN where a metric does not apply. */
  sweep(request: string): Float64Array;
}

export interface EnvelopeOptions {
  /** Where the .wasm file is; by default beside the script. */
  locateFile?(path: string, scriptDirectory: string): string;
  /** The bytes of the .wasm file; required in Node. */
  wasmBinary?: ArrayBuffer | Uint8Array;
}

/** The default export of envelope.mjs; the global `createEnvelope` of envelope.single.js. */
export default function createEnvelope(options?: EnvelopeOptions): Promise<Envelope>;
