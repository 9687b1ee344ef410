// SPDX-License-Identifier: MIT
// The memory of a GPU: the bars, the stages of a pipeline, the moments of a step, the least number of GPUs,
// and all of it as tables. Sums and peaks come from the core.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Memory, MemoryOf } from './api';
import {
  bars,
  classes,
  colour,
  kRoom,
  legend,
  memoryOf,
  paint,
  partName,
  patterns,
  pct,
  slices,
  words,
} from './bars';
import { tableToggle } from './charts';
import type { MetricId } from './types.generated';
import { binaryBytes, bytes, count, percent } from './units';
import { answerOf, door, taskOf, valueOf, type Actions, type View } from './view';

const kMostLabels = 8; // under the columns, so that they do not run together

/** The parts of the fullest rank; a number is a door where it is the metric itself. */
function figure(view: View, actions: Actions, id: string, value: number): unknown {
  return valueOf(answerOf(view), id) === value
    ? door(view, actions, id, partName(view, id))
    : html`<span>${bytes(value)}</span>`;
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
        : html`${bars(view, all, actions.show)}
            ${
              ranks.length > 1
                ? html`<p class="read">Stage ${fullest.stage + 1}, the fullest:</p>`
                : nothing
            }
            ${legend(view, slices(all, fullest), capacity, (id, value) => figure(view, actions, id, value))}`
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
