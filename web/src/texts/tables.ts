// SPDX-License-Identifier: MIT
// A result as tables for other programs: Markdown, plain text, CSV and JSON. Pure; texts in, texts out.
import type { Answer } from '../api';
import type { Fact, Facts } from '../facts';
import { markdownLink } from '../markdown';
import { exact } from '../units';
import type { Tables } from '../view';

const spaced = (text: string): string => text.replace(/[\s\u00a0]+/g, ' ').trim();

/** `61 d (55 d – 68 d)` */
export const withBand = ({ text, band }: Fact): string => (band ? `${text} (${band})` : text);

/** What would end a cell or begin markup in it. */
const cell = (text: string): string => spaced(text).replace(/[\\`*_[\]<>|~$&]/g, '\\$&');

export function markdownTable(facts: Facts, url: string): string {
  const rows = facts.rows.map((r) => `| ${cell(r.label)} | ${cell(withBand(r))} | ${r.kind} |`);
  return [
    `**${cell(facts.title)}**`,
    '',
    '| Quantity | Value | Kind |',
    '|---|---:|---|',
    ...rows,
    '',
    markdownLink(`Envelope ${facts.version}, data of ${facts.d}`, url),
  ].join('\n');
}

export function plainTable(facts: Facts, url: string): string {
  const rows = facts.rows.map((r) => [spaced(r.label), spaced(withBand(r)), r.kind] as const);
  const widest = (column: 0 | 1) => Math.max(...rows.map((r) => r[column].length));
  const [labels, values] = [widest(0), widest(1)];
  return [
    spaced(facts.title),
    '',
    ...rows.map(([label, value, kind]) =>
      [label.padEnd(labels), value.padStart(values), kind].join('  '),
    ),
    '',
    `Envelope ${facts.version}, data of ${facts.d}`,
    url,
  ].join('\n');
}

/** A text that begins like a formula would be run by a spreadsheet; the mark makes it a text. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Every step of the calculation, as RFC 4180; numbers in full, as the core gave them. */
export function csv(tables: Tables, answer: Answer): string {
  const rows = answer.steps.map(({ id, value, formula }) => {
    const metric = tables.metrics.get(id);
    const number = typeof value === 'number' ? exact(value) : '';
    const [label, unit, kind] = [metric?.label ?? '', metric?.unit ?? '', metric?.kind ?? ''];
    return [quoted(id), quoted(label), number, quoted(unit), kind, quoted(formula)].join(',');
  });
  return ['id,label,value,unit,kind,formula', ...rows, ''].join('\r\n');
}

/** The scenario and every value; opens the same scenario when it is pasted into the page. */
export function json(tables: Tables, answer: Answer, url: string, sentence: string): string {
  const head = {
    envelope: answer.version,
    link: url,
    v: answer.v,
    d: answer.d,
    summary: spaced(sentence),
    scenario: answer.patch,
  };
  const values = answer.steps.map(({ id, value }) => {
    const { unit, kind } = tables.metrics.get(id) ?? {};
    return `    ${JSON.stringify(id)}: ${JSON.stringify({ value, unit, kind })}`;
  });
  const begun = JSON.stringify(head, null, 2).replace(/\n}$/, '');
  return `${begun},\n  "values": {\n${values.join(',\n')}\n  }\n}\n`;
}
