// SPDX-License-Identifier: MIT
// A chart of one or two inputs, as the core worked it out: a line, bars, or a map whose cells are a table.
// Loaded with its panel.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { ChartData, Field, Patch, Side, Value } from './api';
import { figure, type Chart, type Looks, type Moves } from './charts';
import { shown } from './form';
import { extent, ticks, type Range } from './scale';
import { exact, format, kDay, kHour, kMinute, kYear, roughly } from './units';
import type { Tables } from './view';

const kShades = 9; // steps of lightness, in exploring.css
const kWide = 3; // from this ratio on shades follow the logarithm
export const kSigns = ['', '▲', '✕'];
const kMarks = ['', 'Does not fit in memory.', 'Breaks a rule.'];

const isMap = (data: ChartData): data is ChartData & { y: Side } => data.y !== null;

/** A value of an axis in words. */
function labelOf(tables: Tables, side: Side, i: number): string {
  const value = side.values[i];
  if (side.labels) return side.labels[i] ?? String(value);
  const field = tables.fields.get(side.path);
  return field && typeof value === 'number' ? shown(field, value) : String(value);
}

const metricText = (data: Pick<ChartData, 'unit'>, value: number | null): string =>
  value === null ? 'no value' : format(value, data.unit);

/** Where a point lies on its axes: of x, of y. */
const placeOf = (data: ChartData, at: number): [number, number] => {
  const width = data.y?.values.length ?? 1;
  return [Math.floor(at / width), at % width];
};

export function hereOf({ x, y }: ChartData): number {
  if (x.now === null || (y && y.now === null)) return -1;
  return x.now * (y?.values.length ?? 1) + (y?.now ?? 0);
}

/** `Tensor parallel 8, Pipeline parallel 4: 5.8 s. Breaks a rule. …` */
export function reading(tables: Tables, data: ChartData, at: number): string {
  const [i, j] = placeOf(data, at);
  const along = `${data.x.label} ${labelOf(tables, data.x, i)}`;
  const across = data.y ? `, ${data.y.label} ${labelOf(tables, data.y, j)}` : '';
  const said = [kMarks[data.marks[at] ?? 0], data.sentences[data.reasons[at] ?? -1]];
  const here = at === hereOf(data) ? ', the present scenario' : '';
  return [`${along}${across}${here}: ${metricText(data, data.values[at] ?? null)}.`, ...said]
    .filter(Boolean)
    .join(' ');
}

/** What the inputs of a point are. */
export function patchOf(data: ChartData, at: number): Patch {
  const [i, j] = placeOf(data, at);
  const patch: Record<string, Value> = { [data.x.path]: data.x.values[i] as Value };
  if (data.y) patch[data.y.path] = data.y.values[j] as Value;
  return patch;
}

const kQuoted = /[",\n]/;
const cell = (text: string): string =>
  kQuoted.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** As `envelope sweep LINK` prints it. */
export function csvOf(data: ChartData): string {
  const own = (value: Value | undefined) =>
    cell(typeof value === 'boolean' ? (value ? '1' : '0') : String(value ?? ''));
  const head = [data.x.path, ...(data.y ? [data.y.path] : []), data.metric, 'mark', 'why'];
  const rows = data.values.map((value, at) => {
    const patch = Object.values(patchOf(data, at)).map(own);
    const mark = ['', 'does not fit', 'breaks a rule'][data.marks[at] ?? 0] ?? '';
    const why = cell(data.sentences[data.reasons[at] ?? -1] ?? '');
    return [...patch, value === null ? '' : exact(value), mark, why].join(',');
  });
  return `${[head.join(','), ...rows].join('\n')}\n`;
}

/** Step of lightness of each point, by the values that can run where there are any; -1 for none. */
export function shades({ values, marks }: Pick<ChartData, 'values' | 'marks'>): number[] {
  const all = values.map((v) => v ?? NaN);
  const range = extent(all.filter((_, i) => marks[i] === 0)) ?? extent(all) ?? [0, 0];
  const [low, high] = range;
  const wide = low > 0 && high / low > kWide;
  const on = (v: number) => (wide ? Math.log(Math.max(v, low)) : v);
  return all.map((v) => {
    if (!Number.isFinite(v)) return -1;
    const share = high > low ? (on(v) - on(low)) / (on(high) - on(low)) : 0;
    return Math.max(0, Math.min(kShades - 1, Math.floor(share * kShades)));
  });
}

/** Where an arrow key leads in a map. */
export function nextCell(data: ChartData, from: number, key: string): number {
  const width = data.y?.values.length ?? 1;
  const [i, j] = placeOf(data, from);
  const [down, right] = (
    { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] } as const
  )[key as 'ArrowUp'] ?? [0, 0];
  const row = Math.max(0, Math.min(data.x.values.length - 1, i + down));
  const column = Math.max(0, Math.min(width - 1, j + right));
  return row * width + column;
}

export interface Reader {
  /** The point that is read, by pointer or focus. */
  at: number;
  read(at: number): void;
  apply(at: number): void;
}

const kArrows = ['ArrowDown', 'ArrowUp', 'ArrowRight', 'ArrowLeft'];

function map(tables: Tables, data: ChartData & { y: Side }, by: Reader): TemplateResult {
  const width = data.y.values.length;
  const steps = shades(data);
  const here = hereOf(data);
  const first = by.at >= 0 ? by.at : Math.max(0, here);
  const key = (e: KeyboardEvent) => {
    if (!kArrows.includes(e.key)) return;
    e.preventDefault();
    const next = nextCell(data, first, e.key);
    by.read(next);
    (e.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-at="${next}"]`)?.focus();
  };
  return html`<div class="scroll" role="group" aria-label="Map">
    <table class="heat" role="grid" aria-label=${`${data.label} by ${data.x.label} and ${data.y.label}`} @keydown=${key}>
      <thead>
        <tr>
          <th scope="col" class="corner">${data.x.label} ↓ ${data.y.label} →</th>
          ${data.y.values.map((_, j) => html`<th scope="col">${labelOf(tables, data.y, j)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${data.x.values.map(
          (_, i) =>
            html`<tr>
              <th scope="row">${labelOf(tables, data.x, i)}</th>
              ${data.y.values.map((__, j) => {
                const at = i * width + j;
                const mark = data.marks[at] ?? 0;
                return html`<td class=${`shade-${steps[at]} mark-${mark}${at === here ? ' here' : ''}`}>
                  <button
                    type="button"
                    data-at=${at}
                    tabindex=${at === first ? 0 : -1}
                    aria-label=${`${reading(tables, data, at)} Apply.`}
                    aria-current=${at === here ? 'true' : nothing}
                    @focus=${() => by.read(at)}
                    @pointerenter=${() => by.read(at)}
                    @click=${() => by.apply(at)}
                  >
                    ${data.values[at] === null ? '–' : metricText(data, data.values[at] ?? null)}${
                      mark ? html` <span aria-hidden="true">${kSigns[mark]}</span>` : nothing
                    }
                  </button>
                </td>`;
              })}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function legend(data: ChartData): TemplateResult {
  const can = data.values.filter((v, i): v is number => v !== null && data.marks[i] === 0);
  const [low, high] = extent(can.length ? can : data.values.map((v) => v ?? NaN)) ?? [0, 0];
  const has = (mark: number) => data.marks.includes(mark);
  return html`<p class="heat-legend">
    ${
      data.y
        ? html`<span>${metricText(data, low)}</span>
            ${Array.from(
              { length: kShades },
              (_, i) => html`<i class=${`swatch shade-${i}`} aria-hidden="true"></i>`,
            )}
            <span>${metricText(data, high)}</span>`
        : nothing
    }
    ${has(1) ? html`<span>${kSigns[1]} does not fit in memory</span>` : nothing}
    ${has(2) ? html`<span>${kSigns[2]} breaks a rule</span>` : nothing}
  </p>`;
}

/** One input whose values are no points of a scale. */
function bars(tables: Tables, data: ChartData, by: Reader): TemplateResult {
  const [, most] = extent(data.values.map((v) => Math.abs(v ?? 0))) ?? [0, 1];
  const here = hereOf(data);
  return html`<ul class="sweep-bars">
    ${data.values.map((value, at) => {
      const mark = data.marks[at] ?? 0;
      return html`<li class=${`mark-${mark}${at === here ? ' here' : ''}`}>
        <button type="button" aria-label=${`${reading(tables, data, at)} Apply.`} @click=${() => by.apply(at)} @focus=${() => by.read(at)} @pointerenter=${() => by.read(at)}>
          <span class="name">${labelOf(tables, data.x, at)}</span>
          <svg width="100%" height="10" aria-hidden="true" focusable="false">${
            value === null
              ? nothing
              : svg`<rect width=${`${(100 * Math.abs(value)) / (most || 1)}%`} height="10" />`
          }</svg>
          <span class="amount">${value === null ? '–' : metricText(data, value)} ${kSigns[mark]}</span>
        </button>
      </li>`;
    })}
  </ul>`;
}

const kMostTicks = 6;
/** As people count time; years from where days are too many. */
const kTimes = [
  ...[-6, -5, -4, -3, -2, -1].flatMap((e) => [10 ** e, 3 * 10 ** e]),
  ...[1, 3, 10, 30],
  ...[1, 3, 10, 30].map((n) => n * kMinute),
  ...[1, 3, 12].map((n) => n * kHour),
  ...[1, 3, 10, 30, 100, 300].map((n) => n * kDay),
  ...[3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5].map((n) => n * kYear),
];

/** Round times: a power of ten of seconds means nothing to anyone. */
function timeTicks([low, high]: Range, even: boolean): number[] {
  if (even) {
    const unit = [2 * kYear, kDay, kHour, kMinute].find((u) => high >= u) ?? 1;
    const size = unit === 2 * kYear ? kYear : unit;
    return ticks([low / size, high / size], kMostTicks - 1).map((n) => n * size);
  }
  const inside = kTimes.filter((t) => t >= low && t <= high);
  const stride = Math.ceil(inside.length / kMostTicks);
  return inside.filter((_, i) => i % stride === 0);
}

/** Whether the values can stand on the scale that lines have. */
export const isLine = ({ x, y }: Pick<ChartData, 'x' | 'y'>): boolean =>
  y === null && x.values.every((v) => typeof v === 'number' && v > 0);

export function lineOf(tables: Tables, data: ChartData): Chart {
  const xs = data.x.values as number[];
  const marks = new Map(xs.map((x, i) => [x, data.marks[i] ?? 0]));
  const points = xs.flatMap((x, i): [number, number][] => {
    const y = data.values[i];
    return y === null || y === undefined ? [] : [[x, y]];
  });
  const [low, high] = extent(points.map(([, y]) => y)) ?? [0, 0];
  const field = tables.fields.get(data.x.path) as Field;
  const now = data.x.now === null ? undefined : xs[data.x.now];
  const value = data.x.now === null ? null : (data.values[data.x.now] ?? null);
  const even = low <= 0 || high / low < kWide;
  const time = data.unit === 'second';
  const say = (y: number) => (time && !even ? roughly(y) : format(y, data.unit));
  const dashed = [...marks.values()].some(Boolean);
  return {
    id: 'sweep',
    title: `${data.label} against ${data.x.label}`,
    caption: `${data.x.why}${dashed ? ' Dashed: does not fit in memory, or breaks a rule.' : ''}`,
    x: { label: data.x.label, format: (x) => shown(field, x) },
    y: {
      label: data.label,
      format: say,
      linear: even,
      ...(time ? { ticks: timeTicks([low, high], even) } : {}),
    },
    series: [{ name: data.label, points, works: (x) => !marks.get(x) }],
    marks:
      now === undefined || value === null
        ? []
        : [{ x: now, y: value, label: say(value), kind: 'here' }],
  };
}

export function drawn(
  tables: Tables,
  data: ChartData,
  by: Reader,
  looks: Looks,
  moves: Moves,
  width: number,
): TemplateResult {
  if (isLine(data)) return figure(looks, moves, lineOf(tables, data), width);
  const body = isMap(data) ? map(tables, data, by) : bars(tables, data, by);
  const title = `${data.label} by ${data.x.label}${data.y ? ` and ${data.y.label}` : ''}`;
  return html`<figure class="chart sweep">
    <figcaption><h4>${title}</h4></figcaption>
    ${body} ${legend(data)}
    <p class="read" role="status">
      ${by.at >= 0 ? reading(tables, data, by.at) : 'Choose a point to apply its values. Arrow keys move in the map.'}
    </p>
  </figure>`;
}
