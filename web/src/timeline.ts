// SPDX-License-Identifier: MIT
// The pipeline schedule of one step: a row for each stage, a box for each pass. Loaded when its panel is
// opened. When each pass runs is worked out by the core.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { guard } from 'lit/directives/guard.js';
import type { Slot, StepDetail, Timeline } from './api';
import { tableToggle } from './charts';
import { linear, ticks } from './scale';
import type { Path } from './types.generated';
import { duration, percent, trimmed } from './units';
import { answerOf, door, valueOf, type Actions, type View } from './view';

const kLeft = 40; // px for the numbers of the stages
const kRight = 12;
const kAxis = 26;
const kNarrowest = 10; // px of a pass, on average; a narrower screen scrolls
const kRow = { most: 26, least: 9, all: 440 };
const kLabelled = { width: 15, height: 13 }; // px of a box with a number in it
const kKinds = ['F', 'B', 'W'] as const;

/** The passes of each stage, in the order of time. */
export function rowsOf({ slots, stages }: Timeline): Slot[][] {
  const rows: Slot[][] = Array.from({ length: stages }, () => []);
  for (const slot of slots) rows[slot[0]]?.push(slot);
  for (const row of rows) row.sort((a, b) => a[4] - b[4]);
  return rows;
}

/** `F1`; `F1.2` for its second chunk where a stage has several. */
export const shortName = ([, kind, micro, chunk]: Slot, chunks: number): string =>
  `${kind}${micro + 1}${chunks > 1 ? `.${chunk + 1}` : ''}`;

/** What B means depends on whether the weights have a pass of their own. */
export function passName(kind: Slot[1], split: boolean): string {
  if (kind === 'F') return 'forward';
  if (kind === 'W') return 'gradients of the weights';
  return split ? 'gradients of the inputs' : 'backward';
}

const isSplit = ({ slots }: Timeline): boolean => slots.some(([, kind]) => kind === 'W');

export function readSlot(slot: Slot, { chunks, slots }: Timeline): string {
  const [stage, kind, micro, chunk, start, end] = slot;
  const name = passName(kind, isSplit({ slots } as Timeline));
  const part = chunks > 1 ? `, chunk ${chunk + 1}` : '';
  return `Stage ${stage + 1}: ${name} of micro-batch ${micro + 1}${part}, from ${trimmed(duration(start))} to ${trimmed(duration(end))}`;
}

/** The pass that is drawn at a time, or the nearest. */
function nearest(row: readonly Slot[], time: number): Slot | undefined {
  const far = ([, , , , start, end]: Slot) => Math.max(start - time, time - end, 0);
  return row.reduce<Slot | undefined>((a, b) => (!a || far(b) < far(a) ? b : a), undefined);
}

/** Where an arrow key leads from a pass. */
export function nextSlot(rows: readonly Slot[][], from: Slot | undefined, key: string) {
  if (!from) return rows[0]?.[0];
  const row = rows[from[0]] ?? [];
  if (key === 'ArrowRight') return row[row.indexOf(from) + 1] ?? from;
  if (key === 'ArrowLeft') return row[row.indexOf(from) - 1] ?? from;
  const other = rows[from[0] + (key === 'ArrowDown' ? 1 : -1)];
  return (other && nearest(other, (from[4] + from[5]) / 2)) ?? from;
}

interface Frame {
  x(time: number): number;
  y(stage: number): number;
  row: number;
  width: number;
  height: number;
  end: number;
}

function frameOf(timeline: Timeline, rows: readonly Slot[][], room: number): Frame {
  const most = Math.max(...rows.map((row) => row.length));
  const width = Math.max(room, kLeft + kRight + most * kNarrowest);
  const end = Math.max(...timeline.slots.map((slot) => slot[5]));
  const row = Math.max(kRow.least, Math.min(kRow.most, kRow.all / timeline.stages));
  return {
    x: linear([0, end], [kLeft, width - kRight]),
    y: (stage) => stage * row,
    row,
    width,
    height: timeline.stages * row + kAxis,
    end,
  };
}

const box = (f: Frame, [stage, , , , start, end]: Slot): string =>
  `M${f.x(start).toFixed(2)} ${(f.y(stage) + 1).toFixed(2)}h${Math.max(0.5, f.x(end) - f.x(start) - 0.5).toFixed(2)}v${(f.row - 2).toFixed(2)}H${f.x(start).toFixed(2)}z`;

const pattern = (kind: string) => `url(#pass-${kind}-hatch)`;

/** For paper and forced colours; W has its lines everywhere. */
const hatches = html`<svg class="patterns" width="0" height="0" aria-hidden="true">
  <defs>
    ${[
      ['F', ''],
      ['B', 'M0 0h6v6h-6z'],
      ['W', 'M0 3h6'],
    ].map(
      ([kind, path]) => svg`<pattern id=${`pass-${kind}-hatch`} width="6" height="6"
        patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="6" height="6" class=${`pass-under ${kind}`} />
        <path d=${path} class=${`pass-line ${kind}`} />
      </pattern>`,
    )}
  </defs>
</svg>`;

function drawing(timeline: Timeline, rows: readonly Slot[][], f: Frame): unknown {
  const { stages, chunks, slots } = timeline;
  const stride = Math.ceil(14 / f.row);
  const roomy = (slot: Slot) =>
    f.row >= kLabelled.height && f.x(slot[5]) - f.x(slot[4]) >= kLabelled.width;
  const paths = kKinds.flatMap((kind) =>
    [0, 1].map((odd) => ({
      kind,
      odd,
      d: slots
        .filter(([, k, , chunk]) => k === kind && chunk % 2 === odd)
        .map((slot) => box(f, slot))
        .join(''),
    })),
  );
  return svg`${ticks([0, f.end], Math.floor(f.width / 110)).map(
    (t) => svg`<g class="tick"><line x1=${f.x(t)} x2=${f.x(t)} y1="0" y2=${f.height - kAxis + 4} />
      <text x=${f.x(t)} y=${f.height - 6} text-anchor=${f.x(t) > f.width - 30 ? 'end' : 'middle'}>${trimmed(duration(t))}</text></g>`,
  )}
  ${rows.map(
    (_, stage) =>
      svg`<rect class="idle" x=${f.x(0)} y=${f.y(stage) + 1} width=${f.x(f.end) - f.x(0)} height=${f.row - 2} />
      ${stage % stride === 0 || stage === stages - 1 ? svg`<text x=${kLeft - 8} y=${f.y(stage) + f.row / 2} dy="0.32em" text-anchor="end">${stage + 1}</text>` : nothing}`,
  )}
  ${paths
    .filter(({ d }) => d !== '')
    .map(
      ({ kind, odd, d }) =>
        svg`<path class=${`pass ${kind}${odd ? ' odd' : ''}`} fill=${pattern(kind)} d=${d} />`,
    )}
  ${slots
    .filter(roomy)
    .map(
      (slot) =>
        svg`<text class=${`in-pass ${slot[1]}`} x=${(f.x(slot[4]) + f.x(slot[5])) / 2} y=${f.y(slot[0]) + f.row / 2} dy="0.34em" text-anchor="middle">${slot[2] + 1}${chunks > 1 && f.x(slot[5]) - f.x(slot[4]) > 30 ? `.${slot[3] + 1}` : ''}</text>`,
    )}`;
}

function table(rows: readonly Slot[][], { chunks }: Timeline): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Timeline of the pipeline, table">
    <table>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">From</th>
          <th scope="col">To</th>
          <th scope="col">Passes in order, with their micro-batch</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row, stage) =>
            html`<tr>
              <th scope="row">${stage + 1}</th>
              <td>${trimmed(duration(row[0]?.[4] ?? 0))}</td>
              <td>${trimmed(duration(Math.max(0, ...row.map((slot) => slot[5]))))}</td>
              <td class="order">${row.map((slot) => shortName(slot, chunks)).join(' ')}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** `1F1B: 8 stages, 32 micro-batches, of which 12 are drawn.` */
export function describe(view: Pick<View, 'fields'>, timeline: Timeline): string {
  const { schedule, stages, chunks, micro_batches, shown } = timeline;
  const choices = view.fields.get('cluster.schedule' satisfies Path)?.choices;
  const label = choices?.find((c) => c.id === schedule)?.label ?? schedule;
  const name = (label.split(',')[0] ?? '') + (chunks > 1 ? `, ${chunks} chunks each` : '');
  const part = shown < micro_batches ? `, of which ${shown} are drawn` : '';
  return `${name}: ${stages} stages, ${micro_batches} micro-batches${part}.`;
}

function key(timeline: Timeline): TemplateResult {
  const split = isSplit(timeline);
  const kinds = kKinds.filter((kind) => kind !== 'W' || split);
  return html`<ul class="legend" aria-hidden="true">
    ${kinds.map(
      (kind) =>
        html`<li>
          <svg width="14" height="12">
            <rect class=${`pass ${kind}`} fill=${pattern(kind)} width="14" height="12" />
          </svg>
          ${kind}: ${passName(kind, split)}
        </li>`,
    )}
    <li>
      <svg width="14" height="12"><rect class="idle" width="14" height="12" /></svg>
      idle: the bubble
    </li>
  </ul>`;
}

export function timeline(view: View, actions: Actions, { timeline: all }: StepDetail): unknown {
  if (!all || all.slots.length === 0)
    return html`<p class="muted">This layout has no pipeline that could be drawn.</p>`;
  const rows = rowsOf(all);
  const f = frameOf(all, rows, view.width);
  const hovered = view.hover?.chart === 'timeline' ? all.slots[view.hover.x] : undefined;
  const hover = (slot: Slot | undefined) =>
    actions.hover(slot ? { chart: 'timeline', x: all.slots.indexOf(slot) } : null);
  const move = (e: PointerEvent) => {
    const at = (e.currentTarget as SVGElement).getBoundingClientRect();
    const row = rows[Math.floor((e.clientY - at.top) / f.row)];
    const time = ((e.clientX - at.left - kLeft) / (f.width - kLeft - kRight)) * f.end;
    hover(row?.find((slot) => slot[4] <= time && time < slot[5]));
  };
  const press = (e: KeyboardEvent) => {
    if (!e.key.startsWith('Arrow')) return;
    e.preventDefault();
    const next = nextSlot(rows, hovered, e.key);
    hover(next);
    if (!next) return;
    const scroller = e.currentTarget as HTMLElement;
    const x = f.x(next[4]);
    if (x < scroller.scrollLeft + kLeft || x > scroller.scrollLeft + scroller.clientWidth - kLeft)
      scroller.scrollLeft = x - scroller.clientWidth / 2;
  };
  const bubble = valueOf(answerOf(view), 'step.bubble');
  const total = valueOf(answerOf(view), 'time.step');
  const said = describe(view, all);
  return html`<figure class="timeline" data-chart="timeline">
    <figcaption>
      <p class="muted">
        ${said} ${bubble && total ? html`The bubble takes ${door(view, actions, 'step.bubble')}, ${percent(bubble / total)} of the step.` : nothing}
      </p>
      ${tableToggle(view, actions, 'timeline', 'Timeline of the pipeline')}
    </figcaption>
    ${
      view.open.has('table:timeline')
        ? table(rows, all)
        : html`${hatches} ${key(all)}
            <div
              class="scroll"
              tabindex="0"
              role="img"
              aria-label=${`Timeline of the pipeline. ${said} Arrow keys read the passes; the table has their order.`}
              @keydown=${press}
              @blur=${() => actions.hover(null)}
            >
              <svg
                class="plot"
                width=${f.width}
                height=${f.height}
                aria-hidden="true"
                @pointermove=${move}
                @pointerleave=${() => actions.hover(null)}
              >
                ${guard([all, f.width], () => drawing(all, rows, f))}
                ${hovered ? svg`<path class="read-pass" d=${box(f, hovered)} />` : nothing}
              </svg>
            </div>
            <p class="read" aria-live=${hovered ? 'polite' : 'off'}>
              ${hovered ? readSlot(hovered, all) : 'Rows are stages, boxes are passes with the number of their micro-batch.'}
            </p>`
    }
  </figure>`;
}
