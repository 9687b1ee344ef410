// SPDX-License-Identifier: MIT
// The memory of a GPU: a bar for each class of ranks, the stages of a pipeline, the moments of a step, the
// least number of GPUs, and all of it as tables. Sums and peaks come from the core.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer, Memory, MemoryOf, StageMemory } from './api';
import { tableToggle } from './charts';
import type { MetricId } from './types.generated';
import { binaryBytes, bytes, count, percent } from './units';
import { answerOf, door, taskOf, valueOf, type Actions, type View } from './view';

/** The parts of an answer that has no list of ranks, in the order of the bar. */
const kFallback =
  'weights adapters gradients master optimizer activations working logits gathered kv_cache communication context slack reserve';
const kRoom = 1.02; // the capacity line stays off the edge
const kMostBars = 4;
const kMostLabels = 8; // under the columns, so that they do not run together

/** `rank.kv_cache` -> `kv_cache`: colours and patterns belong to the part, everywhere. */
const colour = (id: string): string => id.slice(id.indexOf('.') + 1);

/** What the core says about each rank, or the one bar that a layout without ranks has. */
export function memoryOf(answer: Answer): Memory | null {
  if (answer.memory) return answer.memory;
  const capacity = valueOf(answer, 'layout.capacity');
  const parts: Record<string, number> = {};
  for (const part of kFallback.split(' '))
    for (const id of [`rank.${part}`, `layout.${part}`]) {
      const value = valueOf(answer, id);
      if (value) parts[id] = value;
    }
  const total = valueOf(answer, 'layout.per_gpu');
  if (!capacity || total === undefined) return null;
  const only = { stage: 0, name: 'only' as const, ranks: 0, layers: 0, in_flight: 0, moment: '' };
  return {
    capacity,
    fullest: 0,
    parts: Object.keys(parts),
    stages: [{ ...only, total, parts }],
    timeline: [],
    least: null,
  };
}

/** Stages that are drawn as one bar: neighbours in the pipeline, of which the fullest is shown. */
export interface RankClass {
  label: string;
  shown: StageMemory;
  /** The least and the most of its stages. */
  range: [number, number];
  stages: number;
}

const fullestOf = (stages: readonly StageMemory[]): StageMemory =>
  stages.reduce((a, b) => (b.total > a.total ? b : a));

/** First, middle and last; or each stage, when there are few. */
export function classes(stages: readonly StageMemory[]): RankClass[] {
  const one = (s: StageMemory, label: string): RankClass => ({
    label,
    shown: s,
    range: [s.total, s.total],
    stages: 1,
  });
  const name = (s: StageMemory) =>
    s.name === 'only'
      ? 'Each GPU'
      : s.name === 'middle'
        ? `Stage ${s.stage + 1}`
        : `${s.name === 'first' ? 'First' : 'Last'} stage`;
  const middle = stages.filter((s) => s.name === 'middle');
  if (stages.length <= kMostBars || middle.length < 2) return stages.map((s) => one(s, name(s)));
  const totals = middle.map((s) => s.total);
  const group: RankClass = {
    label: `Stages ${(middle[0]?.stage ?? 0) + 1}–${(middle[middle.length - 1]?.stage ?? 0) + 1}`,
    shown: fullestOf(middle),
    range: [Math.min(...totals), Math.max(...totals)],
    stages: middle.length,
  };
  return stages.flatMap((s) =>
    s === middle[0] ? [group] : s.name === 'middle' ? [] : [one(s, name(s))],
  );
}

/** `61.2 GB`, or `58.0 – 61.2 GB` where the stages of a class differ visibly. */
export function rangeText([low, high]: readonly [number, number]): string {
  const [a, b] = [bytes(low), bytes(high)];
  return a === b ? b : `${a} – ${b}`;
}

const partName = (view: View, id: string): string =>
  (view.metrics.get(id)?.label ?? colour(id).replace('_', ' ')).replace(/ per GPU$/, '');

/** The parts that are there, in drawing order. */
const slices = (memory: Memory, of: MemoryOf) =>
  memory.parts.flatMap((id) => {
    const value = of.parts[id];
    return value ? [{ id, value }] : [];
  });

const words = (view: View, memory: Memory, of: MemoryOf): string =>
  slices(memory, of)
    .map(({ id, value }) => `${partName(view, id)} ${bytes(value)}`)
    .join(', ');

const pct = (x: number) => `${+(100 * x).toFixed(2)}%`;

const kHatches = ['M0 4h8', 'M0 2h8M0 6h8', 'M1 2h3M5 6h3', 'M0 3h8M0 4h8M0 5h8'];

/** Patterns for paper and forced colours, where the fills are not to be had. */
const patterns = (ids: readonly string[]) => html`<svg
  class="patterns"
  width="0"
  height="0"
  aria-hidden="true"
>
  <defs>
    ${ids.map(
      (id, i) => svg`<pattern id=${`hatch-${colour(id)}`} width="8" height="8"
        patternUnits="userSpaceOnUse" patternTransform=${`rotate(${45 * Math.floor(i / kHatches.length)})`}>
        <rect width="8" height="8" class="under" />
        <path d=${kHatches[i % kHatches.length]} class="line" />
      </pattern>`,
    )}
    <pattern
      id="hatch-over"
      width="8"
      height="8"
      patternUnits="userSpaceOnUse"
      patternTransform="rotate(45)"
    >
      <path d="M0 4h8" class="over-line" />
    </pattern>
  </defs>
</svg>`;

const paint = (id: string) => `url(#hatch-${colour(id)})`;

function bar(
  view: View,
  actions: Actions,
  memory: Memory,
  of: MemoryOf,
  scale: number,
  label: string,
) {
  const { capacity } = memory;
  let x = 0;
  return html`<svg
    class="bar"
    width="100%"
    height="40"
    role="img"
    aria-label=${`${label}: ${bytes(of.total)} of ${bytes(capacity)}: ${words(view, memory, of)}`}
  >
    <rect class="free" x="0" y="5" width=${pct(capacity / scale)} height="30" rx="2" />
    ${slices(memory, of).map(({ id, value }) => {
      const at = x;
      x += value;
      return svg`<rect class=${`part ${colour(id)}`} fill=${paint(id)} x=${pct(at / scale)} y="5" width=${pct(value / scale)} height="30"
        @click=${() => actions.show(id)}/>`;
    })}
    ${
      of.total > capacity
        ? svg`<rect class="overflow" x=${pct(capacity / scale)} y="5" width=${pct((of.total - capacity) / scale)} height="30" />`
        : nothing
    }
    <line
      class="capacity"
      x1=${pct(capacity / scale)}
      x2=${pct(capacity / scale)}
      y1="0"
      y2="40"
    />
  </svg>`;
}

const kMoments: Record<string, string> = {
  start: 'at the start of the step',
  forward: 'in the forward pass',
  loss: 'at the loss',
  backward: 'in the backward pass',
  reduce: 'while gradients are reduced',
  update: 'at the update',
  load: 'while the weights are loaded',
  prefill: 'while prompts are read',
  decode: 'at the last token',
};

function detail(c: RankClass): string {
  const { layers, in_flight, ranks, moment } = c.shown;
  const many = (n: number, word: string) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
  return [
    c.stages > 1 ? 'the fullest' : '',
    layers ? many(layers, 'layer') : '',
    in_flight > 1 ? `${count(in_flight)} micro-batches in flight` : '',
    ranks ? many(ranks, 'GPU') : '',
    kMoments[moment] ? `fullest ${kMoments[moment]}` : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

function bars(view: View, actions: Actions, memory: Memory): unknown {
  const list = classes(memory.stages);
  const scale = Math.max(memory.capacity, ...memory.stages.map((s) => s.total)) * kRoom;
  const only = list[0];
  if (list.length === 1 && only)
    return bar(view, actions, memory, only.shown, scale, 'Memory per GPU');
  return html`<ul class="ranks">
    ${list.map((c) => {
      const over = c.range[1] > memory.capacity;
      return html`<li>
        <p>
          <strong>${c.label}</strong>
          <span class=${over ? 'over' : ''}>${rangeText(c.range)}</span>
          <span class="muted">${detail(c)}</span>
        </p>
        ${bar(view, actions, memory, c.shown, scale, c.label)}
      </li>`;
    })}
  </ul>`;
}

/** The parts of the fullest rank; a number is a door where it is the metric itself. */
function figure(view: View, actions: Actions, id: string, value: number): unknown {
  return valueOf(answerOf(view), id) === value
    ? door(view, actions, id, partName(view, id))
    : html`<span>${bytes(value)}</span>`;
}

function legend(view: View, actions: Actions, memory: Memory, of: MemoryOf): TemplateResult {
  return html`<ul class="legend">
    ${slices(memory, of).map(
      ({ id, value }) =>
        html`<li>
          <svg width="12" height="12" aria-hidden="true">
            <rect class=${`part ${colour(id)}`} fill=${paint(id)} width="12" height="12" rx="2" />
          </svg>
          <span>${partName(view, id)}</span> ${figure(view, actions, id, value)}
          <span class="muted">${percent(value / memory.capacity)}</span>
        </li>`,
    )}
  </ul>`;
}

interface Column extends MemoryOf {
  label: string;
  /** In full, for the reading line. */
  name: string;
}

/** Stacked columns side by side, with the capacity line: stages, or moments of a step. */
function columns(
  view: View,
  actions: Actions,
  memory: Memory,
  id: string,
  title: string,
  list: readonly Column[],
): TemplateResult {
  const scale = Math.max(memory.capacity, ...list.map((c) => c.total)) * kRoom;
  const y = (value: number) => pct(1 - value / scale);
  const width = 1 / list.length;
  const gap = list.length > 24 ? 0.06 : 0.1; // of a column, to each side
  const hovered = view.hover?.chart === id ? view.hover.x : null;
  const read = hovered === null ? undefined : list[hovered];
  const stride = Math.ceil(list.length / kMostLabels);
  const move = (e: PointerEvent) => {
    const box = (e.currentTarget as SVGElement).getBoundingClientRect();
    const at = Math.floor(((e.clientX - box.left) / box.width) * list.length);
    actions.hover({ chart: id, x: Math.max(0, Math.min(list.length - 1, at)) });
  };
  const key = (e: KeyboardEvent) => {
    if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
    e.preventDefault();
    const to =
      (hovered ?? (e.key === 'ArrowLeft' ? list.length : -1)) + (e.key === 'ArrowLeft' ? -1 : 1);
    actions.hover({ chart: id, x: Math.max(0, Math.min(list.length - 1, to)) });
  };
  // As built the columns are empty: they are a tenth of the HTML, and come with the other charts.
  const shown = view.width > 0 ? list : [];
  const highest = list.reduce((a, b) => (b.total > a.total ? b : a));
  const caption = `Most: ${highest.name}, ${bytes(highest.total)}. The line is the capacity: ${bytes(memory.capacity)}.`;
  // Firefox takes what the bar at the foot covers for visible, and does not scroll to it by itself.
  const reveal = (e: FocusEvent) =>
    (e.currentTarget as HTMLElement).scrollIntoView({ block: 'nearest' });
  return html`<div
      class="columns-box"
      role="img"
      tabindex="0"
      aria-label=${`${title}. ${caption} Left and right arrows read the columns; the table has the numbers.`}
      @focus=${reveal}
      @blur=${() => actions.hover(null)}
      @keydown=${key}
    ><svg
      class="columns"
      width="100%"
      height="132"
      aria-hidden="true"
      @pointermove=${move}
      @pointerleave=${() => actions.hover(null)}
    >
      ${shown.map((c, i) => {
        let top = 0;
        return svg`<svg class=${c === read ? 'column read-column' : 'column'}
          x=${pct((i + gap) * width)} width=${pct((1 - 2 * gap) * width)}>
          <rect class="free" width="100%" y=${y(memory.capacity)} height=${pct(memory.capacity / scale)} />
          ${slices(memory, c).map(({ id: part, value }) => {
            top += value;
            return svg`<rect class=${`part ${colour(part)}`} fill=${paint(part)} width="100%" y=${y(top)} height=${pct(value / scale)} />`;
          })}
          ${
            c.total > memory.capacity
              ? svg`<rect class="overflow" width="100%" y=${y(c.total)} height=${pct((c.total - memory.capacity) / scale)} />`
              : nothing
          }</svg>`;
      })}
      <line class="capacity" x1="0" x2="100%" y1=${y(memory.capacity)} y2=${y(memory.capacity)} />
    </svg></div>
    <ol class="under-columns" aria-hidden="true">
      ${list.map((c, i) => html`<li>${i % stride === 0 ? c.label : ''}</li>`)}
    </ol>
    <p class="read" aria-live=${hovered === null ? 'off' : 'polite'}>
      ${read ? `${read.name}: ${bytes(read.total)}: ${words(view, memory, read)}` : caption}
    </p>`;
}

/** Rows of parts, columns of ranks or moments. */
function table(
  view: View,
  actions: Actions,
  memory: Memory,
  title: string,
  list: readonly { name: string; of: MemoryOf }[],
): TemplateResult {
  const there = memory.parts.filter((id) => list.some(({ of }) => of.parts[id]));
  const alone = list.length === 1 ? list[0]?.of : undefined;
  const gib = (x: number) => binaryBytes(x);
  return html`<div class="scroll" tabindex="0" role="group" aria-label=${`${title}, table`}>
    <table>
      <thead>
        <tr>
          <th scope="col">Part</th>
          ${
            alone
              ? html`<th scope="col">GB</th>
                  <th scope="col">GiB</th>
                  <th scope="col">Of capacity</th>`
              : list.map(({ name }) => html`<th scope="col">${name}</th>`)
          }
        </tr>
      </thead>
      <tbody>
        ${there.map(
          (id) =>
            html`<tr>
              <th scope="row">${partName(view, id)}</th>
              ${
                alone
                  ? html`<td>${figure(view, actions, id, alone.parts[id] ?? 0)}</td>
                      <td>${gib(alone.parts[id] ?? 0)}</td>
                      <td>${percent((alone.parts[id] ?? 0) / memory.capacity)}</td>`
                  : list.map(
                      ({ of }) => html`<td>${of.parts[id] ? bytes(of.parts[id] ?? 0) : '–'}</td>`,
                    )
              }
            </tr>`,
        )}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Together</th>
          ${
            alone
              ? html`<td>${bytes(alone.total)}</td>
                  <td>${gib(alone.total)}</td>
                  <td>${percent(alone.total / memory.capacity)}</td>`
              : list.map(
                  ({ of }) =>
                    html`<td class=${of.total > memory.capacity ? 'over' : ''}>
                      ${bytes(of.total)}
                    </td>`,
                )
          }
        </tr>
      </tfoot>
    </table>
  </div>`;
}

function stageColumns(memory: Memory): Column[] {
  return memory.stages.map((s) => ({
    ...s,
    label: String(s.stage + 1),
    name: `Stage ${s.stage + 1} of ${memory.stages.length}`,
  }));
}

const momentColumns = (memory: Memory): Column[] =>
  memory.timeline.map((t) => ({ ...t, name: t.label }));

function heading(view: View, actions: Actions, id: string, title: string): TemplateResult {
  return html`<figcaption>
    <h3>${title}</h3>
    ${tableToggle(view, actions, id, title)}
  </figcaption>`;
}

/** A chart of columns that turns into its table. */
function chart(
  view: View,
  actions: Actions,
  memory: Memory,
  id: string,
  title: string,
  list: readonly Column[],
): TemplateResult {
  return html`<figure class="memory-chart" data-chart=${id}>
    ${heading(view, actions, id, title)}
    ${
      view.open.has(`table:${id}`)
        ? table(
            view,
            actions,
            memory,
            title,
            list.map((c) => ({ name: c.label, of: c })),
          )
        : columns(view, actions, memory, id, title, list)
    }
  </figure>`;
}

/** The layout with the fewest GPUs, and for serving what would still fit. */
function limits(view: View, actions: Actions, memory: Memory): unknown {
  const answer = answerOf(view);
  const { least } = memory;
  const fits: [MetricId | string, string][] = [
    ['serving.max_batch', 'Largest batch that fits'],
    ['serving.max_context', 'Longest context that fits'],
  ];
  const most = fits.filter(([id]) => valueOf(answer, id) !== undefined);
  if (!least && most.length === 0) return nothing;
  return html`<ul class="limits">
    ${
      least
        ? html`<li>
            Least GPUs of a legal layout: <strong>${count(least.gpus)}</strong>${
              least.label ? ` (${least.label})` : ''
            }
            ${
              least.link === answer.link
                ? html`<span class="muted">as here</span>`
                : html`<a class="button" href=${`#${least.link}`}>Use it</a>`
            }
          </li>`
        : nothing
    }
    ${most.map(([id, label]) => html`<li>${label}: ${door(view, actions, id, label)}</li>`)}
  </ul>`;
}

export function memory(view: View, actions: Actions): unknown {
  const answer = answerOf(view);
  const all = memoryOf(answer);
  const fullest = all?.stages[all.fullest];
  if (!all || !fullest) return nothing;
  const { capacity } = all;
  const over = fullest.total > capacity;
  const ranks = classes(all.stages);
  const asTable = view.open.has('table:memory');
  const asStages = all.stages.length > ranks.length;
  return html`<section class="memory" aria-labelledby="memory-title">
    <div class="bar-head">
      <h2 id="memory-title">Memory per GPU</h2>
      <p>
        ${door(view, actions, 'layout.per_gpu')} of ${door(view, actions, 'layout.capacity')}
        <span class="muted">(${binaryBytes(capacity)})</span>,
        ${
          over
            ? html`<strong class="over">${bytes(fullest.total - capacity)} too much</strong>`
            : html`${bytes(capacity - fullest.total)} free`
        }${all.stages.length > 1 ? html` <span class="muted">on the fullest stage</span>` : nothing}
      </p>
      ${tableToggle(view, actions, 'memory', 'Memory per GPU')}
    </div>
    ${patterns(all.parts)}
    ${
      asTable
        ? table(
            view,
            actions,
            all,
            'Memory per GPU',
            ranks.map((c) => ({ name: c.label, of: c.shown })),
          )
        : html`${bars(view, actions, all)}
            ${
              ranks.length > 1
                ? html`<p class="read">Stage ${fullest.stage + 1}, the fullest:</p>`
                : nothing
            }
            ${legend(view, actions, all, fullest)}`
    }
    ${limits(view, actions, all)}
    ${
      asStages || all.timeline.length > 1
        ? html`<div class="memory-charts">
            ${asStages ? chart(view, actions, all, 'stages', 'Each stage of the pipeline', stageColumns(all)) : nothing}
            ${
              all.timeline.length > 1
                ? chart(
                    view,
                    actions,
                    all,
                    'moments',
                    taskOf(answer) === 'serve'
                      ? 'While serving'
                      : all.stages.length > 1
                        ? 'Through the step, fullest stage'
                        : 'Through the step',
                    momentColumns(all),
                  )
                : nothing
            }
          </div>`
        : nothing
    }
    <p class="read units">GB is 10⁹ bytes, GiB is 2³⁰ bytes.</p>
  </section>`;
}
