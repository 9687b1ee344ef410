// SPDX-License-Identifier: MIT
// The documents' calculations, redone: what they print, what comes out here, and why they differ.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Document, ReplayItem, ReplayRow, Replays } from './api';
import { replaySlug } from './gallery';
import { format, percent } from './units';

const kClose = 5e-4; // below this a difference is rounding of the last digit shown

function difference(item: ReplayItem): string {
  const d = item.difference;
  if (d === null || !Number.isFinite(d)) return '–';
  if (Math.abs(d) < kClose) return '0';
  return `${d > 0 ? '+' : '−'}${percent(Math.abs(d))}`;
}

export function ours(item: ReplayItem): string {
  if (item.value === null) return '–';
  return format(item.value, item.unit);
}

/** How many printed figures come out the same, how many differ, and how many numbers we add. */
export function tally(rows: readonly ReplayRow[]): Record<ReplayItem['verdict'], number> {
  const count = { same: 0, explained: 0, added: 0 };
  for (const item of rows.flatMap((r) => r.items)) count[item.verdict] += 1;
  return count;
}

/** Where a row has its own explanation page. */
const kMore: Record<string, [string, string]> = {
  B1: ['flops/', 'Step through it'],
  B11: ['formats/', 'See the formats'],
};

/** The table of a row: the document's figures, ours, and the scenario of each. */
export function items(r: ReplayRow, root: string): unknown {
  return r.items.length
    ? html`<div class="scroll" tabindex="0" role="group" aria-label=${`${r.title}, table`}>
            <table class="replays">
              <thead>
                <tr>
                  <th scope="col">What</th>
                  <th scope="col" class="figure">Document</th>
                  <th scope="col" class="figure">Ours</th>
                  <th scope="col" class="figure">Difference</th>
                  <th scope="col"><span class="hidden">Verdict</span></th>
                  <th scope="col"><span class="hidden">Scenario</span></th>
                </tr>
              </thead>
              <tbody>
                ${r.items.map(
                  (i) =>
                    html`<tr>
                      <th scope="row">
                        ${i.label}${i.why ? html`<span class="because">${i.why}</span>` : nothing}
                      </th>
                      <td class="figure">${i.figure}</td>
                      <td class="figure">${ours(i)}</td>
                      <td class="figure">${difference(i)}</td>
                      <td><span class="chip ${i.verdict}">${i.verdict}</span></td>
                      <td>
                        <a
                          href=${`${root || './'}#${i.link}`}
                          aria-label=${`${i.label}: open the scenario`}
                          >open</a
                        >
                        ${
                          i.baseline_link
                            ? html`<a
                                href=${`${root || './'}#${i.baseline_link}`}
                                aria-label=${`${i.label}: open what it is compared with`}
                                >against</a
                              >`
                            : nothing
                        }
                      </td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    : nothing;
}

function row(r: ReplayRow, root: string): TemplateResult {
  const more = kMore[r.id];
  return html`<section class="replay" id=${r.id} aria-labelledby=${`${r.id}-title`}>
    <h2 id=${`${r.id}-title`}>
      <a class="muted" href=${`${root}s/${replaySlug(r.document, r.id)}/`}>${r.id}</a> ${r.title}
    </h2>
    <p class="muted">
      ${r.place}${more ? html` · <a href=${root + more[0]}>${more[1]}</a>` : nothing}
    </p>
    ${items(r, root)}
    ${r.note ? html`<p class="note-line">${r.note}</p>` : nothing}
  </section>`;
}

export function byline(d: Document): string {
  return [d.author, d.date].filter(Boolean).join(', ');
}

export function documentPage(replays: Replays, id: string, root: string): TemplateResult {
  const document = replays.documents.find((d) => d.id === id) as Document;
  const rows = replays.rows.filter((r) => r.document === id);
  const { same, explained } = tally(rows);
  return html`<article class="leaf">
    <p class="eyebrow"><a href="../">Replays</a></p>
    <h1>${document.title}</h1>
    <p class="lead">
      ${byline(document)}.
      ${document.url ? html`<a href=${document.url} rel="noopener noreferrer">The document</a>.` : nothing}
      ${same} of ${same + explained} figures come out the same to the document's own rounding; the
      others are explained below. Where it prints no number, ours is added. Each row opens the scenario behind it: change an input and see.
    </p>
    ${rows.map((r) => row(r, root))}
  </article>`;
}

export function indexPage(replays: Replays): TemplateResult {
  const all = tally(replays.rows);
  return html`<article class="leaf">
    <h1>Replays</h1>
    <p class="lead">
      Four documents compute by hand what large language models cost. Here is each of their
      calculations, redone live beside the printed figure: ${all.same} figures come out the same,
      ${all.explained} differ and say why.
    </p>
    <ul class="shelf">
      ${replays.documents.map((d) => {
        const rows = replays.rows.filter((r) => r.document === d.id);
        const { same, explained } = tally(rows);
        return html`<li>
          <h2><a href=${`${d.id}/`}>${d.title}</a></h2>
          <p class="muted">${byline(d)}</p>
          <p>${rows.length} calculations: ${same} figures the same, ${explained} explained.</p>
          <ul class="rows">
            ${rows.map((r) => html`<li><a href=${`${d.id}/#${r.id}`}>${r.id}</a> ${r.title}</li>`)}
          </ul>
        </li>`;
      })}
    </ul>
  </article>`;
}
