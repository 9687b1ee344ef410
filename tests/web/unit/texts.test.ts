// SPDX-License-Identifier: MIT
// What leaves the page as text: read back by what reads it, also where names and values are hostile.
import { describe, expect, test } from 'vitest';
import type { Answer, Metric, Schema, Step } from '../../../web/src/api';
import { factsOf, type Facts } from '../../../web/src/facts';
import { bibtex } from '../../../web/src/texts/bibtex';
import { citeKey, inBraces, latex, latexTable, methods } from '../../../web/src/texts/latex';
import { csv, json, markdownTable, plainTable } from '../../../web/src/texts/tables';
import { tables as tablesOf } from '../../../web/src/view';
import { markdownLink } from '../../../web/src/markdown';

const kHostile = [
  '=cmd|\' /C calc\'!A0, "quoted"\r\nsecond line',
  '\\input{/etc/passwd} \\end{tabular} 100% & #1 _x_ ^2 ~ $E=mc^2$ {{{',
  '}}} @misc{a, title={b}} \\\\[9cm] *x* [y] -- --- `z` "q" <b>|c|',
  '中文 모델 🦙 \u202e evil \ud800 é ü ß Å Þ ð × − 10²⁵ µs ≤ 3',
  '[link](javascript:alert(1)) | cell ![x](y) **b** `c` <img src=x onerror=alert(1)>',
];

const metric = (id: string, unit: string, kind: Metric['kind'], source: string[] = []): Metric =>
  ({
    id,
    unit,
    kind,
    source,
    label: `Label, of "${id}"`,
    symbol: 'x',
    stage: 's',
    help: '',
  }) as Metric;

const kSchema = {
  version: '1.2.3',
  fields: [
    { path: 'run.precision', choices: [{ id: 'bf16', label: 'BF16' }] },
    { path: 'price.terms', choices: [{ id: 'on-demand', label: 'On demand' }] },
  ],
  metrics: [
    metric('params.total', 'count', 'counted'),
    metric('compute.train', 'flop', 'counted'),
    metric('compute.train_6nd', 'flop', 'counted', ['kaplan-2020']),
    metric('layout.per_gpu', 'byte', 'modelled'),
    metric('gpus.used', 'count', 'counted'),
    metric('time.total', 'second', 'modelled'),
    metric('time.total_low', 'second', 'modelled'),
    metric('time.total_high', 'second', 'modelled'),
    metric('time.mfu', 'ratio', 'assumed', ['chowdhery-2022', 'own']),
    metric('time.peak', 'flop/s', 'quoted'),
    metric('cost.total', 'usd', 'modelled'),
    metric('cost.price', 'usd/hour', 'quoted'),
  ],
  sources: {
    envelope: { author: 'Envelope', year: 2026, title: 'x', url: '' },
    own: { author: 'Envelope', year: 2026, title: 'Measured', url: '' },
    'kaplan-2020': {
      author: 'Kaplan et al.',
      year: 2020,
      title: 'Laws & 50% more',
      url: 'https://a.org/b_c#d',
    },
    'chowdhery-2022': {
      author: 'Chow and Dhery',
      year: 2022,
      title: 'PaLM',
      url: 'https://a.org/p',
    },
  },
} as unknown as Schema;
const kTables = tablesOf(kSchema);

const kSteps: Step[] = [
  { id: 'params.total', value: 405853388800, formula: 'a+b' },
  { id: 'compute.train', value: 3.797e25, formula: '=6*N*D' },
  { id: 'layout.per_gpu', value: 26.8e9 + 0.1, formula: '-x, "y"' },
  { id: 'gpus.used', value: 16384, formula: '@g' },
  { id: 'time.total', value: 5616000.123456789, formula: '+t' },
  { id: 'time.total_low', value: 5.3e6, formula: '' },
  { id: 'time.total_high', value: 5.9e6, formula: '' },
  { id: 'time.mfu', value: 0.1 + 0.2, formula: '' },
  { id: 'time.peak', value: 989e12, formula: '' },
  { id: 'cost.total', value: -1e-7, formula: '' },
  { id: 'cost.price', value: 3.39, formula: '' },
  { id: 'unknown.metric', value: 5e-324, formula: '' },
  { id: 'not.finite', value: null as unknown as number, formula: '' },
];

function answerWith(name: string): Answer {
  return {
    version: '1.2.3',
    v: 1,
    d: '2026-11',
    link: 'v=1&d=2026-11&n=16384',
    patch: { 'cluster.gpus': 16384, 'model.id': name },
    inputs: {
      'run.task': 'pretrain',
      'run.count': '6nd',
      'run.precision': 'bf16',
      'price.provider': 'median',
      'price.terms': 'on-demand',
    },
    summary: ['Training ', name, ' takes ', { metric: 'compute.train' }, '.'],
    verdict: { severity: 'good', code: 'fits', about: [], message: [name], remedies: [] },
    steps: kSteps,
    findings: [],
    quotes: {
      model: {
        id: 'a model',
        name,
        family: name,
        year: 2024,
        source: 'https://a.org/x%20y_{z}\\',
        as_of: name,
      },
      gpu: { id: 'h100', name, family: name, source: 'https://a.org/gpu' },
      price: { own: false, listed: 3.39, rows: [] },
    },
    problems: [],
  };
}
const kUrl = 'https://example.org/#v=1&d=2026-11&n=16384';

/** RFC 4180, as strict as it is. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const found = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
    found.lastIndex = at;
    const match = found.exec(text);
    if (!match) throw new Error(`not CSV at ${at}: ${text.slice(at, at + 40)}`);
    row.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') {
      rows.push(row);
      row = [];
    }
    at = found.lastIndex;
  }
  return rows;
}

const kCommands = new Set(
  (
    'begin end centering caption label toprule midrule bottomrule cite url textbackslash textasciitilde ' +
    'textasciicircum textbraceleft textbraceright textasciigrave times cdot pm approx le ge to mu alpha beta gamma ldots circ'
  ).split(' '),
);

/**
 * What pdflatex would stumble over: unknown commands, groups and formulas that do not close, bare special
 * characters, characters it has no glyph for. Returns the text with what is harmless taken out.
 */
function readLatex(text: string): { depth: number; columns: number } {
  let depth = 0;
  let math = false;
  let columns = 0;
  const token = /\\([A-Za-z]+)|\\([^A-Za-z])|%[^\n]*|[^]/gu;
  for (const match of text.matchAll(token)) {
    const [all, command, symbol] = match;
    if (command === 'url') continue;
    if (command !== undefined) expect([...kCommands], `\\${command}`).toContain(command);
    else if (symbol !== undefined) expect('\\$&#%_', `\\${symbol}`).toContain(symbol);
    else if (all[0] === '%') expect(match.index === 0 || text[match.index - 1] === '\n').toBe(true);
    else if (all === '{') ++depth;
    else if (all === '}') expect(--depth, text.slice(0, match.index + 1)).toBeGreaterThanOrEqual(0);
    else if (all === '$') math = !math;
    else if (all === '&') ++columns;
    else if (all === '^' || all === '_') expect(math, `${all} outside of a formula`).toBe(true);
    else expect(all).toMatch(/[\n -~À-ÏÑ-ÖØ-Ýß-ïñ-öø-ýÿ]/);
    if (!math) expect(all, 'special characters').not.toMatch(/^[#^_<>|"]$/);
  }
  expect(math, 'a formula is open').toBe(false);
  expect(depth, 'open groups').toBe(0);
  return { depth, columns };
}

describe.each(kHostile)('with the name %j', (name) => {
  const answer = answerWith(name);
  const facts = factsOf(kTables, answer);
  const named: Facts = {
    ...facts,
    title: name,
    sentence: name,
    rows: facts.rows.map((r) => ({ ...r, label: name })),
  };

  test('LaTeX is closed and has no command of the name', () => {
    readLatex(latex(name));
    const table = latexTable(named);
    const { columns } = readLatex(table);
    const rows = named.rows.length + 1;
    expect(columns, 'cells').toBe(rows * 3);
    expect(table.match(/\\\\$/gm)).toHaveLength(rows);
    expect(table).not.toMatch(/\\\\\s*[[*]/); // would be an argument of the line break
    expect(table).not.toMatch(/\\input|\n\s*\n/);
    readLatex(methods(kTables, answer, named, kUrl).replace(/\\url\{[^{}]*\}/, ''));
  });

  test('BibTeX entries close, and their fields say what they should', () => {
    const text = bibtex(kTables, answer, named, 'https://example.org/');
    const entries = text.split('\n\n');
    expect(entries.map((e) => /^@(\w+)\{([^,]+),/.exec(e)?.slice(1))).toEqual([
      ['software', 'envelope'],
      ['misc', 'a-model'],
      ['misc', 'h100'],
      ['misc', 'kaplan-2020'],
      ['misc', 'chowdhery-2022'],
    ]);
    for (const e of entries) {
      let depth = 0;
      for (const [brace] of e.replace(/\\[{}]/g, '').matchAll(/[{}]/g)) {
        depth += brace === '{' ? 1 : -1;
        expect(depth).toBeGreaterThanOrEqual(0);
      }
      expect(depth).toBe(0);
      // BibTeX counts braces whether or not they are escaped.
      expect(e.split('{').length).toBe(e.split('}').length);
    }
    expect(text).toContain('author  = {{Kaplan} and others}');
    expect(text).toContain('author  = {{Chow} and {Dhery}}');
    expect(text).toContain('{Laws \\& 50\\% more}');
    expect(text).toContain('https://a.org/b_c#d');
    expect(text).toContain('https://a.org/x%20y_%7Bz%7D%5C');
    expect(text).toContain('version = {1.2.3}');
  });

  test('CSV gives the values back exactly, and no cell is run', () => {
    const [head, ...rows] = parseCsv(csv(kTables, answer));
    expect(head).toEqual(['id', 'label', 'value', 'unit', 'kind', 'formula']);
    expect(rows).toHaveLength(kSteps.length);
    for (const [i, row] of rows.entries()) {
      const step = kSteps[i] as Step;
      expect(row).toHaveLength(6);
      expect(row[0]).toBe(step.id);
      expect(row[2] === '' ? null : Number(row[2])).toBe(step.value);
      expect(row[5]?.replace(/^'/, '')).toBe(step.formula);
      for (const text of [row[0], row[1], row[3], row[4], row[5]])
        expect(text).not.toMatch(/^[=+\-@\t\r]/);
    }
    const evil = { ...answer, steps: [{ id: name, value: 1, formula: name }] };
    const cells = parseCsv(csv(kTables, evil))[1];
    expect(cells?.[5]?.replace(/^'/, '')).toBe(name);
    expect(cells?.[5]).not.toMatch(/^[=+\-@\t\r]/);
  });

  test('JSON parses, and has the scenario and every value', () => {
    const found = JSON.parse(json(kTables, answer, kUrl, facts.sentence));
    expect(found).toMatchObject({ envelope: '1.2.3', link: kUrl, v: 1, d: '2026-11' });
    expect(found.scenario).toEqual(answer.patch);
    for (const { id, value } of kSteps) expect(found.values[id].value).toBe(value);
    expect(found.values['time.mfu']).toEqual({ value: 0.1 + 0.2, unit: 'ratio', kind: 'assumed' });
  });

  test('tables have one line for each row, and one cell for each column', () => {
    const lines = markdownTable(named, kUrl).split('\n');
    const table = lines.filter((line) => line.startsWith('|'));
    expect(table).toHaveLength(named.rows.length + 2);
    for (const line of table) expect(line.replace(/\\[^]/g, '').match(/\|/g), line).toHaveLength(4);
    expect(lines.at(-1)).toBe(`[Envelope 1.2.3, data of 2026-11](${kUrl})`);
    expect(lines.join('\n').replace(/\\[^]/g, '')).not.toMatch(/<|!\[|`/);
    expect(plainTable(named, kUrl).split('\n')).toHaveLength(named.rows.length + 5);
    expect(markdownLink(name, kUrl).replace(/\\[^]/g, '')).toMatch(/^\[[^[\]`<]*\]\([^()]*\)$/);
  });
});

test('the characters of our own texts become formulas', () => {
  expect(latex('3.80 × 10²⁵ FLOP')).toBe('$3.80 \\times 10^{25}$~FLOP'.replace('~', ' '));
  expect(latex('−2.50\u00a0× 10⁻⁷')).toBe('$-$$2.50 \\times 10^{-7}$');
  expect(latex('16,384 × H100')).toBe('16,384 $\\times$ H100');
  expect(latex('$86.7M (61 d – 68 d) 41.7 %')).toBe('\\$86.7M (61 d -- 68 d) 41.7 \\%');
  expect(latex('m² 5 µs')).toBe('m$^{2}$ 5 $\\mu$s');
  expect(latex('a_b#c~d^e\\f{g}&h')).toBe(
    'a\\_b\\#c\\textasciitilde{}d\\textasciicircum{}e\\textbackslash{}f\\textbraceleft{}g\\textbraceright{}\\&h',
  );
  expect(latex('a--b-c')).toBe('a-{}-b-c');
  expect(latex('模')).toBe('{[}U+6A21{]}');
});

test('addresses and keys cannot leave their place', () => {
  expect(inBraces('https://a.org/#v=1&n=4%20')).toBe('https://a.org/#v=1&n=4%20');
  expect(inBraces('a}b{c\\d é\ud800')).toBe('a%7Db%7Bc%5Cd%20%C3%A9%EF%BF%BD');
  expect(citeKey('a b},c')).toBe('a-b-c');
});

test('the paragraph says the convention, the utilisation, the peak and the price', () => {
  const answer = answerWith('Llama');
  const said = methods(kTables, answer, factsOf(kTables, answer), kUrl);
  for (const part of [
    'counted as $6 N D$~\\cite{kaplan-2020}',
    '(MFU)~\\cite{chowdhery-2022} of 30.0~\\%, the default of Envelope',
    'a peak of 989~TFLOP/s per GPU in BF16',
    'the median of the on demand prices',
    `\\url{${kUrl}}`,
    'Envelope 1.2.3~\\cite{envelope}',
    'of 2026-11',
  ])
    expect(said).toContain(part);
  const own = {
    ...answer,
    patch: { 'run.mfu': 0.3 },
    quotes: { price: { own: true, listed: 1, rows: [] } },
  };
  const other = methods(kTables, own, factsOf(kTables, own), kUrl);
  expect(other).toContain('30.0~\\%, which we chose');
  expect(other).toContain('\\$3.39/h, which we chose');
  const tuned = {
    ...answer,
    inputs: { ...answer.inputs, 'run.task': 'finetune', 'tune.method': 'lora' },
  };
  expect(methods(kTables, tuned, factsOf(kTables, tuned), kUrl)).toContain(
    'less the gradients of frozen weights',
  );
});
