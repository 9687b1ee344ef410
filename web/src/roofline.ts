// SPDX-License-Identifier: MIT
// The operations of the slowest stage under the roof of the accelerator: FLOP/s against FLOP per byte, both
// logarithmic. Loaded when its panel is opened. The numbers are the core's.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Operation, Roofline, StepDetail } from './api';
import { logTicks, tableToggle } from './charts';
import { widthOf } from './measure';
import { kLine, placed } from './placing';
import { extent, log, line } from './scale';
import { bytes, count, duration, flops, percent, share, significant, trimmed } from './units';
import type { Actions, View } from './view';

const kHeight = 340;
const kMargin = { top: 26, right: 18, bottom: 40, left: 56 };
const kText = 12; // px
const kNumbered = 560; // px: below it the points have numbers, and the names stand under the plot

/** Operations that the axes can show, the ones that take longest first. */
export const shownOf = ({ operations }: Roofline): Operation[] =>
  operations.filter((o) => o.intensity > 0 && o.rate > 0).sort((a, b) => b.share - a.share);

const rate = (x: number) => flops(x, 'FLOP/s');

function table(operations: readonly Operation[]): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Roofline, table">
    <table>
      <thead>
        <tr>
          <th scope="col">Operation</th>
          <th scope="col">Of the step</th>
          <th scope="col">FLOP</th>
          <th scope="col">Bytes</th>
          <th scope="col">Time</th>
          <th scope="col">FLOP per byte</th>
          <th scope="col">FLOP/s</th>
        </tr>
      </thead>
      <tbody>
        ${operations.map(
          (o) =>
            html`<tr>
              <th scope="row">${o.label}</th>
              <td>${share(o.share)}</td>
              <td>${o.flop > 0 ? flops(o.flop) : '–'}</td>
              <td>${bytes(o.bytes)}</td>
              <td>${trimmed(duration(o.seconds))}</td>
              <td>${o.intensity > 0 ? significant(o.intensity) : '–'}</td>
              <td>${o.rate > 0 ? rate(o.rate) : '–'}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function plot({ bandwidth, peaks }: Roofline, list: readonly Operation[], width: number): unknown {
  const { top, right, bottom, left } = kMargin;
  const highest = Math.max(...peaks.map((p) => p.rate));
  const ridge = highest / bandwidth;
  const xs = extent([...list.map((o) => o.intensity), ridge]) ?? [1, 1];
  const ys = extent([...list.map((o) => o.rate), highest]) ?? [1, 1];
  const x = log([xs[0] / 2, xs[1] * 2], [left, width - right]);
  const y = log([ys[0] / 2, ys[1] * 1.8], [kHeight - bottom, top]);
  const [from, to] = x.domain;
  const slope: [number, number][] = [
    [from, bandwidth * from],
    [ridge, highest],
  ].filter(([, r]) => (r as number) >= y.domain[0]) as [number, number][];
  if (bandwidth * from < y.domain[0]) slope.unshift([y.domain[0] / bandwidth, y.domain[0]]);
  const numbered = width < kNumbered;
  const largest = Math.max(...list.map((o) => o.share));
  const points = list.map((o, i) => ({
    x: x(o.intensity),
    y: y(o.rate),
    radius: 3 + 6 * Math.sqrt(o.share / largest),
    width: widthOf(numbered ? String(i + 1) : o.label, kText) + 2,
  }));
  const names = peaks.map((p) => {
    const text = `${p.label} ${trimmed(rate(p.rate))}`;
    const wide = widthOf(text, kText);
    return { text, x: width - right - wide, y: y(p.rate) - 20, width: wide, height: kLine + 7 };
  });
  const room = { x: left, y: top, width: width - left - right, height: kHeight - top - bottom };
  const places = placed(points, room, names);
  return svg`${logTicks(y.domain, 6).map(
    (t) => svg`<g class="tick"><line x1=${left} x2=${width - right} y1=${y(t)} y2=${y(t)} />
      <text x=${left - 8} y=${y(t)} dy="0.32em" text-anchor="end">${trimmed(flops(t, ''))}</text></g>`,
  )}
  ${logTicks(x.domain, Math.floor(width / 75)).map(
    (t) => svg`<g class="tick"><line x1=${x(t)} x2=${x(t)} y1=${top} y2=${kHeight - bottom} />
      <text x=${x(t)} y=${kHeight - bottom + 16} text-anchor="middle">${trimmed(count(t))}</text></g>`,
  )}
  <text class="axis" x="4" y="12">FLOP/s</text>
  <text class="axis" x=${(left + width - right) / 2} y=${kHeight - 4} text-anchor="middle">FLOP per byte</text>
  <path class="roof" d=${line(slope.map(([a, b]) => [x(a), y(b)]))} />
  ${peaks.map((p, i) => {
    const flat = line([
      [x(p.rate / bandwidth), y(p.rate)],
      [x(to), y(p.rate)],
    ]);
    return svg`<path class="roof" d=${flat} />
      <text class="roof-name" x=${width - right} y=${y(p.rate) - 6} text-anchor="end">${names[i]?.text}</text>`;
  })}
  ${list.map((o, i) => {
    const [p, at] = [points[i], places[i]];
    if (!p) return nothing;
    const to = at && {
      x: Math.max(at.x, Math.min(at.x + at.width, p.x)),
      y: Math.max(at.y, Math.min(at.y + kLine, p.y)),
    };
    return svg`<g class="operation">
      ${to && !at?.near ? svg`<line class="leader" x1=${p.x} y1=${p.y} x2=${to.x} y2=${to.y} />` : nothing}
      <circle cx=${p.x} cy=${p.y} r=${p.radius}><title>${`${o.label}: ${percent(o.share)} of the step`}</title></circle>
      ${at ? svg`<text x=${at.x} y=${at.y + kLine - 4}>${numbered ? i + 1 : o.label}</text>` : nothing}
    </g>`;
  })}`;
}

export function roofline(view: View, actions: Actions, { roofline: all }: StepDetail): unknown {
  if (!all || all.operations.length === 0)
    return html`<p class="muted">The accelerator has no peak or bandwidth to draw a roof from.</p>`;
  const list = shownOf(all);
  const width = view.width;
  const first = list[0];
  const said = `Memory gives ${bytes(all.bandwidth)}/s: an operation under the slope is held back by it, one under the flat part by arithmetic.`;
  const most = first ? ` Most of the step: ${first.label}, ${percent(first.share)}.` : '';
  const without = all.operations.filter((o) => !list.includes(o)).map((o) => o.label);
  const undrawn = without.length
    ? ` Not drawn, for they move bytes and count no FLOP: ${without.join(', ')}.`
    : '';
  return html`<figure class="roofline" data-chart="roofline">
    <figcaption>
      <p class="muted">${said}</p>
      ${tableToggle(view, actions, 'roofline', 'Roofline')}
    </figcaption>
    ${
      view.open.has('table:roofline')
        ? table(all.operations)
        : width > 0
          ? html`<svg
                class="plot"
                width=${width}
                height=${kHeight}
                role="img"
                aria-label=${`Roofline. ${said}${most} The table has the numbers.`}
              >
                ${plot(all, list, width)}
              </svg>
              ${
                width < kNumbered
                  ? html`<ol class="numbered">
                      ${list.map((o) => html`<li>${o.label} <span class="muted">${percent(o.share)}</span></li>`)}
                    </ol>`
                  : nothing
              }
              <p class="read">Larger points take more of the step.${most}${undrawn}</p>`
          : nothing
    }
  </figure>`;
}
