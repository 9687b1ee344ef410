// SPDX-License-Identifier: MIT
// Asks for another input or result, with limits that give a sensible answer at once; says what stops the
// answer from being better, and the ways out where there is none. Loaded when someone asks.
import { html, nothing } from 'lit/html.js';
import type { Answer, Patch, Value } from './api';
import { isAsking, kAsks, kResults } from './asks';
import type { MetricId, Path } from './types.generated';
import { format, kDay, kHour } from './units';
import { answerOf, taskOf, valueOf, type Actions, type View } from './view';

/** Up to a number that people would say, so that what it limits is still within. */
function up(x: number, digits: number): number {
  const unit = 10 ** (Math.floor(Math.log10(x)) - digits + 1);
  return Number((Math.ceil((x / unit) * (1 - 1e-12)) * unit).toPrecision(digits));
}

/** A limit just above what a run takes: whole days, hours, or three digits. */
export function roomFor(value: number, unit: string): number {
  if (unit !== 'second') return up(value, 3);
  const size = value >= 10 * kDay ? kDay : value >= 10 * kHour ? kHour : 60;
  return Math.ceil((value / size) * (1 - 1e-12)) * size;
}

/** Grows without end where nothing limits it, or is of no interest without a limit. */
const kNeedsLimit = ['tokens', 'params', 'gpus', 'batch'];

/** The inputs that asking changes; undefined where it changes nothing. */
export function asking(view: View, what: string): Patch | undefined {
  const answer = answerOf(view);
  const { patch } = view.state;
  const { solved } = answer;
  const isPlain = what === 'first' || what === 'second';
  if (isPlain && !isAsking(answer)) return undefined;
  const next: Record<string, Value> = { 'solve.unknown': isPlain ? 'none' : what };
  // What was worked out stays as it is, unless something was typed there before. The model is a whole.
  if (solved?.value && solved.path !== 'model.params' && !(solved.path in patch))
    next[solved.path] = solved.value;
  const has = (path: Path) => path in patch || path in next;
  const used = valueOf(answer, 'gpus.used');
  // Open GPUs would be as many as help: a second unknown.
  if (what !== 'gpus' && used && !has('cluster.gpus') && (!isPlain || has('run.deadline')))
    next['cluster.gpus'] = used;
  const isTraining = taskOf(answer) !== 'serve';
  const limits = kResults[taskOf(answer)].map(([, , , limit]) => limit);
  const time = valueOf(answer, 'time.total');
  if (isTraining && kNeedsLimit.includes(what) && time && !limits.some(has))
    next['run.deadline'] = roomFor(time, 'second');
  return next;
}

/** What is asked for from now on. */
export function said(view: View, what: string): string {
  const task = taskOf(answerOf(view));
  const result = kResults[task].find(([ask]) => ask === what);
  const field = view.schema.fields.find(
    (f) => kAsks[f.path as Path] === what && f.tasks.includes(task),
  );
  return `Solving for ${(result?.[1] ?? field?.label ?? what).replace(/^[A-Z](?=[a-z])/, (c) => c.toLowerCase())}.`;
}

interface Way {
  label: string;
  patch: Patch;
}

/** The result that each limit is about. */
const kLimited: [limit: Path, id: MetricId, name: string][] = [
  ['run.deadline', 'time.total', 'the deadline'],
  ['solve.usd', 'cost.total', 'the limit on dollars'],
  ['solve.per_user', 'serving.tokens_per_s_per_user', 'the least speed'],
  ['solve.per_million', 'cost.per_million_tokens', 'the limit on the price'],
];

/** One click from an answer that does not meet what is asked to one that does. */
export function ways(view: View, answer: Answer): Way[] {
  const { solved } = answer;
  if (!solved || solved.met) return [];
  const found: Way[] = [];
  for (const [limit, id, name] of kLimited) {
    const asked = answer.inputs[limit];
    const value = valueOf(answer, id);
    const field = view.fields.get(limit);
    const applies = field?.tasks.includes(taskOf(answer));
    if (!field || !applies || value === undefined) continue;
    const isFloor = limit === 'solve.per_user';
    if (typeof asked === 'number') {
      if (isFloor ? value >= asked : value <= asked) continue;
      const room = isFloor ? Number(value.toPrecision(2)) : roomFor(value, field.unit);
      const least = isFloor && room > value ? Number((value * 0.99).toPrecision(2)) : room;
      found.push(
        { label: `Allow ${format(least, field.unit)}`, patch: { [limit]: least } },
        { label: `Without ${name}`, patch: { [limit]: '' } },
      );
    } else if (solved.value === null && limit === 'run.deadline') {
      const room = roomFor(value, field.unit);
      found.push({ label: `Within ${format(room, field.unit)}, as now`, patch: { [limit]: room } });
    }
  }
  return found;
}

const kNouns: { [path in Path]?: string } = {
  'run.tokens': ' tokens',
  'cluster.gpus': ' GPUs',
  'model.params': ' parameters',
};

/** The sentence of the core, and what can be done about it. */
export function solved(view: View, actions: Actions): unknown {
  const answer = answerOf(view);
  const found = answer.solved;
  if (!found) return nothing;
  const { path, value, met, message, patch } = found;
  const results = kResults[taskOf(answer)].map(([, label]) => label.toLowerCase());
  const end =
    value === null
      ? `Back to ${results.join(' and ')}`
      : `Keep ${format(value, view.fields.get(path)?.unit ?? '')}${kNouns[path as Path] ?? ''}`;
  return html`<p class=${`verdict ${met ? 'good' : 'warning'}`}>
      <span class="sign" aria-hidden="true">${met ? '=' : '!'}</span> ${message}
    </p>
    <p class="remedies">
      ${[...ways(view, answer), { label: end, patch }].map(
        (way) =>
          html`<button
            type="button"
            class="button"
            @click=${() => actions.apply(way.patch, `${way.label}.`)}
          >
            ${way.label}
          </button>`,
      )}
    </p>`;
}
