// SPDX-License-Identifier: MIT
// The declarations, read by strict consumers, and the manifest, read by publint.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { clean, kPackage, project, ran, require } from './consumer.mjs';

after(clean);

const kSource = `
import { load, type Envelope, type Result, type Scenario } from 'llm-envelope';
import { load as loadInline } from 'llm-envelope/inline';
import type { Key, MetricId, Path } from 'llm-envelope/types';
import 'llm-envelope/element';

const envelope: Envelope = await load();
await loadInline({ wasm: new URL('https://example.org/core.wasm') });
const scenario: Scenario = { 'model.id': 'gpt2', 'cluster.gpus': 8 };
const result: Result = envelope.calc(scenario);
const bytes: number = result.values['memory.total'];
const fits: boolean = result.verdict.fits;
const id: MetricId = result.rows[0]!.id;
const path: Path = 'cluster.gpus';
const key: Key = 'n';
const again: Result = envelope.calc(result.patch);
const rows: number[][] = envelope.sweep({
  scenario: result.link,
  axes: [{ path, from: 8, to: 64, count: 4, scale: 'log' }],
  metrics: [id, 'time.total'],
}).rows;
// @ts-expect-error a metric that does not exist
result.values['memory.nothing'];
// @ts-expect-error an input that does not exist
envelope.calc({ 'cluster.nothing': 8 });
// @ts-expect-error neither a link nor a patch
envelope.calc(8);
export { again, bytes, fits, key, rows };
`;

for (const [moduleResolution, module] of [
  ['bundler', 'esnext'],
  ['node16', 'node16'],
])
  // prettier-ignore
  test(`types with moduleResolution ${moduleResolution}`, async () => {
    const compilerOptions = {
      target: 'es2022', lib: ['es2022', 'dom'], module, moduleResolution, types: [], strict: true,
      noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false,
      noEmit: true,
    }; // prettier-ignore
    const at = await project({
      'main.ts': kSource,
      'tsconfig.json': JSON.stringify({ compilerOptions, include: ['main.ts'] }),
    });
    const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
    const { status, stdout } = await ran(process.execPath, [tsc, '-p', at], { cwd: at });
    assert.deepEqual([stdout, status], ['', 0]);
  });

test('publint has nothing to say', async () => {
  const { publint } = await import(pathToFileURL(require.resolve('publint')).href);
  const { formatMessage } = await import(pathToFileURL(require.resolve('publint/utils')).href);
  const { messages, pkg } = await publint({ pkgDir: kPackage, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
});
