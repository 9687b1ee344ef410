// SPDX-License-Identifier: MIT
// The pages below s/: the scenarios of the gallery and the calculations of the documents, each with its
// numbers in the HTML, so that it reads the same without a script.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer, ReplayRow, Replays, Row, Task, Value } from './api';
import { bars, legend, memoryOf, patterns, slices } from './bars';
import { kTaskNames } from './card';
import type { ViewName } from './embed/views';
import type { Fact, Facts } from './facts';
import { shown } from './form';
import { replaySlug, type Entry } from './gallery';
import { byline, items } from './replays';
import { kSigns } from './report';
import { elementSnippet, iframeSnippet, type Embedding } from './snippets';
import { bytes, format } from './units';
import { chip, cited, type Tables } from './view';

/** The root of the site from a page below s/. */
const kRoot = '../../';

interface Live {
  link: string;
  view: ViewName;
  edit: readonly string[];
}

/** The real embed; what is inside stays where it cannot run. */
function live({ link, view, edit }: Live, inside: unknown): TemplateResult {
  const words = [link, `view=${view}`, ...(edit.length ? [`edit=${edit.join(',')}`] : [])];
  return html`<llm-envelope class=${`as-${view}`} src=${`${kRoot}e/#${words.join('&')}`}
    >${inside}</llm-envelope
  >`;
}

function verdict({ severity, text }: Facts['verdict']): TemplateResult {
  return html`<p class=${`verdict ${severity}`}>
    <span class="sign" aria-hidden="true">${kSigns[severity]}</span> ${text}
  </p>`;
}

function sources(tables: Tables, keys: readonly string[]): unknown {
  return keys.map((key, i) => {
    const s = tables.schema.sources[key];
    return html`${i ? '; ' : ''}${s ? cited(s) : key}`;
  });
}

/** Each number with its range, its kind and where its formula is from. */
function results(tables: Tables, rows: readonly Fact[]): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Results">
    <table class="results">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col" class="figure">Value</th>
          <th scope="col">Range</th>
          <th scope="col">Kind</th>
          <th scope="col">Source</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (r) =>
            html`<tr data-id=${r.id}>
              <th scope="row">${r.label}</th>
              <td class="figure"><data value=${String(r.value)}>${r.text}</data></td>
              <td>${r.band || '–'}</td>
              <td>${chip(r.kind)}</td>
              <td>${sources(tables, tables.metrics.get(r.id)?.source ?? [])}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const site = (address: string): string =>
  address.startsWith('http') ? new URL(address).hostname.replace(/^www\./, '') : address;

function origin(address: string | undefined): unknown {
  if (!address?.startsWith('http')) return address ?? nothing;
  return html`<a href=${address} rel="noopener noreferrer">${site(address)}</a>`;
}

/** The rows of the catalog that this scenario took, with their sources and months. */
function facts(answer: Answer): unknown {
  const { model, gpu, recipe, stack, price } = answer.quotes ?? {};
  const rows = (
    [
      ['Model', model],
      ['GPU', gpu],
      ['Bytes per parameter', recipe],
      ['Framework', stack],
    ] as [string, Row | undefined][]
  ).filter((r): r is [string, Row] => r[1] !== undefined);
  const prices = price && !price.own ? price.rows : [];
  const dates = prices.map((p) => p.date).sort();
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Facts">
    <table>
      <thead>
        <tr>
          <th scope="col">Fact</th>
          <th scope="col">Row of the catalog</th>
          <th scope="col">Source</th>
          <th scope="col">As of</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([label, row]) =>
            html`<tr>
              <th scope="row">${label}</th>
              <td>${row.name}</td>
              <td>${origin(row.source)}</td>
              <td>${row.as_of ?? ''}</td>
            </tr>`,
        )}
        ${
          prices.length
            ? html`<tr>
                <th scope="row">Price</th>
                <td>
                  ${price?.listed ? `${format(price.listed, 'usd/hour')}, ` : ''}the median of
                  ${prices.length} listed
                </td>
                <td>${[...new Set(prices.map((p) => p.provider_name ?? p.provider))].join(', ')}</td>
                <td>${[...new Set([dates[0], dates[dates.length - 1]])].join(' – ')}</td>
              </tr>`
            : nothing
        }
      </tbody>
    </table>
  </div>`;
}

const kNamed = ['model.id', 'gpu.id', 'states.recipe', 'stack.id', 'run.task', 'catalog.snapshot'];

/** What the link says beside the names of the catalog: the inputs that someone chose. */
function inputs(tables: Tables, answer: Answer): unknown {
  const chosen = Object.entries(answer.patch)
    .filter(([path]) => !kNamed.includes(path))
    .flatMap(([path, value]): [string, Value][] => {
      const field = tables.fields.get(path);
      return field ? [[field.label, shown(field, value)]] : [];
    });
  if (chosen.length === 0) return html`<p>Everything is as in the catalog.</p>`;
  return html`<ul class="chosen">
    ${chosen.map(([label, text]) => html`<li><span class="muted">${label}</span> ${text}</li>`)}
  </ul>`;
}

function memory(tables: Tables, answer: Answer): unknown {
  const all = memoryOf(answer);
  const fullest = all?.stages[all.fullest];
  if (!all || !fullest) return nothing;
  return html`<section class="memory">
    <h2>Memory per GPU</h2>
    <p>
      ${bytes(fullest.total)} of
      ${bytes(all.capacity)}${all.stages.length > 1 ? ' on the fullest stage' : ''}
    </p>
    ${patterns(all.parts)} ${bars(tables, all)}
    ${legend(tables, slices(all, fullest), all.capacity, (_, value) => html`<span>${bytes(value)}</span>`)}
  </section>`;
}

function embedding(of: Facts, options: Embedding): TemplateResult {
  const code = (label: string, text: string) =>
    html`<h3>${label}</h3>
      <pre class="snippet" tabindex="0" role="group" aria-label=${label}><code>${text}</code></pre>`;
  return html`<section class="embedding">
    <details class="stage">
      <summary><h2>Embed this</h2></summary>
      <p>
        The first is live where scripts run and a sentence with its table where they do not. The second
        is for sites that allow frames only.
      </p>
      ${code('HTML', elementSnippet(of, options))}
      ${code('Frame', iframeSnippet(of, options))}
    </details>
  </section>`;
}

/** Freshness in one line: month of the facts, version of the formulas. */
function dated({ d, version }: Facts): TemplateResult {
  return html`<p class="muted dated">
    Data of <time datetime=${d}>${d}</time>, worked out with Envelope ${version}. The link keeps the data;
    corrections of formulas show.
  </p>`;
}

function doors(link: string, what = 'Open in the calculator'): TemplateResult {
  return html`<p class="doors">
    <a class="button primary" href=${`${kRoot}#${link}`}>${what}</a>
    <a class="button" href="card.png">Picture</a>
  </p>`;
}

export function entryPage(
  tables: Tables,
  entry: Entry,
  of: Facts,
  said: string,
  options: Embedding,
): TemplateResult {
  const { title, description, link, view, edit, answer } = entry;
  return html`<article class="leaf entry">
    <p class="eyebrow"><a href="../">Gallery</a> · ${kTaskNames[of.task]}</p>
    <h1>${title}</h1>
    <p class="lead">${description}</p>
    ${live(
      { link, view, edit },
      html`<p class="said"><b>${title}:</b> ${said}</p>
      ${verdict(of.verdict)}`,
    )}
    ${doors(link)}
    <section>
      <h2>Results</h2>
      ${results(tables, of.rows)}
    </section>
    ${memory(tables, answer)}
    <section>
      <h2>Assumed and looked up</h2>
      ${inputs(tables, answer)} ${facts(answer)} ${dated(of)}
    </section>
    ${embedding(of, options)}
  </article>`;
}

/** The row of a document: its figures beside ours, and the scenario of its first figure live. */
export function replayPage(
  tables: Tables,
  replays: Replays,
  row: ReplayRow,
  answer: Answer,
  of: Facts,
  options: Embedding,
): TemplateResult {
  const document = replays.documents.find((d) => d.id === row.document);
  if (!document) throw new Error(`replay ${row.id} has no document`);
  return html`<article class="leaf entry">
    <p class="eyebrow">
      <a href=${`${kRoot}replays/`}>Replays</a> ·
      <a href=${`${kRoot}replays/${document.id}/#${row.id}`}>${document.title}</a>
    </p>
    <h1>${row.title}</h1>
    <p class="lead">
      ${row.id} of “${document.title}”${byline(document) ? `, ${byline(document)}` : ''}: ${row.place}.
      ${
        document.url
          ? html`<a href=${document.url} rel="noopener noreferrer">The document</a>`
          : nothing
      }
    </p>
    <section class="replay">
      <h2>The document and Envelope</h2>
      ${items(row, kRoot)} ${row.note ? html`<p class="note-line">${row.note}</p>` : nothing}
    </section>
    <section>
      <h2>Live</h2>
      ${live(
        { link: of.link, view: 'card', edit: [] },
        html`<p class="said">
          <b>${of.title}:</b> ${of.sentence}
        </p>
        ${verdict(of.verdict)}`,
      )}
      ${doors(of.link, 'Open the first scenario')}
    </section>
    ${memory(tables, answer)}
    <section>
      <h2>What the first scenario takes</h2>
      ${results(tables, of.rows)} ${inputs(tables, answer)} ${facts(answer)} ${dated(of)}
    </section>
    ${embedding(of, options)}
  </article>`;
}

const kOrder: readonly Task[] = ['pretrain', 'finetune', 'serve'];

export function galleryPage(
  entries: readonly { entry: Entry; of: Facts }[],
  replays: Replays,
): TemplateResult {
  return html`<article class="leaf">
    <h1>Gallery</h1>
    <p class="lead">
      Scenarios that people quote, each a page of its own with its numbers, its sources and a live
      embed. All of them open in the calculator, where every input can be changed.
    </p>
    ${kOrder.map(
      (task) =>
        html`<section>
          <h2>${kTaskNames[task]}</h2>
          <ul class="shelf">
            ${entries
              .filter(({ of }) => of.task === task)
              .map(
                ({ entry, of }) =>
                  html`<li class="item">
                    <h3><a href=${`${entry.slug}/`}>${entry.title}</a></h3>
                    <p>${entry.description}</p>
                    <ul class="chosen">
                      ${of.rows
                        .filter((r) => !/^(layout\.per_gpu|gpus\.used)$/.test(r.id))
                        .slice(0, 3)
                        .map(
                          (r) =>
                            html`<li><span class="muted">${r.label}</span> <b>${r.text}</b></li>`,
                        )}
                    </ul>
                    ${verdict(of.verdict)}
                  </li>`,
              )}
          </ul>
        </section>`,
    )}
    <section>
      <h2>Calculations of four documents</h2>
      <ul class="shelf">
        ${replays.documents.map(
          (d) =>
            html`<li class="item">
              <h3><a href=${`../replays/${d.id}/`}>${d.title}</a></h3>
              <ul class="rows">
                ${replays.rows
                  .filter((r) => r.document === d.id)
                  .map(
                    (r) =>
                      html`<li>
                        <a href=${`${replaySlug(d.id, r.id)}/`}>${r.id} ${r.title}</a>
                      </li>`,
                  )}
              </ul>
            </li>`,
        )}
      </ul>
    </section>
  </article>`;
}
