// SPDX-License-Identifier: MIT
// How far off the predictions are: what others measured beside what comes out here. Built once; no script.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { logTicks } from './charts';
import { extent, log } from './scale';
import { count, format } from './units';

interface Row {
  id: string;
  source: string;
  model: string;
  device?: string;
  error: number;
  measured: number;
  predicted: number;
  link: string;
  reason?: string;
}

interface Group {
  source_id?: string;
  device?: string;
  rows: number;
  median_abs: number;
  p90_abs: number;
  mean_signed: number;
}

interface Part {
  rows: Row[];
  worst: Row[];
  summary: {
    rows: number;
    skipped: number;
    median_abs: number;
    p90_abs: number;
    mean_of_source_medians: number;
  };
  moe?: Group;
  sources: Group[];
  devices: Group[];
}

interface Tool {
  name: string;
  url: string;
  version: string;
  how: string;
}

export interface Accuracy {
  sources: Record<string, { title: string; url: string; version: string }>;
  heldOut: Record<string, number>;
  speed: Part;
  runs: Part;
  memory: Part;
  korthikanti: { rows: Row[]; tools: (Tool & { error: number[] })[] };
  simumax: Tool & { mean_abs: number; max_abs: number; rows: number[] };
}

const percent = (x: number | null | undefined) =>
  x === null || x === undefined ? '–' : `${(100 * x).toFixed(1)} %`;
const signed = (x: number) => `${x < 0 ? '−' : '+'}${(100 * Math.abs(x)).toFixed(1)} %`;

const kSide = 420;
const kMargin = { top: 12, right: 12, bottom: 42, left: 64 };
const kColours = 8;

interface Unit {
  id: string;
  what: string;
  axis: string;
  unit: string;
}

/** Predicted against measured, both axes alike; the diagonal is a perfect prediction. */
function scatter(part: Part, unit: Unit): TemplateResult {
  const values = part.rows.flatMap((r) => [r.measured, r.predicted]);
  const [low, high] = extent(values) ?? [1, 1];
  const domain: [number, number] = [low / 1.3, high * 1.3];
  const x = log(domain, [kMargin.left, kSide - kMargin.right]);
  const y = log(domain, [kSide - kMargin.bottom, kMargin.top]);
  const marks = logTicks(domain, 6);
  const label = (v: number) => (unit.unit === 'second' ? `${v} s` : format(v, unit.unit));
  const colour = new Map(part.sources.map((s, i) => [s.source_id ?? '', i % kColours]));
  const dot = (r: Row) => `M${x(r.measured).toFixed(1)} ${y(r.predicted).toFixed(1)}h0`;
  const line = (k: number) =>
    `M${x(domain[0]).toFixed(1)} ${y(domain[0] * k).toFixed(1)}L${x(domain[1]).toFixed(1)} ${y(domain[1] * k).toFixed(1)}`;
  const bottom = kSide - kMargin.bottom;
  const name = `${unit.what}: predicted against measured, ${count(part.rows.length)} readings`;
  return html`<svg
    class="scatter"
    viewBox="0 0 ${kSide} ${kSide}"
    role="img"
    aria-label=${`${name}. Half of them are within ${percent(part.summary.median_abs)}.`}
  >
    <clipPath id=${`clip-${unit.id}`}>
      <rect
        x=${kMargin.left}
        y=${kMargin.top}
        width=${kSide - kMargin.left - kMargin.right}
        height=${bottom - kMargin.top}
      />
    </clipPath>
    ${marks.map(
      (v) =>
        svg`<path class="grid" d=${`M${x(v).toFixed(1)} ${kMargin.top}V${bottom}M${kMargin.left} ${y(v).toFixed(1)}H${kSide - kMargin.right}`} />
        <text class="tick" x=${x(v)} y=${bottom + 16} text-anchor="middle">${label(v)}</text>
        <text class="tick" x=${kMargin.left - 6} y=${y(v) + 4} text-anchor="end">${label(v)}</text>`,
    )}
    <g clip-path=${`url(#clip-${unit.id})`}>
      <path class="within" d=${line(1.2)} />
      <path class="within" d=${line(1 / 1.2)} />
      <path class="exact" d=${line(1)} />
      ${part.sources.map(
        (s) =>
          svg`<path class=${`readings d${colour.get(s.source_id ?? '') ?? 0}`} d=${part.rows
            .filter((r) => r.source === s.source_id)
            .map(dot)
            .join('')} />`,
      )}
    </g>
    <text x=${kSide / 2} y=${kSide - 6} text-anchor="middle">measured ${unit.axis}</text>
    <text transform=${`translate(12 ${kSide / 2}) rotate(-90)`} text-anchor="middle">
      predicted
    </text>
  </svg>`;
}

function sourceTable(part: Part, data: Accuracy, title: string, held: boolean): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${title}>
    <table class="errors">
      <thead>
        <tr>
          <th scope="col">Source</th>
          <th scope="col" class="figure">Rows</th>
          <th scope="col" class="figure">Median</th>
          ${held ? html`<th scope="col" class="figure">Without it</th>` : nothing}
          <th scope="col" class="figure">90th perc.</th>
          <th scope="col" class="figure">Mean</th>
        </tr>
      </thead>
      <tbody>
        ${part.sources.map((g, i) => {
          const id = g.source_id ?? '';
          const source = data.sources[id];
          return html`<tr>
            <th scope="row">
              <svg class="key" width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
                <path class=${`readings d${i % kColours}`} d="M5 5h0" /></svg
              >${source ? html`<a href=${source.url} rel="noopener noreferrer">${source.title}</a>` : id}
            </th>
            <td class="figure">${count(g.rows)}</td>
            <td class="figure">${percent(g.median_abs)}</td>
            ${held ? html`<td class="figure">${percent(data.heldOut[id])}</td>` : nothing}
            <td class="figure">${percent(g.p90_abs)}</td>
            <td class="figure">${signed(g.mean_signed)}</td>
          </tr>`;
        })}
      </tbody>
    </table>
  </div>`;
}

function deviceTable(part: Part, title: string): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${title}>
    <table class="errors">
      <thead>
        <tr>
          <th scope="col">Device</th>
          <th scope="col" class="figure">Rows</th>
          <th scope="col" class="figure">Median</th>
          <th scope="col" class="figure">90th perc.</th>
          <th scope="col" class="figure">Mean</th>
        </tr>
      </thead>
      <tbody>
        ${part.devices.map(
          (g) =>
            html`<tr>
              <th scope="row"><code>${g.device}</code></th>
              <td class="figure">${count(g.rows)}</td>
              <td class="figure">${percent(g.median_abs)}</td>
              <td class="figure">${percent(g.p90_abs)}</td>
              <td class="figure">${signed(g.mean_signed)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function worst(part: Part, unit: Unit, root: string): TemplateResult {
  const title = `${unit.what}: the ten rows furthest off`;
  return html`<h3>The ten rows furthest off</h3>
    <div class="scroll" tabindex="0" role="group" aria-label=${title}>
      <table class="errors worst">
        <thead>
          <tr>
            <th scope="col">Row</th>
            <th scope="col" class="figure">Measured</th>
            <th scope="col" class="figure">Predicted</th>
            <th scope="col" class="figure">Error</th>
            <th scope="col"><span class="hidden">Scenario</span></th>
          </tr>
        </thead>
        <tbody>
          ${part.worst.map(
            (r) =>
              html`<tr>
                <th scope="row">
                  ${r.model}${r.device ? html` on <code>${r.device}</code>` : nothing}
                  <span class="muted">${r.id}</span>
                  <span class="because">${r.reason ?? 'Not looked into.'}</span>
                </th>
                <td class="figure">${format(r.measured, unit.unit)}</td>
                <td class="figure">${format(r.predicted, unit.unit)}</td>
                <td class="figure">${signed(r.error)}</td>
                <td>
                  <a href=${`${root}#${r.link}`} aria-label=${`${r.id}: open the scenario`}>open</a>
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + Math.abs(v), 0) / values.length;
}
const most = (values: readonly number[]) => Math.max(...values.map(Math.abs));

/** The one table of step times that several tools are measured on. */
function others(data: Accuracy): TemplateResult {
  const { rows, tools } = data.korthikanti;
  const ours = { name: 'Envelope', error: rows.map((r) => r.error) };
  const columns = [ours, ...tools];
  const { simumax } = data;
  return html`<section>
    <h2>Other calculators</h2>
    <p>
      Eight step times of Megatron on A100 (Korthikanti et al. 2022, Table 5) are what other tools
      were validated on. Their figures below are of
      ${tools.map((t, i) => html`${i ? '; ' : ''}<a href=${t.url} rel="noopener noreferrer">${t.name}</a>${t.version ? ` ${t.version}` : ''} (${t.how})`)}.
    </p>
    <div class="scroll" tabindex="0" role="group" aria-label="Errors on eight step times">
      <table class="errors">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" class="figure">Measured</th>
            ${columns.map((c) => html`<th scope="col" class="figure">${c.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (r, i) =>
              html`<tr>
                <th scope="row">${r.model} <span class="muted">${r.id}</span></th>
                <td class="figure">${format(r.measured, 'second')}</td>
                ${columns.map((c) => html`<td class="figure">${signed(c.error[i] ?? 0)}</td>`)}
              </tr>`,
          )}
          <tr>
            <th scope="row">Mean of the absolute errors</th>
            <td></td>
            ${columns.map((c) => html`<td class="figure">${percent(mean(c.error))}</td>`)}
          </tr>
          <tr>
            <th scope="row">Largest</th>
            <td></td>
            ${columns.map((c) => html`<td class="figure">${percent(most(c.error))}</td>`)}
          </tr>
        </tbody>
      </table>
    </div>
    <p>
      <a href=${simumax.url} rel="noopener noreferrer">${simumax.name} ${simumax.version}</a>:
      ${simumax.how}; mean ${percent(simumax.mean_abs)}, largest ${percent(simumax.max_abs)}. On the
      ${count(simumax.rows.length)} of these rows that are in our table Envelope is off by
      ${percent(mean(simumax.rows))} on average and ${percent(most(simumax.rows))} at most, with
      constants that it shares with all other B200 rows.
    </p>
  </section>`;
}

const kSpeed: Unit = { id: 'speed', what: 'Step time', axis: 'step time', unit: 'second' };
const kRuns: Unit = { id: 'runs', what: 'Whole runs', axis: 'GPU-hours', unit: 'gpu-hour' };
const kMemory: Unit = { id: 'memory', what: 'Memory', axis: 'memory, GiB', unit: 'count' };

function headline(part: Part): string {
  const s = part.summary;
  return `Median ${percent(s.median_abs)}, 90th percentile ${percent(s.p90_abs)}, mean of the sources' medians ${percent(s.mean_of_source_medians)}; ${count(s.rows - s.skipped)} of ${count(s.rows)} readings are predicted.`;
}

export function accuracyPage(data: Accuracy, root: string): TemplateResult {
  const { speed, runs, memory } = data;
  return html`<article class="leaf">
    <h1>Accuracy</h1>
    <p class="lead">
      What others measured and published, beside what Envelope predicts: half of
      ${count(speed.rows.length)} step times are within ${percent(speed.summary.median_abs)}, half of
      ${count(runs.rows.length)} whole runs within ${percent(runs.summary.median_abs)}, half of
      ${count(memory.rows.length)} readings of memory within ${percent(memory.summary.median_abs)}.
      None of the readings is ours. This page is made anew with every build.
    </p>
    <section>
      <h2>Step time</h2>
      <p>
        ${headline(speed)}
        ${
          speed.moe
            ? `Models with experts (${count(speed.moe.rows)}): median ${percent(speed.moe.median_abs)}, 90th percentile ${percent(speed.moe.p90_abs)}.`
            : nothing
        }
        The error is that of the time of a step. The dashed lines are 20 % above and below. "Without it"
        is the median when the constants are fitted without that source: what to expect of a run that
        nobody has published yet.
      </p>
      ${scatter(speed, kSpeed)} ${sourceTable(speed, data, 'Errors of step time by source', true)}
      <h3>By device</h3>
      ${deviceTable(speed, 'Errors of step time by device')} ${worst(speed, kSpeed, root)}
    </section>
    <section>
      <h2>Whole runs</h2>
      <p>
        ${headline(runs)} GPU-hours are predicted from what a planner knows before the run, and nothing
        else: model, tokens, device, number of GPUs, year. Software, precision, batch and layout follow
        one rule for all rows.
      </p>
      ${scatter(runs, kRuns)} ${sourceTable(runs, data, 'Errors of whole runs by source', false)}
      ${worst(runs, kRuns, root)}
    </section>
    <section>
      <h2>Memory</h2>
      <p>${headline(memory)}</p>
      ${scatter(memory, kMemory)} ${sourceTable(memory, data, 'Errors of memory by source', false)}
    </section>
    ${others(data)}
    <section>
      <h2>Do it again</h2>
      <p>
        The tables are in <code>tests/published</code>, each row with the place in its source;
        <code>envelope validate FILE.csv</code> prints the same figures, and takes your own runs as well.
        The constants behind them are listed in <code>docs/constants.md</code>, and
        <code>tests/fit</code> fits them.
      </p>
    </section>
  </article>`;
}
