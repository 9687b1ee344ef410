// SPDX-License-Identifier: MIT
// What to cite, as BibTeX: Envelope, the sources of the model and the accelerator, and of the method.
import type { Answer, Row } from '../api';
import type { Facts } from '../facts';
import type { Tables } from '../view';
import { citedSources, citeKey, inBraces, latex } from './latex';

function entry(kind: string, key: string, fields: Record<string, string | undefined>): string {
  const lines = Object.entries(fields)
    .filter(([, text]) => text)
    .map(([name, text]) => `  ${name.padEnd(7)} = {${text}}`);
  return `@${kind}{${citeKey(key)},\n${lines.join(',\n')}\n}`;
}

/** An author behind two braces is one name: no comma and no "and" takes it apart. */
const whole = (name: string): string => `{${latex(name)}}`;

function ofRow(row: Row, what: string, author?: string): string {
  const { source = '' } = row;
  return entry('misc', row.id, {
    title: `{${latex(row.name)}: ${what}}`,
    author: author ? whole(author) : undefined,
    key: author ? undefined : latex(row.name), // sorts an entry without an author
    year: row.year ? String(row.year) : undefined,
    url: inBraces(source),
    note: row.as_of ? `As of ${latex(row.as_of)}` : undefined,
  });
}

export function bibtex(tables: Tables, answer: Answer, facts: Facts, home: string): string {
  const { model, gpu } = answer.quotes ?? {};
  const quoted = (row: Row | undefined, what: string, author?: string) =>
    row?.source && /^https?:/.test(row.source) ? [ofRow(row, what, author)] : [];
  return [
    entry('software', 'envelope', {
      title: '{Envelope: FLOPs, memory, GPUs, time and cost of large language models}',
      author: whole('The Envelope authors'),
      version: latex(facts.version),
      year: String(tables.schema.sources['envelope']?.year ?? facts.d.slice(0, 4)),
      url: inBraces(home),
      note: `Version ${latex(facts.version)}, data of ${latex(facts.d)}`,
    }),
    ...quoted(model, 'architecture'),
    ...quoted(gpu, 'specifications', gpu?.family),
    ...citedSources(tables, answer).map(([id, s]) =>
      entry('misc', id, {
        title: `{${latex(s.title)}}`,
        author: authors(s.author),
        year: s.year ? String(s.year) : undefined,
        url: inBraces(s.url),
      }),
    ),
  ].join('\n\n');
}

/** `Dao and Gu` are two; `Kaplan et al.` is one and others. */
function authors(text: string): string {
  const [first = '', ...more] = text.split(/ and | et al\.?$/);
  if (/ et al\.?$/.test(text)) return `${whole(first)} and others`;
  return [first, ...more].map(whole).join(' and ');
}
