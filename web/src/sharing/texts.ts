// SPDX-License-Identifier: MIT
// The panels that are nothing but texts: for writing, for other programs, for a paper.
import { html, type TemplateResult } from 'lit/html.js';
import { markdownLink } from '../markdown';
import { bibtex } from '../texts/bibtex';
import { latexTable, methods } from '../texts/latex';
import { csv, json, markdownTable, plainTable } from '../texts/tables';
import { outlet } from './outlet';
import { citedRoot, citedUrl, nameOf, type Share } from './state';

export function textPanel(share: Share): TemplateResult {
  const { facts } = share;
  const url = citedUrl(share);
  return html`${[
    outlet({ id: 'sentence', label: 'Sentence', text: facts.sentence, primary: true }),
    outlet({
      id: 'markdown',
      label: 'Sentence with its link, Markdown',
      text: markdownLink(facts.sentence, url),
      rows: 3,
    }),
    outlet({ id: 'markdown-table', label: 'Table, Markdown', text: markdownTable(facts, url) }),
    outlet({ id: 'plain-table', label: 'Table, plain text', text: plainTable(facts, url) }),
  ]}`;
}

export function paperPanel(share: Share): TemplateResult {
  const { facts, host } = share;
  return html`<p class="muted">For LaTeX with booktabs, and url or hyperref.</p>
    ${[
      outlet({
        id: 'latex',
        label: 'Table',
        text: latexTable(facts),
        file: [`${nameOf(share)}.tex`, 'application/x-tex'],
        primary: true,
      }),
      outlet({
        id: 'methods',
        label: 'Paragraph on the method',
        text: methods(host, host.answer, facts, citedUrl(share)),
      }),
      outlet({
        id: 'bibtex',
        label: 'BibTeX of everything cited',
        text: bibtex(host, host.answer, facts, citedRoot(share)),
        file: ['envelope.bib', 'application/x-bibtex'],
      }),
    ]}`;
}

export function dataTexts(share: Share): TemplateResult[] {
  const { facts, host } = share;
  const name = nameOf(share);
  return [
    outlet({
      id: 'csv',
      label: 'CSV',
      text: csv(host, host.answer),
      rows: 8,
      note: `Each of the ${host.answer.steps.length} steps with its unit, kind and formula, in full precision.`,
      file: [`${name}.csv`, 'text/csv'],
      primary: true,
    }),
    outlet({
      id: 'json',
      label: 'JSON',
      text: json(host, host.answer, citedUrl(share), facts.sentence),
      rows: 8,
      note: 'The inputs, every value, the link and the version. Paste it on this page to open it.',
      file: [`${name}.json`, 'application/json'],
    }),
  ];
}
