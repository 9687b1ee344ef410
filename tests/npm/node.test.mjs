// SPDX-License-Identifier: MIT
// The packed package in Node: imports, the calls, the command line, and the examples of its README.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { same } from '../web/scenarios.mjs';
import { clean, expected, kLinks, kPackage, native, project, ran, text } from './consumer.mjs';

after(clean);

const at = await project();
const { load } = await import(pathToFileURL(join(at, 'node_modules/llm-envelope/node.js')).href);
const envelope = await load();
const answer = async (call, ...args) =>
  JSON.parse((await native([call, ...args, '--json'])).stdout);
const js = async (name, code) => {
  await writeFile(join(at, name), code);
  return ran(process.execPath, [name], { cwd: at });
};

const kNumber = await expected(kLinks[0], 'compute.train');
for (const from of ['llm-envelope', 'llm-envelope/inline'])
  test(`import of ${from}`, async () => {
    const { stdout, stderr } = await js(
      'import.mjs',
      `import { load } from '${from}';
       console.log((await load()).calc('${kLinks[0]}').values['compute.train']);`,
    );
    assert.deepEqual([stdout, stderr], [`${kNumber}\n`, '']);
  });

test('import of llm-envelope/element, for pages that are rendered in Node', async () => {
  const { status, stderr } = await js('element.mjs', "import 'llm-envelope/element';");
  assert.deepEqual([status, stderr], [0, '']);
});

test('require', { skip: !process.features.require_module }, async () => {
  const { stdout } = await js(
    'require.cjs',
    `require('llm-envelope').load().then((e) =>
       console.log(e.calc('${kLinks[0]}').values['compute.train']));`,
  );
  assert.equal(stdout, `${kNumber}\n`);
});

test('the schema without the core, and the core by itself', async () => {
  const { stdout } = await js(
    'parts.cjs',
    `const { load } = require('llm-envelope');
     const fs = require('node:fs');
     const schema = require('llm-envelope/schema.json');
     const wasm = fs.readFileSync(require.resolve('llm-envelope/core.wasm'));
     load({ wasm }).then((e) =>
       console.log(JSON.stringify(e.schema()) === JSON.stringify(schema), schema.version));`,
  );
  const { version } = JSON.parse(await readFile(join(kPackage, 'package.json'), 'utf8'));
  assert.equal(stdout, `true ${version}\n`);
  assert.equal((await native(['version'])).stdout, `${version}\n`);
});

test('calc: numbers, texts and problems are those of the core', async () => {
  for (const link of ['', ...kLinks]) {
    const core = await answer('estimate', link);
    const result = envelope.calc(link);
    for (const { id, value } of core.steps) assert.equal(result.values[id], value ?? NaN, id);
    assert.deepEqual(
      Object.keys(result.values),
      envelope.schema().metrics.map((m) => m.id),
    );
    assert.equal(result.link, core.link);
    assert.deepEqual(result.problems, core.problems);
    assert.equal(result.verdict.fits, core.verdict.code === 'fits');
    for (const said of [
      result.sentence,
      result.verdict.text,
      ...result.findings.map((f) => f.text),
    ])
      assert.match(said, /^[A-Z0-9"$≈].*[.)]$/su);
    assert.deepEqual(envelope.calc(result.patch).values, result.values, 'the patch says the same');
    assert.equal(envelope.encode(result.patch), envelope.decode(result.link).link);
  }
});

test('a number that does not apply is NaN, and has no row', () => {
  const { values, rows } = envelope.calc(kLinks[0]);
  assert.ok(Number.isNaN(values['serving.latency']));
  assert.ok(rows.length > 4 && rows.every((row) => Number.isFinite(row.value) && row.text));
});

test('search: every word, in any order, over catalog, inputs and metrics', () => {
  const ids = (words, options) => envelope.search(words, options).map((row) => row.id);
  assert.ok(ids('70b llama').includes('llama-3.1-70b'));
  assert.ok(ids('h100', { kind: 'accelerator' }).includes('h100-sxm'));
  assert.ok(ids('tensor parallel', { kind: 'input' }).includes('cluster.tp'));
  assert.ok(ids('kv cache', { kind: 'metric' }).includes('memory.kv_cache'));
  assert.deepEqual(ids('no such words'), []);
  assert.equal(ids('', { limit: 7 }).length, 7);
});

test('compare and sweep', async () => {
  const [a, b] = kLinks;
  const { scenarios, metrics } = envelope.compare([a, envelope.calc(b).patch]);
  assert.deepEqual(
    { scenarios, metrics },
    await answer('compare', a, b).then(({ scenarios, metrics }) => ({ scenarios, metrics })),
  );
  const request = {
    scenario: a,
    axes: [{ path: 'cluster.gpus', values: [8, 16, 64] }],
    metrics: ['time.total', 'serving.latency'],
  };
  const { columns, rows, problems } = envelope.sweep(request);
  assert.deepEqual(columns, ['cluster.gpus', 'time.total', 'serving.latency']);
  assert.deepEqual(problems, []);
  for (const [n, time, latency] of rows) {
    assert.equal(time, await expected(`${a}&n=${n}`, 'time.total'));
    assert.ok(Number.isNaN(latency));
  }
  assert.equal(rows.length, 3);
  const bad = envelope.sweep({ ...request, metrics: ['time.nothing'] });
  assert.deepEqual([bad.rows, bad.problems[0].code], [[], 'no_points']);
});

test('explain: the formula with its values gives the value', () => {
  const { steps } = envelope.calc(kLinks[3]);
  let checked = 0;
  for (const { id, value, formula } of steps) {
    const e = envelope.explain(id, kLinks[3]);
    assert.equal(e.value, value ?? NaN);
    assert.equal(e.formula, formula ?? '');
    const plain = /^[-+*/().\de ]+$/.test(e.substituted); // no ceil() and the like
    if (!plain || !Number.isFinite(value)) continue;
    const again = Function(`return ${e.substituted.replaceAll(/(?<![e*])-(?=\d)/g, '- ')}`)();
    assert.ok(Math.abs(again - value) <= 1e-9 * Math.abs(value), `${id} = ${e.substituted}`);
    ++checked;
  }
  assert.ok(checked > 80, `${checked} formulas were worked out again`);
  const unknown = envelope.explain('time.nothing');
  assert.deepEqual([unknown.problems[0].code, unknown.value], ['unknown_metric', NaN]);
});

test('embed: what authors paste has the numbers and the link in it', () => {
  const home = 'https://example.org/';
  const { rows, sentence, link } = envelope.calc(kLinks[1]);
  const element = envelope.embed(kLinks[1], { home, view: 'bar', edit: ['batch'], id: 'demo' });
  assert.match(
    element,
    /^<llm-envelope src="https:\/\/example\.org\/e\/#v=1&amp;[^"]*&amp;view=bar/,
  );
  for (const part of [
    'edit=batch',
    'id="demo"',
    sentence,
    rows[0].text,
    link.replaceAll('&', '&amp;'),
  ])
    assert.ok(element.includes(part), part);
  assert.match(envelope.embed(kLinks[1], { home, as: 'frame' }), /^<iframe [^>]*sandbox=/);
  assert.match(envelope.embed(kLinks[1], { home, as: 'text' }), /^<p><b>Llama 3\.1 70B/);
  for (const near of ['http://localhost:8123/', '/envelope/', '../', '//example.org/a/'])
    assert.ok(envelope.embed('', { home: near, as: 'frame' }).includes(`src="${near}e/#`), near);
});

test('embed: an option that is wrong says what to pass, and makes no HTML', () => {
  const home = 'https://example.org/';
  const kWrong = [
    [undefined, /embed\(\) takes options such as \{ home: .*, not undefined/],
    [null, /options such as/],
    [{}, /takes \{ home \}, an address .*, not undefined/],
    [{ home: 'https://example.org' }, /\{ home \}/],
    [{ home: 'https://example.org/?a=/' }, /\{ home \}/],
    [{ home: 'https://example.org/#/' }, /\{ home \}/],
    [{ home: 'javascript:alert(1)/' }, /\{ home \}, an address of http or https .* javascript/],
    [{ home: ' java\nscript:alert(1)/' }, /\{ home \}/],
    [{ home: 'data:text/html,x/' }, /\{ home \}/],
    [{ home, view: 'poster' }, /\{ view \}, one of line, card, .* not string poster/],
    [{ home, view: 'toString' }, /\{ view \}/],
    [{ home, theme: 'blue' }, /\{ theme \}, one of auto, light, dark/],
    [{ home, as: 'iframe' }, /\{ as \}, one of element, frame, text, not string iframe/],
    [{ home, edit: 'n' }, /\{ edit \}, an array of link keys/],
    [{ home, edit: ['n&model=gpt2'] }, /\{ edit \}, .* not string n&model=gpt2/],
    [{ home, edit: ['cluster.gpus'] }, /\{ edit \}/],
    [{ home, edit: [8] }, /\{ edit \}/],
    [{ home, id: 'a b' }, /\{ id \}, a text without spaces/],
    [{ home, id: '' }, /\{ id \}/],
    [{ home, veiw: 'bar' }, /the options home, view, .* not string veiw/],
  ];
  for (const [options, message] of kWrong)
    assert.throws(() => envelope.embed(kLinks[1], options), { name: 'TypeError', message });
});

test('a number that is none comes back as a problem of its field', () => {
  for (const number of [NaN, Infinity, -Infinity]) {
    const said = (found) => found.problems.map((p) => [p.path, p.value]);
    const patch = { 'model.id': 'gpt2', 'cluster.gpus': number };
    const expected = [['cluster.gpus', String(number)]];
    assert.deepEqual(said(envelope.calc(patch)), expected);
    assert.deepEqual(said(envelope.compare([patch, 'n=8'])), expected);
    const axes = (values) => [{ path: 'cluster.gpus', values }];
    const sweep = (values) =>
      envelope.sweep({ axes: axes(values), metrics: ['params.total'] });
    assert.deepEqual(sweep([number]), sweep(['x']), 'like a text that is no number');
  }
});

test('with --json explain and search print what the package gives', async () => {
  const explained = await cli(['explain', 'time.total', kLinks[0], '--json']);
  const e = envelope.explain('time.total', kLinks[0]);
  assert.deepEqual(JSON.parse(explained.stdout), JSON.parse(JSON.stringify(e)));
  const rows = (await cli(['search', 'llama', '70b', '--json'])).stdout.trim().split('\n');
  assert.deepEqual(
    rows.map((row) => JSON.parse(row)),
    envelope.search('llama 70b', { limit: 1000 }),
  );
});

test('importConfig takes the text or the object', () => {
  const config = { architectures: ['GPT2LMHeadModel'], model_type: 'gpt2', n_embd: 768, n_layer: 12,
    n_head: 12, n_positions: 1024, vocab_size: 50257 }; // prettier-ignore
  const imported = envelope.importConfig(config);
  assert.deepEqual(imported, envelope.importConfig(JSON.stringify(config)));
  assert.equal(envelope.calc(imported.link).values['params.total'], 124439808);
  assert.equal(envelope.importConfig('{').problems[0].severity, 'error');
});

test('a wrong argument says what to pass', () => {
  const kWrong = [
    [
      () => envelope.calc(8),
      /calc\(\) takes a link such as .* or a patch such as .*, not number 8/,
    ],
    [
      () => envelope.calc({ 'model.id': ['gpt2'] }),
      /the value of model\.id must be .* not an array/,
    ],
    [() => envelope.encode('model=gpt2'), /encode\(\) takes a patch/],
    [() => envelope.decode({}), /decode\(\) takes a link/],
    [() => envelope.search(), /search\(\) takes words/],
    [() => envelope.compare('model=gpt2'), /compare\(\) takes an array/],
    [() => envelope.sweep({ metrics: [] }), /sweep\(\) takes \{ scenario, axes/],
    [() => envelope.explain(), /explain\(\) takes a metric/],
    [() => envelope.importConfig(1), /importConfig\(\) takes the text/],
  ];
  for (const [call, message] of kWrong) assert.throws(call, { name: 'TypeError', message });
});
test('a wrong place of the core says what to pass', async () => {
  await assert.rejects(load({ wasm: 8 }), {
    name: 'TypeError',
    message: /takes a URL, a Response/,
  });
  const page = new Response('<!doctype html>');
  await assert.rejects(load({ wasm: page }), /is no WebAssembly\..*llm-envelope\/inline/);
  await assert.rejects(load({ wasm: new Uint8Array([1, 2, 3]) }), WebAssembly.CompileError);
});

const bin = join(at, 'node_modules/.bin/llm-envelope');
const cli = (args, options) => ran(bin, args, { cwd: at, ...options });

// The same bytes, but for the last digit of a power where two C libraries differ.
test('the command line prints what the native one prints', async () => {
  const config = join(at, 'config.json');
  await writeFile(config, '{"model_type":"gpt2","n_embd":768,"n_layer":12,"n_head":12}');
  const calls = [
    ...['', ...kLinks].map((link) => ['estimate', link, '--json']),
    ...kLinks.map((link) => ['open', link]),
    ['compare', ...kLinks.slice(0, 3), '--json'],
    ['estimate', '{"model.id":"gpt2"}', '--json'],
    ['import', config, '--json'],
    ['replays', '--json'],
    ['schema'],
    ['version'],
  ];
  for (const call of calls) {
    const [ours, theirs] = [await cli(call), await native(call)];
    assert.deepEqual([ours.status, ours.stderr], [theirs.status, theirs.stderr], call.join(' '));
    if (call[0] === 'version') assert.equal(ours.stdout, theirs.stdout);
    else assert.deepEqual(same(ours.stdout, theirs.stdout), [], call.join(' '));
  }
  const lines = { input: kLinks.join('\n') };
  const [ours, theirs] = [
    await cli(['estimate', '--lines'], lines),
    await native(['estimate', '--lines'], lines),
  ];
  const both = [ours, theirs].map(({ stdout }) => stdout.split('\n'));
  assert.equal(both[0].length, kLinks.length + 1);
  for (const [i, line] of both[0].slice(0, -1).entries())
    assert.deepEqual(same(line, both[1][i]), []);
  const request = JSON.stringify({
    axes: [{ path: 'cluster.gpus', from: 8, to: 1e5, count: 9, scale: 'log' }],
    scenario: kLinks[0],
    metrics: ['time.total', 'cost.total', 'serving.latency'],
  });
  const sweep = ['sweep', request, '--json'];
  assert.deepEqual(JSON.parse((await cli(sweep)).stdout), await answer('sweep', request));
});

test('the command line has the exit statuses of the native one', async () => {
  for (const call of [
    ['estimate', kLinks[0]],
    ['estimate', kLinks[4]],
    ['estimate', '--json', 'n=x'],
    ['nothing'],
    ['import', 'no-such-file'],
    ['help'],
    ['compare', ...kLinks],
    ['import', '-'],
    ['sweep', '{"axes":[],"metrics":[]}'],
  ]) {
    // prettier-ignore
    const [ours, theirs] = [await cli(call), await native(call)];
    assert.equal(ours.status, theirs.status, `${call}: ${ours.stdout}${ours.stderr}`);
    if (ours.status === 1) assert.match(ours.stderr, /\S/, `${call} says what is wrong`);
  }
});

test('the command line for people', async () => {
  const link = kLinks[1];
  const result = envelope.calc(link);
  const { stdout } = await cli(['estimate', link]);
  assert.ok(stdout.startsWith(`${result.sentence}\n${result.verdict.text}\n`));
  assert.match(stdout, /^memory\.kv_cache +26\.8\sGB +counted +KV cache$/mu);
  assert.ok(stdout.endsWith(`link: #${result.link}\n`));
  assert.match((await cli(['explain', 'compute.train_6nd'])).stdout, /= compute\.per_token_6nd\*/);
  assert.match((await cli(['search', '70b', 'llama'])).stdout, /^model +llama-3\.1-70b /m);
  assert.match((await cli(['help'])).stdout, /estimate \[LINK/);
  assert.equal((await cli(['estimate', '--jsno'])).status, 1);
});

test('the examples of the README do what they say', async () => {
  const readme = await text('wasm/npm/README.md');
  const blocks = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  let checked = 0;
  for (const [, language, code] of blocks) {
    if (language === 'js') {
      const { status, stdout, stderr } = await js('example.mjs', code);
      assert.equal(status, 0, stderr);
      const said = stdout.split('\n');
      const promised = [...code.matchAll(/^console\.log\(.*\);(?: \/\/ (.*))?$/gm)];
      for (const [i, [, words]] of promised.entries())
        if (words !== undefined) assert.equal(said[i], words, code);
      checked += promised.length;
    } else if (language === 'sh') {
      for (const line of code
        .trim()
        .split('\n')
        .filter((l) => l.startsWith('npx '))) {
        const { status, stdout } = await ran('sh', ['-c', `npx --no-install ${line.slice(4)}`], {
          cwd: at,
        });
        assert.deepEqual([status, stdout !== ''], [0, true], line);
        ++checked;
      }
    }
  }
  assert.ok(checked >= 16, `${checked} lines were checked`);
});
