// SPDX-License-Identifier: MIT
// The command line for people without a compiler: the commands of core/cli.cpp over the same core. With
// --json the answer is the core's own text, byte for byte, but for explain and search, which the package
// works out over it; a sweep has the same numbers.
import { readFileSync } from 'node:fs';
import type { Answer, Comparison, Envelope, MetricId, Problem, Result } from './api';
import { load } from './node.js';

const kUsage = `llm-envelope: FLOPs, memory, GPUs, time and cost of large language models

  llm-envelope estimate [LINK | JSON | -]   one scenario; the default one without input
  llm-envelope solve LINK                   the unknown that the link names (solve=tokens ...)
  llm-envelope best JSON                    {"scenario", "usd", "served"}: the best model, as JSON
  llm-envelope open LINK                    what a link says, as a patch
  llm-envelope compare LINK LINK ...        what differs, in inputs and results
  llm-envelope sweep JSON                   {"scenario", "axes", "metrics"} as CSV
  llm-envelope chart [LINK | JSON]          the values of a link's chart (x, y, z), as JSON
  llm-envelope sensitivity [LINK | JSON]    what moves a result most, as JSON
  llm-envelope explain METRIC [LINK]        the formula of a number, with its values
  llm-envelope step [LINK | JSON | -]       the schedule of one step and its roofline, as JSON
  llm-envelope calibrate JSON               {"scenario", "quantity", "value"} as a patch
  llm-envelope plan JSON                    {"scenario", "minimise", "limits", "allow"}: the best layouts
  llm-envelope launch JSON                  {"scenario", "launcher"}: the files that start it
  llm-envelope import FILE                  a model from its Hugging Face config.json
  llm-envelope search WORD ...              models, accelerators, inputs and metrics
  llm-envelope replays                      the documents' figures beside ours
  llm-envelope schema                       every field, metric, source and catalog row
  llm-envelope fields                       the keys a link may have
  llm-envelope version

  --json      print JSON and not a table
  --lines     read one input a line from stdin, print one JSON answer a line
  -           read the input from stdin

A LINK is what stands behind # in the address, or the whole address, such as
  'model=llama-3.1-70b&task=serve&n=8&wfmt=fp8-e4m3'
The exit status is 0, 1 for a wrong call, 2 where the input has an error.
`;

const kWrong = 1;
const kHasError = 2;

let out = '';
const print = (line = '') => void (out += `${line}\n`);
const complain = (line: string) => void process.stderr.write(`${line}\n`);
const stdin = () => readFileSync(0, 'utf8');

function printProblems(problems: readonly Problem[]): void {
  for (const p of problems) print(`${p.severity} at ${p.path}: ${p.message} ${p.hint}`);
  if (problems.length) print();
}
const status = (problems: readonly Problem[]): number =>
  problems.some((p) => p.severity === 'error') ? kHasError : 0;

/** The inner workings of a layer are for those who ask: --json, explain. */
const kInner = /^(arch|flops|act|bytes)\./;

function printResult(envelope: Envelope, result: Result): number {
  printProblems(result.problems);
  print(result.sentence);
  print(result.verdict.text);
  for (const { label, per_gpu, fits } of result.verdict.remedies) {
    const size =
      typeof per_gpu === 'number' ? ` -> ${envelope.format(per_gpu, 'byte')} per GPU` : '';
    print(`  try: ${label}${size}${fits ? ', fits' : ''}`);
  }
  const stages = new Map<string, string[]>();
  for (const { id, stage, unit, kind, label } of envelope.schema().metrics) {
    const value = result.values[id as MetricId];
    if (!Number.isFinite(value) || kInner.test(id)) continue;
    const text = envelope.format(value, unit).padStart(22);
    const line = `${id.padEnd(32)} ${text}  ${kind.padEnd(9)} ${label}`;
    stages.set(stage, [...(stages.get(stage) ?? []), line]);
  }
  for (const lines of stages.values()) print(`\n${lines.join('\n')}`);
  print();
  for (const { severity, text } of result.findings) print(`${severity}: ${text}`);
  print(`\nlink: #${result.link}`);
  return status(result.problems);
}

function printComparison(envelope: Envelope, found: Comparison & { problems: Problem[] }): number {
  printProblems(found.problems);
  const { fields, metrics } = envelope.schema();
  const units = new Map([
    ...fields.map((f) => [f.path, f.unit] as const),
    ...metrics.map((m) => [m.id, m.unit] as const),
  ]);
  const row = (id: string, values: readonly unknown[]) => {
    const cells = values.map((v) =>
      typeof v === 'number'
        ? envelope.format(v, units.get(id) ?? '')
        : typeof v === 'boolean'
          ? v
            ? 'on'
            : 'off'
          : String(v ?? '–'),
    );
    print(id.padEnd(32) + cells.map((c) => ` ${c.padStart(20)}`).join(''));
  };
  for (const { path, values } of found.inputs) row(path, values);
  print();
  for (const { id, values } of found.metrics) row(id, values);
  return status(found.problems);
}

function printImported(envelope: Envelope, text: string): number {
  const { name, patch, link, problems } = envelope.importConfig(text);
  printProblems(problems);
  if (Object.keys(patch).length === 0) return status(problems);
  const { values } = envelope.calc(link);
  const [total, active] = [values['params.total'], values['params.active']];
  print(`${name}: ${total} parameters, ${active} active\n`);
  for (const [path, value] of Object.entries(patch)) print(`${path.padEnd(28)} ${value}`);
  print(`\nlink: #${link}`);
  return status(problems);
}

function printReplays(envelope: Envelope): number {
  let document = '';
  for (const row of envelope.replays().rows) {
    if (row.document !== document) print(`\n== ${(document = row.document)}`);
    print(`\n${row.id}  ${row.title}`);
    for (const { label, figure, value, unit, why } of row.items) {
      const ours = value === null ? '–' : envelope.format(value, unit);
      print(`    ${label.padEnd(58)} ${figure.padEnd(28)} ${ours.padStart(18)}`);
      if (why) print(`        ${why}`);
    }
  }
  return 0;
}

function printSolved({ solved, problems }: Answer): number {
  printProblems(problems);
  if (!solved) {
    complain('The link names no unknown. Add solve=tokens, params, gpus, seq, batch or micro.');
    return kWrong;
  }
  print(solved.message);
  print(`\n${solved.path} = ${solved.value ?? '-'}`);
  print(`link: #${solved.link}`);
  return status(problems);
}

function printExplanation(envelope: Envelope, id: string, link: string, json: boolean): number {
  const e = envelope.explain(id as MetricId, link);
  if (json) print(JSON.stringify(e));
  else {
    printProblems(e.problems);
    if (e.label) print(`${e.label}: ${e.text} (${e.value}, ${e.unit || 'no unit'}; ${e.kind})`);
    if (e.formula) print(`\n${id}\n  = ${e.formula}\n  = ${e.substituted}\n`);
    for (const i of e.inputs) print(`${i.id.padEnd(32)} ${i.text.padStart(22)}  ${i.label}`);
    for (const s of e.sources)
      print(`source: ${s.author}, ${s.year || 'no year'}: ${s.title} ${s.url}`);
  }
  return status(e.problems);
}

/** One JSON text in, one out; undefined where a command has no such form. */
function raw({ core }: Envelope, command: string, input: string): string | undefined {
  switch (command) {
    case 'estimate':
    case 'solve':
      return core.estimate(input);
    case 'best':
      return core.bestModel(input);
    case 'open':
      return core.open(input);
    case 'compare':
      return core.compare(input);
    case 'import':
      return core.importConfig(input);
    case 'step':
      return core.step(input);
    case 'calibrate':
      return core.calibrate(input);
    case 'plan':
      return core.plan(input);
    case 'chart':
      return core.chart(input);
    case 'sensitivity':
      return core.sensitivity(input);
    case 'launch':
      return core.launch(input);
    case 'sweep':
      return JSON.stringify([...core.sweep(input)]);
    default:
      return undefined;
  }
}

const compareRequest = (links: string[]) =>
  links.length === 1 && links[0]?.startsWith('{') ? links[0] : JSON.stringify({ scenarios: links });

function printSweep(envelope: Envelope, input: string): number {
  let request;
  try {
    request = JSON.parse(input);
  } catch {
    complain('The request is not JSON. Check quotes, commas and brackets.');
    return kWrong;
  }
  const { columns, rows, problems } = envelope.sweep(request);
  for (const { message, hint } of problems) complain(`${message} ${hint}`);
  if (problems.length) return kWrong;
  print(columns.join(','));
  for (const row of rows) print(row.map((x) => (Number.isFinite(x) ? String(x) : '')).join(','));
  return 0;
}

async function main(argv: string[]): Promise<number> {
  const flags = new Set(argv.filter((a) => a.startsWith('--')));
  const [command = flags.has('--version') ? 'version' : 'help', ...args] = argv.filter(
    (a) => !a.startsWith('--'),
  );
  const unknown = [...flags].find((f) => !['--json', '--lines', '--help', '--version'].includes(f));
  if (unknown) {
    complain(`${unknown} is not an option.\n\n${kUsage}`);
    return kWrong;
  }
  if (command === 'help' || flags.has('--help')) {
    print(kUsage.trimEnd());
    return 0;
  }
  const json = flags.has('--json');
  const envelope = await load();

  if (flags.has('--lines')) {
    const lines = stdin().split('\n');
    if (lines[lines.length - 1] === '') lines.pop(); // the end of the last line
    for (const line of lines) {
      const answer = raw(envelope, command, line);
      if (answer === undefined) {
        complain(`${command} has no --lines.`);
        return kWrong;
      }
      print(answer);
    }
    return 0;
  }
  if (command === 'import') {
    const [file] = args;
    if (file === undefined) {
      complain('import takes a file: llm-envelope import config.json');
      return kWrong;
    }
    try {
      args[0] = file === '-' ? stdin() : readFileSync(file, 'utf8');
    } catch (error) {
      complain(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code}).`);
      return kWrong;
    }
  } else if (args.length === 1 && args[0] === '-') args[0] = stdin();
  const input = args[0] ?? '';

  switch (command) {
    case 'version':
      print(envelope.version);
      return 0;
    case 'schema':
      print(envelope.core.schema());
      return 0;
    case 'fields':
      for (const f of envelope.schema().fields)
        print(`${f.key.padEnd(12)} ${f.path.padEnd(28)} ${f.unit.padEnd(9)} ${f.label}`);
      return 0;
    case 'search':
      for (const row of envelope.search(args.join(' '), { limit: json ? 1000 : 40 }))
        print(
          json ? JSON.stringify(row) : `${row.kind.padEnd(12)} ${row.id.padEnd(32)} ${row.label}`,
        );
      return 0;
    case 'explain':
      return printExplanation(envelope, input, args[1] ?? '', json);
    case 'replays':
      if (!json) return printReplays(envelope);
      print(envelope.core.replays());
      return 0;
    case 'sweep':
      if (!json) return printSweep(envelope, input);
  }
  const answer = raw(envelope, command, command === 'compare' ? compareRequest(args) : input);
  if (answer === undefined) {
    complain(`${command} is not a command.\n\n${kUsage}`);
    return kWrong;
  }
  if (
    json ||
    [
      'open',
      'sweep',
      'step',
      'calibrate',
      'plan',
      'chart',
      'sensitivity',
      'best',
      'launch',
    ].includes(command)
  ) {
    print(answer);
    return 0;
  }
  if (command === 'estimate') return printResult(envelope, envelope.calc(input));
  if (command === 'solve') return printSolved(JSON.parse(answer));
  if (command === 'compare') return printComparison(envelope, JSON.parse(answer));
  return printImported(envelope, input);
}

process.exitCode = await main(process.argv.slice(2));
process.stdout.on('error', () => {}); // a reader who leaves early, such as head, is no error
process.stdout.write(out);
