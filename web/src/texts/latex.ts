// SPDX-License-Identifier: MIT
// A result for a paper: a table and a paragraph on the method, for LaTeX. Made for pdflatex, which knows
// few characters beyond ASCII.
import type { Answer, Quotes, Source } from '../api';
import { fact, type Facts } from '../facts';
import type { MetricId } from '../types.generated';
import type { Tables } from '../view';

const kEscapes: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '{': '\\textbraceleft{}', // BibTeX counts braces, also behind a backslash
  '}': '\\textbraceright{}',
  $: '\\$',
  '&': '\\&',
  '#': '\\#',
  '%': '\\%',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '"': "''",
  '`': '\\textasciigrave{}',
  '<': '$<$',
  '>': '$>$',
  '|': '$|$',
  '[': '{[}', // behind \\ it would begin an argument
  ']': '{]}',
  '*': '{*}', // the same
  '\u00a0': '~',
  '×': '$\\times$',
  '−': '$-$',
  '±': '$\\pm$',
  '·': '$\\cdot$',
  '≈': '$\\approx$',
  '≤': '$\\le$',
  '≥': '$\\ge$',
  '→': '$\\to$',
  '°': '$^\\circ$',
  µ: '$\\mu$',
  μ: '$\\mu$',
  α: '$\\alpha$',
  β: '$\\beta$',
  γ: '$\\gamma$',
  '–': '--',
  '—': '---',
  '‘': '`',
  '’': "'",
  '“': '``',
  '”': "''",
  '…': '\\ldots{}',
};
const kSuperscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

const raised = (text: string): string =>
  [...text].map((c) => (c === '⁻' ? '-' : String(kSuperscripts.indexOf(c)))).join('');

/** Characters that pdflatex can set as they are: ASCII, and letters with accents but eth and thorn. */
const kPlain = /[ -~À-ÏÑ-ÖØ-Ýß-ïñ-öø-ýÿ]/;

/** Any text as LaTeX that prints it and does nothing else. */
export function latex(text: string): string {
  const flat = text
    .normalize('NFC')
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .replace(/\p{Cf}/gu, '');
  const power = /([\d.,]+)[ \u00a0]×[ \u00a0]10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/gu;
  const one = /[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[^]/gu;
  const each = (s: string): string =>
    s.replace(one, (c, at: number) => {
      if (/^[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]/u.test(c)) return `$^{${raised(c)}}$`;
      if (c === '-') return s[at + 1] === '-' ? '-{}' : '-'; // two hyphens are no dash
      const known = kEscapes[c];
      if (known) return known;
      return kPlain.test(c) ? c : `{[}U+${c.codePointAt(0)?.toString(16).toUpperCase()}{]}`;
    });
  let done = '';
  let from = 0;
  for (const found of flat.matchAll(power)) {
    const exponent = raised(found[2] ?? '');
    done += `${each(flat.slice(from, found.index))}$${found[1]} \\times 10^{${exponent}}$`;
    from = found.index + found[0].length;
  }
  return done + each(flat.slice(from));
}

/** Of a row of the catalog, or of a source; the same in the paragraph and in the BibTeX. */
export const citeKey = (id: string): string => id.replace(/[^A-Za-z0-9.-]+/g, '-') || 'source';

/**
 * An address inside of \url or of a BibTeX field, where a percent sign stands for itself: nothing in it
 * may end the group.
 */
export const inBraces = (url: string): string =>
  url
    .replace(/[\ud800-\udfff]/gu, '\ufffd') // halves of characters cannot be encoded
    .replace(/[\s\\{}^]|[^ -~]/gu, encodeURIComponent);

export function latexTable(facts: Facts): string {
  const bands = facts.rows.some((r) => r.band);
  const rows = facts.rows.map((r) => {
    const cells = [r.label, r.text, ...(bands ? [r.band] : []), r.kind];
    return `    ${cells.map(latex).join(' & ')} \\\\`;
  });
  const heads = ['Quantity', 'Value', ...(bands ? ['Range'] : []), 'Kind'];
  return [
    '% \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latex(facts.title)}. Envelope ${latex(facts.version)}, data of ${latex(facts.d)}~\\cite{envelope}.}`,
    '  \\label{tab:envelope}',
    `  \\begin{tabular}{l${'r'.repeat(heads.length - 2)}l}`,
    '    \\toprule',
    `    ${heads.join(' & ')} \\\\`,
    '    \\midrule',
    ...rows,
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
  ].join('\n');
}

const rowOf = (quotes: Quotes | undefined, what: 'model' | 'gpu') => {
  const row = quotes?.[what];
  return row?.source && /^https?:/.test(row.source) ? row : undefined;
};

const cite = (...ids: (string | undefined)[]): string => {
  const keys = ids.filter((id) => id !== undefined).map(citeKey);
  return keys.length ? `~\\cite{${keys.join(',')}}` : '';
};

/** The convention behind the training FLOPs, by the choice of the input. */
const kConventions: Record<string, { words: string; metric: string }> = {
  '6nd': { words: '$6 N D$', metric: 'compute.train_6nd' },
  causal: {
    words: 'the matrix products of the architecture with causal attention',
    metric: 'compute.train_causal',
  },
  full: {
    words: 'the matrix products of the architecture with full attention',
    metric: 'compute.train_full',
  },
};

/** Of weights that do not train no gradient is computed; the rule then counts less than 6. */
function conventionOf(answer: Answer): { words: string; metric: string } | undefined {
  const count = String(answer.inputs['run.count']);
  const frozen =
    answer.inputs['run.task'] === 'finetune' && answer.inputs['tune.method'] !== 'full';
  return frozen && count === '6nd'
    ? {
        words: '$6 N D$ less the gradients of frozen weights',
        metric: 'compute.per_token_6nd',
      }
    : kConventions[count];
}

const published = (tables: Tables, metric: string): string[] =>
  (tables.metrics.get(metric)?.source ?? []).filter((id) => tables.schema.sources[id]?.url);

/** The published sources that the paragraph cites, besides those of the model and the accelerator. */
export function citedSources(tables: Tables, answer: Answer): [string, Source][] {
  const metrics =
    answer.inputs['run.task'] === 'serve'
      ? ['serving.decode_step']
      : [conventionOf(answer)?.metric ?? '', 'time.mfu'];
  const ids = new Set(metrics.flatMap((m) => published(tables, m)));
  return [...ids].map((id) => [id, tables.schema.sources[id] as Source]);
}

function label(tables: Tables, answer: Answer, path: string): string {
  const value = answer.inputs[path];
  const choice = tables.fields.get(path)?.choices?.find((c) => c.id === value);
  return choice?.label ?? String(value ?? '');
}

const chosen = (answer: Answer, path: string): boolean => Object.hasOwn(answer.patch, path);

function utilisation(tables: Tables, answer: Answer): string[] {
  const text = (id: MetricId) => latex(fact(tables, answer, id)?.text ?? '');
  const whose = (path: string) =>
    chosen(answer, path) ? 'which we chose' : 'the default of Envelope from published measurements';
  if (answer.inputs['run.task'] === 'serve')
    return [
      `The time of a decode step is the larger of its arithmetic and its memory traffic${cite(...published(tables, 'serving.decode_step'))}, at a bandwidth utilisation of ${text('serving.mbu')}, ${whose('serve.mbu')}, and for prompts at an MFU of ${text('serving.mfu')}, ${whose('serve.mfu')}.`,
    ];
  const convention = conventionOf(answer);
  const lines = convention
    ? [
        `Training FLOPs are counted as ${convention.words}${cite(...published(tables, convention.metric))}; recomputed activations are not counted.`,
      ]
    : [];
  const mfu = text('time.mfu');
  const peak = text('time.peak');
  if (mfu)
    lines.push(
      `The time assumes a model FLOPs utilisation (MFU)${cite(...published(tables, 'time.mfu'))} of ${mfu}, ${whose('run.mfu')}${peak ? `, of a peak of ${peak} per GPU in ${latex(label(tables, answer, 'run.precision'))}` : ''}.`,
    );
  return lines;
}

function price(tables: Tables, answer: Answer): string[] {
  const rate = fact(tables, answer, 'cost.price');
  if (!rate) return [];
  const { quotes } = answer;
  const priced = `A GPU is priced at ${latex(rate.text)}`;
  if (quotes?.price?.own) return [`${priced}, which we chose.`];
  const id = label(tables, answer, 'price.provider');
  const provider = quotes?.price?.rows.find((r) => r.provider === id)?.provider_name ?? id;
  const terms = latex(label(tables, answer, 'price.terms').toLowerCase());
  return [
    id === 'median'
      ? `${priced}, the median of the ${terms} prices in the catalog.`
      : `${priced}, the ${terms} price of ${latex(provider)} in the catalog.`,
  ];
}

/** One paragraph that says how the numbers came about. */
export function methods(tables: Tables, answer: Answer, facts: Facts, url: string): string {
  const [model, gpu] = [rowOf(answer.quotes, 'model'), rowOf(answer.quotes, 'gpu')];
  const facts_of = [
    model ? `the model~\\cite{${citeKey(model.id)}}` : '',
    gpu ? `the accelerator~\\cite{${citeKey(gpu.id)}}` : '',
  ].filter(Boolean);
  return [
    `We used Envelope ${latex(facts.version)}~\\cite{envelope} with its catalog of ${latex(facts.d)}.`,
    latex(facts.sentence),
    ...(facts_of.length ? [`The facts of ${facts_of.join(' and of ')} are quoted.`] : []),
    ...utilisation(tables, answer),
    ...price(tables, answer),
    ...(facts.rows.some((r) => r.band)
      ? ['Ranges span the published runs from the 10th to the 90th percentile.']
      : []),
    `Every input and formula: \\url{${inBraces(url)}}.`,
  ].join('\n');
}
