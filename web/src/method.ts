// SPDX-License-Identifier: MIT
// How to read the numbers, and where they come from: all of it read out of the core's tables.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Kind, Metric, Schema } from './api';
import { count } from './units';
import { chip, cited, kKinds, stageTitle } from './view';

function byStage(metrics: readonly Metric[]): [string, Metric[]][] {
  const groups = new Map<string, Metric[]>();
  for (const m of metrics) groups.set(m.stage, [...(groups.get(m.stage) ?? []), m]);
  return [...groups];
}

function catalogue(
  title: string,
  rows: { id: string; name: string; detail: string; source?: string; as_of?: string }[],
) {
  return html`<details class="stage">
    <summary>
      <h3>${title}</h3>
      <span class="muted">${count(rows.length)}</span>
    </summary>
    <div class="scroll" tabindex="0" role="group" aria-label=${title}>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">In links</th>
            <th scope="col">From</th>
            <th scope="col">Source</th>
            <th scope="col">As of</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (r) =>
              html`<tr>
                <th scope="row">${r.name}</th>
                <td><code>${r.id}</code></td>
                <td>${r.detail}</td>
                <td>
                  ${r.source?.startsWith('http') ? html`<a href=${r.source} rel="noopener noreferrer">${new URL(r.source).hostname}</a>` : (r.source ?? nothing)}
                </td>
                <td>${r.as_of ?? ''}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

export function methodPage(schema: Schema, root: string): TemplateResult {
  const used = Object.entries(schema.sources);
  return html`<article class="leaf">
    <h1>Method</h1>
    <p class="lead">
      Envelope works on the back of an envelope, with everything written down. Each number is one
      line of arithmetic whose formula is shown, and each formula is checked against the arithmetic
      by a test.
      How far off the results are is on the page on <a href=${`${root}accuracy/`}>accuracy</a>.
      <a href=${root || './'}>Open the calculator</a>.
    </p>
    <section>
      <h2>Four kinds of numbers</h2>
      <dl class="kinds">
        ${(Object.keys(kKinds) as Kind[]).map(
          (k) =>
            html`<div>
              <dt>${chip(k)}</dt>
              <dd>${kKinds[k]}</dd>
            </div>`,
        )}
      </dl>
    </section>
    <section>
      <h2>Conventions</h2>
      <ul class="prose">
        <li>
          GB is 10⁹ bytes. GiB, 2³⁰ bytes, is said where the memory of a device is meant: an 80 GB
          card has 80 GiB.
        </li>
        <li>
          A FLOP is one multiplication or one addition. Peaks are dense; figures with 2:4 sparsity
          are not used.
        </li>
        <li>
          B is 10⁹ and T is 10¹² of parameters or tokens. Three digits are shown; the exact value is
          behind each number.
        </li>
        <li>
          A link holds what differs from the defaults. Its <code>v</code> freezes the defaults, its
          <code>d</code> the facts of a month.
        </li>
      </ul>
    </section>
    <section>
      <h2>What is computed</h2>
      ${byStage(schema.metrics).map(
        ([stage, list]) =>
          html`<details class="stage">
            <summary>
              <h3>${stageTitle(stage)}</h3>
              <span class="muted">${list.length}</span>
            </summary>
            <dl class="metrics">
              ${list.map(
                (m) =>
                  html`<div>
                    <dt>${m.label} ${chip(m.kind)}</dt>
                    <dd>${m.help}</dd>
                  </div>`,
              )}
            </dl>
          </details>`,
      )}
    </section>
    <section>
      <h2>Sources</h2>
      <ul class="prose">
        ${used.map(([, s]) => html`<li>${cited(s)}: ${s.title}</li>`)}
      </ul>
    </section>
    <section>
      <h2>Catalog</h2>
      ${catalogue(
        'Models',
        schema.models
          .filter((m) => m.source)
          .map((m) => ({ ...m, detail: [m.family, m.year].filter(Boolean).join(', ') })),
      )}
      ${catalogue(
        'Accelerators',
        schema.accelerators.map((a) => ({
          ...a,
          detail: [a.family, a.year].filter(Boolean).join(', '),
        })),
      )}
    </section>
  </article>`;
}
