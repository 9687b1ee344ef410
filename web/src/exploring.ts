// SPDX-License-Identifier: MIT
// The sweep, the tornado and the best model under the charts: what is asked, of whom, and where it is drawn.
// Loaded when one of them is opened.
import { html, nothing, render } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { ChartData, ChartRequest, Field, Patch, Problem, Sensitivity, Side } from './api';
import { budgeting } from './budgeting';
import type { Call, Port } from './client';
import { combobox } from './combobox';
import { dress } from './dressing';
import { csvOf, drawn, patchOf, reading } from './heat';
import { chartOf } from './others';
import { kCards } from './report';
import { download } from './saving';
import { hasError } from './state';
import sheet from './style/exploring.css?url';
import { tornado } from './tornado';
import { editable } from './units';
import { answerOf, stageTitle, taskOf, valueOf, type Actions, type View } from './view';

export interface Host {
  view(): View;
  ask<T>(call: Call, argument: string, channel: string): Promise<T | undefined>;
  use(patch: Patch, said: string): void;
  /** The chart of the link. */
  chart(pairs: string): void;
  open(key: string): void;
  /** For what takes long. */
  spawn(): Port;
  copy(text: string, said: string): Promise<void>;
}

export interface Explorer {
  /** The scenario, the link or what is open has changed. */
  follow(): void;
}

const kNone = 'none';
const kRefused = ['run.task', 'catalog.snapshot']; // a chart has no use for these

/** Inputs that the task reads, those first that the form shows first. */
function inputsOf(view: Pick<View, 'schema' | 'state'>): Field[] {
  const task = taskOf(answerOf(view));
  const read = view.schema.fields.filter(
    (f) => f.tasks.includes(task) && !kRefused.includes(f.path),
  );
  const far = (f: Field) => (f.basic ? 0 : f.group === 'architecture' || f.group === 'moe' ? 2 : 1);
  return read.sort((a, b) => far(a) - far(b));
}

/** Results that the scenario has, those first that the cards show. */
function outputsOf(
  view: Pick<View, 'metrics' | 'state'>,
): { id: string; label: string; detail: string }[] {
  const answer = answerOf(view);
  const first = new Set<string>(
    kCards[taskOf(answer)].flatMap((c) => [...c.metrics, ...c.below.map(([, id]) => id)]),
  );
  const all = answer.steps.filter((s) => valueOf(answer, s.id) !== undefined);
  return [...all.filter((s) => first.has(s.id)), ...all.filter((s) => !first.has(s.id))].flatMap(
    ({ id }) => {
      const m = view.metrics.get(id);
      return m ? [{ id, label: m.label, detail: stageTitle(m.stage) }] : [];
    },
  );
}

const said = (problems: readonly Problem[]): unknown =>
  problems.map((p) => html`<p class=${`problem ${p.severity}`}>${p.message} ${p.hint}</p>`);

export function explorerOf(host: Host): Explorer {
  let data: ChartData | null = null;
  let swings: Sensitivity | null = null;
  let combo: View['combo'] = null;
  let at = -1;
  let hover: View['hover'] = null;
  let open: ReadonlySet<string> = new Set(); // tables
  let all = false;
  let failure = '';
  let sized: ResizeObserver | undefined;
  let width = 0;
  const asked = { sweep: '', matters: '' };
  // What the link asked for when its reader asked for something else, which is in it once it is known.
  const before = { sweep: '', matters: '' };

  const budget = budgeting(host, () => draw());
  const place = (name: string) => document.getElementById(`more-${name}`);
  const isOpen = (name: string) => host.view().open.has(`more:${name}`);
  const pairs = () => chartOf(host.view().state.others);

  /** A change is one of the chart that is shown; without one it is the link's. */
  function wishes(more: Partial<ChartRequest>, shown?: string): string {
    const chart = (Object.keys(more).length > 0 && shown) || pairs();
    return JSON.stringify({ scenario: host.view().state.patch, chart, ...more });
  }

  /** What is asked for once is not asked for again. */
  async function fetched<T extends { problems: Problem[] }>(
    name: keyof typeof asked,
    call: Call,
    request: string,
  ): Promise<T | undefined> {
    if (asked[name] === request) return undefined;
    asked[name] = request;
    try {
      const found = await host.ask<T>(call, request, call);
      failure = '';
      if (asked[name] !== request) return undefined;
      before[name] = '';
      return found;
    } catch (error) {
      asked[name] = '';
      before[name] = '';
      failure = `It could not be worked out: ${String(error)}`;
      return undefined;
    }
  }

  /** Whether a change is on its way, which the link as it was must not undo. */
  function waits(name: keyof typeof before, more: Partial<ChartRequest>): boolean {
    const now = wishes({});
    if (Object.keys(more).length === 0) return before[name] === now;
    before[name] = now;
    return false;
  }

  async function sweep(more: Partial<ChartRequest> = {}): Promise<void> {
    if (waits('sweep', more)) return;
    const found = await fetched<ChartData>('sweep', 'chart', wishes(more, data?.chart));
    if (found) {
      data = found;
      at = -1;
      hover = null;
    }
    if (found && Object.keys(more).length > 0) choose(found.chart);
    draw();
  }

  async function matter(metric?: string): Promise<void> {
    const more = metric ? { metric } : {};
    if (waits('matters', more)) return;
    const found = await fetched<Sensitivity>('matters', 'sensitivity', wishes(more, data?.chart));
    if (found) swings = found;
    if (found && metric) choose(found.chart);
    draw();
  }

  /** Into the link; the other panel follows. */
  function choose(chart: string): void {
    host.chart(chart);
    if (isOpen('sweep')) asked.sweep = data?.chart === chart ? wishes({}) : asked.sweep;
    if (isOpen('matters')) asked.matters = swings?.chart === chart ? wishes({}) : asked.matters;
    follow();
  }

  const own = (name: string, label: string, choices: Field['choices']): Field => ({
    path: name,
    key: name,
    group: '',
    type: 'choice',
    unit: '',
    default: null,
    label,
    help: '',
    tasks: [],
    choices: choices ?? [],
  });

  /** The combobox of the form, over a list of our own. */
  function pick(
    name: string,
    label: string,
    list: { id: string; label: string }[],
    value: string,
    chosen: (id: string) => void,
  ): TemplateResult {
    const view = host.view();
    const answer = answerOf(view);
    const inner = {
      ...view,
      combo,
      state: { ...view.state, patch: {}, good: { ...answer, inputs: { [name]: value } } },
    };
    const actions = {
      combo(next: View['combo']) {
        combo = next;
        draw();
      },
      edit(_: string, id: string) {
        if (id !== value && list.some((o) => o.id === id)) chosen(id);
      },
      settle: () => undefined,
    } as unknown as Actions;
    return html`<div class="field">
      <label for=${`f-${name}`}>${label}</label>
      ${combobox(inner, actions, own(name, label, list), '', false)}
    </div>`;
  }

  /** Ends of the range of a number. */
  function ends(name: 'x' | 'y', side: Side): unknown {
    const field = host.view().fields.get(side.path);
    if (field?.type !== 'number') return nothing;
    const text = (i: number) => {
      const value = side.values[i];
      return typeof value === 'number' ? editable(Number(value.toPrecision(6)), side.unit) : '';
    };
    const changed = (e: Event) => {
      const row = (e.target as HTMLElement).closest('.ends') as HTMLElement;
      const [from, to] = [...row.querySelectorAll('input')].map((i) => i.value.trim());
      if (!from || !to) return;
      void sweep({ [name]: side.path, [`${name}_from`]: from, [`${name}_to`]: to });
    };
    const input = (i: number, label: string) =>
      html`<input
        type="text"
        autocomplete="off"
        spellcheck="false"
        aria-label=${`${side.label}, ${label}`}
        .value=${text(i)}
        @change=${changed}
      />`;
    return html`<div class="ends">
      ${input(0, 'from')} <span aria-hidden="true">–</span> ${input(side.values.length - 1, 'to')}
    </div>`;
  }

  function metricPicker(name: string, value: string, chosen: (id: string) => void) {
    return pick(name, 'Result', outputsOf(host.view()), value, chosen);
  }

  function sweepBody(): unknown {
    const view = host.view();
    if (!data)
      return failure
        ? html`<p class="problem error">${failure}</p>`
        : html`<p class="muted">Loading …</p>`;
    const found = data;
    const list = inputsOf(view).map(({ path, label }) => ({ id: path, label }));
    const first = list.filter((o) => o.id !== found.y?.path);
    const second = [
      { id: kNone, label: 'None: one input' },
      ...list.filter((o) => o.id !== found.x.path),
    ];
    const apply = (i: number) => host.use(patchOf(found, i), `Changed: ${reading(view, found, i)}`);
    const reader = {
      at,
      read(i: number) {
        if (at === i) return;
        at = i;
        draw();
      },
      apply,
    };
    const moves = {
      toggle(key: string, on: boolean) {
        open = new Set(on ? [...open, key] : [...open].filter((k) => k !== key));
        draw();
      },
      hover(next: View['hover']) {
        hover = next;
        draw();
      },
    };
    const csv = () => csvOf(found);
    const name = `${found.metric}.csv`;
    return html`<div class="sweep-choice">
        ${pick('sweep-x', 'Input', first, found.x.path, (x) => void sweep({ x }))}
        ${ends('x', found.x)}
        ${pick('sweep-y', 'Second input', second, found.y?.path ?? kNone, (y) => void sweep({ y: y === kNone ? '' : y }))}
        ${found.y ? ends('y', found.y) : nothing}
        ${metricPicker('sweep-z', found.metric, (metric) => void sweep({ metric }))}
      </div>
      ${failure ? html`<p class="problem error">${failure}</p>` : nothing} ${said(found.problems)}
      ${found.values.length ? drawn(view, found, reader, { open, hover }, moves, width) : nothing}
      ${
        found.values.length
          ? html`<p class="ways-on">
              <button type="button" class="plain" @click=${() => void host.copy(csv(), 'Table copied')}>
                Copy as CSV
              </button>
              <button type="button" class="plain" @click=${() => download(csv(), name, 'text/csv')}>
                Download CSV
              </button>
            </p>`
          : nothing
      }`;
  }

  function mattersBody(): unknown {
    const view = host.view();
    if (!swings)
      return failure
        ? html`<p class="problem error">${failure}</p>`
        : html`<p class="muted">Loading …</p>`;
    const found = swings;
    return html`<div class="sweep-choice">
        ${metricPicker('matters-z', found.metric, (metric) => void matter(metric))}
      </div>
      ${said(found.problems)}
      ${
        found.rows.length
          ? tornado(view, found, {
              use: host.use,
              sweep(path) {
                host.open('more:sweep');
                void sweep({ x: path, y: '' }).then(() =>
                  place('sweep')?.scrollIntoView({ block: 'nearest' }),
                );
              },
              all,
              showAll() {
                all = true;
                draw();
              },
              asTable: open.has('table:matters'),
              turn() {
                const on = !open.has('table:matters');
                open = new Set(
                  on ? [...open, 'table:matters'] : [...open].filter((k) => k !== 'table:matters'),
                );
                draw();
              },
            })
          : nothing
      }`;
  }

  function draw(): void {
    for (const [name, body] of [
      ['sweep', sweepBody],
      ['matters', mattersBody],
      ['best', () => budget.body()],
    ] as const) {
      const root = place(name);
      if (root && isOpen(name)) render(body(), root);
    }
  }

  function watch(): void {
    if (sized) return;
    sized = new ResizeObserver(([entry]) => {
      const next = Math.floor(entry?.contentRect.width ?? 0);
      if (next === 0 || next === width) return;
      width = next;
      draw();
    });
    const root = place('sweep');
    if (root) sized.observe(root);
  }

  function follow(): void {
    void dress(sheet).then(() => {
      watch();
      if (hasError(host.view().state.problems)) return draw();
      if (isOpen('sweep')) void sweep();
      if (isOpen('matters')) void matter();
      if (isOpen('best')) draw();
    });
  }

  return { follow };
}
