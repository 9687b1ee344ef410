// SPDX-License-Identifier: MIT
// One kind of chart: lines over a logarithmic axis, with a band, marks, a reading line and a table.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { area, extent, line, linear, log, nice, ticks, type Range } from './scale';
import { trimmed } from './units';
import type { Actions, View } from './view';

/** What a chart needs of the page: what is unfolded, and where the pointer is. */
export type Looks = Pick<View, 'open' | 'hover'>;
export type Moves = Pick<Actions, 'toggle' | 'hover'>;

export type Point = [x: number, y: number];

export interface Series {
  name: string;
  points: Point[];
  /** x, low, high */
  band?: [number, number, number][];
  /** Points for which this is false are drawn dashed: the scenario does not work there. */
  works?: (x: number) => boolean;
}

export interface Chart {
  id: string;
  title: string;
  caption: string;
  x: { label: string; format(x: number): string };
  y: { label: string; format(y: number): string; linear?: boolean; ticks?: readonly number[] };
  series: Series[];
  marks: { x: number; y: number; label: string; kind: 'here' | 'best' }[];
  rules?: { x: number; label: string }[];
}

const kHeight = 260;
const kMargin = { top: 16, right: 16, bottom: 38, left: 68 };
const kTableRows = 12;
const kApart = 14; // px between tick labels

/** Decades, or 1-2-5 when there are few; a logarithmic axis labelled at every tick is unreadable. */
export function logTicks([low, high]: Range, most: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const within = (t: number) => t >= low * 0.999 && t <= high * 1.001;
  for (const steps of [[1, 2, 5], [1, 3], [1]]) {
    const all: number[] = [];
    for (let e = first; e <= last; ++e) for (const s of steps) all.push(s * 10 ** e);
    const inside = all.filter(within);
    if (inside.length < 3 && steps.length === 3) return ticks([low, high], most);
    if (inside.length <= most) return inside;
  }
  const decades: number[] = [];
  const stride = Math.ceil((last - first + 1) / most);
  for (let e = first; e <= last; e += stride) decades.push(10 ** e);
  return decades.filter(within);
}

function table(chart: Chart): TemplateResult {
  const first = chart.series[0]?.points ?? [];
  const stride = Math.max(1, Math.ceil(first.length / kTableRows));
  const rows = first.filter((_, i) => i % stride === 0 || i === first.length - 1);
  const at = (series: Series, x: number) => series.points.find(([px]) => px === x)?.[1];
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${`${chart.title}, table`}>
    <table>
      <thead>
        <tr>
          <th scope="col">${chart.x.label}</th>
          ${chart.series.map((s) => html`<th scope="col">${s.name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([x]) =>
            html`<tr>
              <th scope="row">${chart.x.format(x)}</th>
              ${chart.series.map((s) => {
                const y = at(s, x);
                return html`<td>${y === undefined ? '–' : chart.y.format(y)}</td>`;
              })}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Runs of points that all work or all do not, sharing the point where they meet. */
function runs(series: Series): { points: Point[]; works: boolean }[] {
  const found: { points: Point[]; works: boolean }[] = [];
  for (const point of series.points) {
    const works = series.works?.(point[0]) ?? true;
    const last = found[found.length - 1];
    if (!last) found.push({ points: [point], works });
    else {
      last.points.push(point);
      if (last.works !== works) found.push({ points: [point], works });
    }
  }
  return found;
}

function plot(view: Looks, actions: Moves, chart: Chart, width: number): unknown {
  const xs = chart.series.flatMap((s) => s.points.map((p) => p[0]));
  const ys = [
    ...chart.series.flatMap((s) => s.points.map((p) => p[1])),
    ...chart.series.flatMap((s) => (s.band ?? []).flatMap(([, a, b]) => [a, b])),
    ...chart.marks.map((m) => m.y),
  ];
  if (xs.length === 0) return nothing;
  const { top, right, bottom, left } = kMargin;
  const x = log(extent(xs) ?? [1, 1], [left, width - right]);
  const [low, high] = extent(ys) ?? [1, 1];
  const room = Math.max(1.15, 3 / Math.sqrt(high / low)); // a flat line stays in the middle
  const y = chart.y.linear
    ? linear(nice([low - (high - low) * 0.12, high], 5), [kHeight - bottom, top])
    : log([low / room, high * room], [kHeight - bottom, top]);
  const xTicks = logTicks(x.domain, Math.floor(width / 75));
  const [yLow, yHigh] = y.domain;
  const named = chart.y.ticks?.filter((t) => t >= yLow && t <= yHigh) ?? [];
  const own = chart.y.linear ? ticks(y.domain, 5) : logTicks([yLow, yHigh], 6);
  const allTicks = named.length > 1 ? named : own;
  const yTicks = allTicks.filter((t, i) => i === 0 || y(allTicks[i - 1] ?? t) - y(t) >= kApart);
  const path = (list: Point[]) => line(list.map((p) => [x(p[0]), y(p[1])]));
  const shade = (band: NonNullable<Series['band']>) =>
    area(band.map((p) => [x(p[0]), y(p[1]), y(p[2])]));

  const points = chart.series[0]?.points ?? [];
  const hovered = view.hover?.chart === chart.id ? view.hover.x : null;
  const nearest = (value: number): Point | undefined => {
    const far = (p: Point) => Math.abs(x(p[0]) - x(value));
    return points.reduce<Point | undefined>((a, b) => (!a || far(b) < far(a) ? b : a), undefined);
  };
  const reading = hovered === null ? undefined : nearest(hovered);
  const move = (e: PointerEvent) => {
    const box = (e.currentTarget as SVGElement).getBoundingClientRect();
    actions.hover({ chart: chart.id, x: x.invert(e.clientX - box.left) });
  };
  const key = (e: KeyboardEvent) => {
    if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
    e.preventDefault();
    const now = reading ? points.indexOf(reading) : Math.floor(points.length / 2);
    const next =
      points[Math.max(0, Math.min(points.length - 1, now + (e.key === 'ArrowLeft' ? -1 : 1)))];
    if (next) actions.hover({ chart: chart.id, x: next[0] });
  };
  const flip = (px: number) => px > width * 0.6;
  const name = (s: Series) => {
    const at = s.points[Math.floor(s.points.length / 5)];
    return at
      ? svg`<text x=${x(at[0]) - 6} y=${y(at[1]) - 8} text-anchor="end">${s.name}</text>`
      : nothing;
  };
  return html`<svg
      class="plot"
      width=${width}
      height=${kHeight}
      role="img"
      tabindex="0"
      aria-label=${`${chart.title}. ${chart.caption} Left and right arrows read the line; the table has the numbers.`}
      @pointermove=${move}
      @pointerleave=${() => actions.hover(null)}
      @blur=${() => actions.hover(null)}
      @keydown=${key}
    >
      ${yTicks.map(
        (t) => svg`<g class="tick"><line x1=${left} x2=${width - right} y1=${y(t)} y2=${y(t)} />
      <text x=${left - 8} y=${y(t)} dy="0.32em" text-anchor="end">${trimmed(chart.y.format(t))}</text></g>`,
      )}
      ${xTicks.map(
        (t) => svg`<g class="tick"><line x1=${x(t)} x2=${x(t)} y1=${top} y2=${kHeight - bottom} />
      <text x=${x(t)} y=${kHeight - bottom + 16} text-anchor="middle">${trimmed(chart.x.format(t))}</text></g>`,
      )}
      <text class="axis" x=${(left + width - right) / 2} y=${kHeight - 4} text-anchor="middle">
        ${chart.x.label}
      </text>
      ${(chart.rules ?? [])
        .filter((r) => r.x >= x.domain[0] && r.x <= x.domain[1])
        .map(
          (
            r,
          ) => svg`<g class="rule"><line x1=${x(r.x)} x2=${x(r.x)} y1=${top} y2=${kHeight - bottom} />
        <text x=${x(r.x) + (flip(x(r.x)) ? -5 : 5)} y=${kHeight - bottom - 6} text-anchor=${flip(x(r.x)) ? 'end' : 'start'}>${r.label}</text></g>`,
        )}
      ${chart.series.map(
        (s, i) => svg`<g class=${`series s${i}`}>
      ${s.band ? svg`<path class="shade" d=${shade(s.band)} />` : nothing}
      ${runs(s).map((r) => svg`<path class=${r.works ? 'line' : 'line dashed'} d=${path(r.points)} />`)}
      ${chart.series.length > 1 ? name(s) : nothing}
    </g>`,
      )}
      ${chart.marks.map(
        (m) => svg`<g class=${`mark ${m.kind}`}>
      <circle cx=${x(m.x)} cy=${y(m.y)} r="4.5" />
      ${
        m.kind === 'best'
          ? svg`<text x=${Math.max(left + 80, Math.min(width - right - 80, x(m.x)))} y=${y(m.y) + 19} text-anchor="middle">${m.label}</text>`
          : svg`<text x=${x(m.x) + (flip(x(m.x)) ? -9 : 9)} y=${y(m.y) - 8} text-anchor=${flip(x(m.x)) ? 'end' : 'start'}>${m.label}</text>`
      }
    </g>`,
      )}
      ${
        reading
          ? svg`<g class="reading"><line x1=${x(reading[0])} x2=${x(reading[0])} y1=${top} y2=${kHeight - bottom} />
        ${chart.series.map((s, i) => {
          const at = s.points.find(([px]) => px === reading[0]);
          return at
            ? svg`<circle class=${`s${i}`} cx=${x(at[0])} cy=${y(at[1])} r="3.5" />`
            : nothing;
        })}</g>`
          : nothing
      }
    </svg>
    <p class="read" aria-live=${hovered === null ? 'off' : 'polite'}>
      ${
        reading
          ? `${chart.x.label} ${chart.x.format(reading[0])}: ${chart.series
              .map((s) => {
                const at = s.points.find(([px]) => px === reading[0]);
                return `${chart.series.length > 1 ? `${s.name} ` : ''}${at ? chart.y.format(at[1]) : '–'}`;
              })
              .join(' · ')}`
          : chart.caption
      }
    </p>`;
}

/** The button that turns a chart into its numbers, and back. */
export function tableToggle(view: Looks, actions: Moves, id: string, title: string) {
  const key = `table:${id}`;
  const pressed = view.open.has(key);
  return html`<button
    type="button"
    class="plain"
    aria-pressed=${pressed ? 'true' : 'false'}
    aria-label=${`${title}: table`}
    @click=${() => actions.toggle(key, !pressed)}
  >
    Table
  </button>`;
}

export function figure(view: Looks, actions: Moves, chart: Chart, width: number): TemplateResult {
  return html`<figure class="chart" data-chart=${chart.id}>
    <figcaption>
      <h3>${chart.title}</h3>
      ${tableToggle(view, actions, chart.id, chart.title)}
    </figcaption>
    ${view.open.has(`table:${chart.id}`) ? table(chart) : plot(view, actions, chart, width)}
  </figure>`;
}
