// SPDX-License-Identifier: MIT
// Writes the texts that the page loads when someone reads them: help, citations and sources. The
// page's core carries none, to be small.
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const core = resolve(process.env.ENVELOPE_WASM ?? resolve(import.meta.dirname, '../build/wasm'));
const { default: createEnvelope } = await import(pathToFileURL(join(core, 'envelope.mjs')).href);
const envelope = await createEnvelope({ wasmBinary: await readFile(join(core, 'envelope.wasm')) });
const { fields, metrics, sources } = JSON.parse(envelope.schema());
const texts = {
  fields: Object.fromEntries(fields.map(({ path, help }) => [path, help])),
  metrics: Object.fromEntries(metrics.map(({ id, help, source }) => [id, { help, source }])),
  sources,
};
await writeFile(join(core, 'texts.json'), JSON.stringify(texts));
