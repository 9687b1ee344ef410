// SPDX-License-Identifier: MIT
// Stacked bars with their legends. The memory of a GPU has one for each class of ranks, on the page and in
// the embeds; the time of a step has one on the page.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer, Memory, MemoryOf, StageMemory } from './api';
import { bytes, count, share } from './units';
import { valueOf, type Tables } from './view';

/** The parts of an answer that has no list of ranks, in the order of the bar. */
const kFallback =
  'weights adapters gradients master optimizer activations working logits gathered kv_cache communication context slack reserve';
export const kRoom = 1.02; // the capacity line stays off the edge
const kMostBars = 4;

/** `rank.kv_cache` -> `kv_cache`: colours and patterns belong to the part, everywhere. */
export const colour = (id: string): string =>
  id.startsWith('step.') ? id.replace('.', '-') : id.slice(id.indexOf('.') + 1);

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

export const partName = (tables: Tables, id: string): string =>
  (tables.metrics.get(id)?.label ?? colour(id).replace('_', ' ')).replace(/ per GPU$/, '');

export interface Slice {
  id: string;
  value: number;
}

/** What a bar shows: parts that sum to a total, and how its numbers are said. */
export interface Stack {
  parts: readonly Slice[];
  total: number;
  /** Where it ends when the parts are measured against something. */
  capacity?: number;
  say(value: number): string;
}

/** The parts that are there, in drawing order. */
export const slices = (memory: Memory, of: MemoryOf): Slice[] =>
  memory.parts.flatMap((id) => {
    const value = of.parts[id];
    return value ? [{ id, value }] : [];
  });

const stackOf = (memory: Memory, of: MemoryOf): Stack => ({
  parts: slices(memory, of),
  total: of.total,
  capacity: memory.capacity,
  say: bytes,
});

const partWords = (tables: Tables, { parts, say }: Stack): string =>
  parts.map(({ id, value }) => `${partName(tables, id)} ${say(value)}`).join(', ');

export const words = (tables: Tables, memory: Memory, of: MemoryOf): string =>
  partWords(tables, stackOf(memory, of));

export const pct = (x: number) => `${+(100 * x).toFixed(2)}%`;

const kHatches = ['M0 4h8', 'M0 2h8M0 6h8', 'M1 2h3M5 6h3', 'M0 3h8M0 4h8M0 5h8'];

/** Patterns for paper and forced colours, where the fills are not to be had. */
export const patterns = (ids: readonly string[], overflow = true) => html`<svg
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
    ${
      overflow
        ? svg`<pattern id="hatch-over" width="8" height="8" patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"><path d="M0 4h8" class="over-line" /></pattern>`
        : nothing
    }
  </defs>
</svg>`;

export const paint = (id: string) => `url(#hatch-${colour(id)})`;

/** One bar, as wide as `scale` in the unit of its parts; `show` is called with the part clicked. */
export function stacked(
  tables: Tables,
  stack: Stack,
  scale: number,
  label: string,
  show?: (id: string) => void,
): TemplateResult {
  const { parts, total, capacity, say } = stack;
  const of = capacity === undefined ? '' : ` of ${say(capacity)}`;
  let x = 0;
  return html`<svg
    class="bar"
    width="100%"
    height="40"
    role="img"
    aria-label=${`${label}: ${say(total)}${of}: ${partWords(tables, stack)}`}
  >
    ${
      capacity === undefined
        ? nothing
        : svg`<rect class="free" x="0" y="5" width=${pct(capacity / scale)} height="30" rx="2" />`
    }
    ${parts.map(({ id, value }) => {
      const at = x;
      x += value;
      return svg`<rect class=${`part ${colour(id)}`} fill=${paint(id)} x=${pct(at / scale)} y="5" width=${pct(value / scale)} height="30"
        @click=${show ? () => show(id) : nothing}/>`;
    })}
    ${
      capacity !== undefined && total > capacity
        ? svg`<rect class="overflow" x=${pct(capacity / scale)} y="5" width=${pct((total - capacity) / scale)} height="30" />`
        : nothing
    }
    ${
      capacity === undefined
        ? nothing
        : svg`<line class="capacity" x1=${pct(capacity / scale)} x2=${pct(capacity / scale)} y1="0" y2="40" />`
    }
  </svg>`;
}

/** The bar of one rank, `scale` bytes wide. */
export const bar = (
  tables: Tables,
  memory: Memory,
  of: MemoryOf,
  scale: number,
  label: string,
  show?: (id: string) => void,
): TemplateResult => stacked(tables, stackOf(memory, of), scale, label, show);

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

/** The bars; `show` is called with the part that was clicked. */
export function bars(tables: Tables, memory: Memory, show?: (id: string) => void): unknown {
  const list = classes(memory.stages);
  const scale = Math.max(memory.capacity, ...memory.stages.map((s) => s.total)) * kRoom;
  const only = list[0];
  if (list.length === 1 && only)
    return bar(tables, memory, only.shown, scale, 'Memory per GPU', show);
  return html`<ul class="ranks">
    ${list.map((c) => {
      const over = c.range[1] > memory.capacity;
      return html`<li>
        <p>
          <strong>${c.label}</strong>
          <span class=${over ? 'over' : ''}>${rangeText(c.range)}</span>
          <span class="muted">${detail(c)}</span>
        </p>
        ${bar(tables, memory, c.shown, scale, c.label, show)}
      </li>`;
    })}
  </ul>`;
}

/** The parts of one bar, with their shares of `whole`; `figure` draws their numbers. */
export function legend(
  tables: Tables,
  parts: readonly Slice[],
  whole: number,
  figure: (id: string, value: number) => unknown,
): TemplateResult {
  return html`<ul class="legend">
    ${parts.map(
      ({ id, value }) =>
        html`<li>
          <svg width="12" height="12" aria-hidden="true">
            <rect class=${`part ${colour(id)}`} fill=${paint(id)} width="12" height="12" rx="2" />
          </svg>
          <span>${partName(tables, id)}</span> ${figure(id, value)}
          <span class="muted">${share(value / whole)}</span>
        </li>`,
    )}
  </ul>`;
}
