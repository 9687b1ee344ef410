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
