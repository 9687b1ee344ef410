// SPDX-License-Identifier: MIT
// Wires the parts; the only file that touches the address, the title and the worker of the page.
import { html, render } from 'lit/html.js';
import type {
  Answer,
  Calibration,
  Imported,
  Measured,
  Patch,
  Schema,
  StepDetail,
  Value,
} from './api';
import { createAddress, linkOf } from './address';
import { listenDrops, listenPaste } from './arriving';
import { openPanels } from './breakdown';
import { createClient } from './client';
import type { Host as ColumnsHost } from './comparing';
import { breathe, createDrawing } from './drawing';
import type { Explorer } from './exploring';
import { columns, isMore, requests } from './explore';
import { builtTexts, withTexts } from './help';
import { markdownLink } from './markdown';
import { chartOf, columnsOf, othersOf, withOthers } from './others';
import type { Panel } from './plans';
import { address, copy } from './share';
import { listenTheme, restoreTheme } from './shell';
import {
  apply,
  charted,
  edit,
  hasError,
  isStale,
  modelOf,
  opened,
  received,
  settle,
  withModel,
  type State,
} from './state';
import { nextStep } from './stepping';
import { kCores, spawn, stayOffline } from './surroundings';
import {
  answerOf,
  createView,
  sentence,
  tables,
  type Actions,
  type ColumnAction,
  type View,
} from './view';

const kAnnounce = 1000; // ms of quiet before a screen reader hears the answer
const kResize = 4; // px
const kNear = '600px'; // below the screen: charts are drawn when someone comes near ...
const kPaper = 660; // px that a chart may take on paper
const kLater = 4000; // ms: ... or, for paper, when nothing else is left to do

restoreTheme();
listenTheme();
const main = document.getElementById('main') as HTMLElement;
const live = document.getElementById('live') as HTMLElement;
const client = createClient(spawn);
const bar = createAddress({ location, history });
let view: View;
let opener: HTMLElement | null = null; // gets the focus back when the panel closes
let scheduled = false;
let announcing: ReturnType<typeof setTimeout> | undefined;
let keys: Set<string>;

function set(change: Partial<View>): void {
  view = { ...view, ...change };
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

const place = (id: string) => document.getElementById(id) as HTMLElement;

const update = (state: State) => set({ state });

async function ask<T>(...request: Parameters<typeof client.ask>): Promise<T | undefined> {
  const reply = await client.ask(...request);
  return typeof reply === 'string' ? (JSON.parse(reply) as T) : undefined;
}

/** Help texts and citations come when someone begins to use the page. */
function awaitTexts(): void {
  const kSigns = ['pointerdown', 'keydown', 'focusin'] as const;
  const load = () => {
    for (const sign of kSigns) removeEventListener(sign, load);
    import('envelope-texts')
      .then((texts) => set(tables(withTexts(view.schema, texts.default))))
      .catch(() => undefined); // without the network the numbers go on
  };
  for (const sign of kSigns) addEventListener(sign, load);
}

/** A failure of the page itself; the last answer stays. */
function failed(error: unknown): void {
  set({ status: `The calculator stopped and was started again: ${String(error)}` });
  live.textContent = view.status;
}

const short = (text: string) => (text.length > 70 ? `${text.slice(0, 69)}…` : text);

/** A part of the page that is loaded when it is asked for. */
function absent(error: unknown): void {
  set({ status: `This part of the page could not be loaded: ${String(error)}` });
  live.textContent = view.status;
}

function afterAnswer(answer: Answer): void {
  plans?.update();
  const text = sentence(view, answer, answer.summary);
  document.title = `${short(text)} · Envelope`;
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    const errors = view.state.problems.filter((p) => p.severity === 'error');
    live.textContent = errors.length
      ? errors.map((p) => `${p.message} ${p.hint}`).join(' ')
      : `${text} ${answer.solved?.message ?? ''} ${sentence(view, answer, answer.verdict.message)}`;
  }, kAnnounce);
  sweepAll().catch(failed);
  compareAll().catch(failed);
  detailStep().catch(failed);
  if (answer.solved) solving().catch(absent);
  exploreMore().catch(absent);
}

async function solving(): Promise<typeof import('./solving')> {
  const m = await import('./solving');
  if (!view.solving) set({ solving: m.solved });
  return m;
}

const comparing = () => import('./comparing').then(async (m) => (await m.dressed(), m));

/** What the comparison does to the page. */
const columnsHost: ColumnsHost = {
  view: () => view,
  ask,
  set,
  write: () => bar.write(view.state.link),
  show(answer, columns, said, focus) {
    const undo = said ? wayBack(said) : null;
    const state = { ...opened(answer), ...columns };
    if (state.link !== view.state.link) bar.push(state.link);
    goto({ state: { ...state, others: othersOf(state.link) }, undo }, () => place(focus));
    afterAnswer(answer);
  },
  say(text) {
    set({ status: text });
    live.textContent = text;
  },
};

async function compareAll(): Promise<void> {
  if (columnsOf(view.state.others) !== '') await (await comparing()).refresh(columnsHost);
  else if (view.comparison) set({ comparison: null });
}

async function column(action: ColumnAction, i?: number, given?: Patch | string): Promise<boolean> {
  try {
    return await (await comparing()).change(columnsHost, action, i, given);
  } catch (error) {
    absent(error);
    return false;
  }
}

const compareWith = (patch: Patch) => column('with', undefined, patch);

let sweeping = 0;
let wanted = false; // the charts, once someone comes near them
async function sweepAll(): Promise<void> {
  const { state } = view;
  if (!wanted || hasError(state.problems)) return;
  const list = requests(answerOf(view), state.patch);
  const stale = Object.keys(view.sweeps).filter((name) => !(name in list));
  if (stale.length) {
    const kept = Object.entries(view.sweeps).filter(([name]) => name in list);
    set({ sweeps: Object.fromEntries(kept) });
  }
  const round = ++sweeping;
  for (const [name, request] of Object.entries(list)) {
    const numbers = await client.ask('sweep', JSON.stringify(request), `sweep ${name}`);
    if (round !== sweeping) return; // a newer answer sweeps for itself
    if (numbers instanceof Float64Array)
      set({ sweeps: { ...view.sweeps, [name]: columns(request, numbers) } });
    await breathe(); // one chart a task
  }
}

const panels = () => import('./panels').then(async (m) => (await m.dressed(), m));

/** What the open panels show is worked out for them alone. */
let detailed = ''; // the link that it belongs to
async function detailStep(): Promise<void> {
  const answer = answerOf(view);
  const names = openPanels(answer, view.open);
  if (names.length === 0 || answer.link === detailed) return;
  const found = await ask<StepDetail>('step', answer.link, 'step');
  if (!found || answer !== view.state.good) return;
  detailed = answer.link;
  set({ detail: found });
}

let explorer: Explorer | undefined;
async function exploreMore(): Promise<void> {
  if (![...view.open].some(isMore)) return;
  const { explorerOf } = await import('./exploring');
  explorer ??= explorerOf({
    view: () => view,
    ask,
    use: applied,
    chart(chart) {
      set({ state: charted(view.state, chart) });
      bar.write(view.state.link);
    },
    open: (key) => actions.toggle(key, true),
    spawn,
    copy: offer,
  });
  explorer.follow();
}

/** A link that says what to draw opens with it. */
function unfolded(): Partial<View> {
  const chart = chartOf(view.state.others);
  if (!chart) return {};
  return { open: new Set([...view.open, chart.includes('x=') ? 'more:sweep' : 'more:matters']) };
}

async function loadPanels(): Promise<void> {
  if (view.panels || openPanels(answerOf(view), view.open).length === 0) return;
  const { timeline, roofline } = await panels();
  set({ panels: { timeline, roofline } });
}

async function recompute(): Promise<void> {
  const asked = view.state.patch;
  try {
    const answer = await ask<Answer>('estimate', JSON.stringify(asked), 'estimate');
    if (!answer || asked !== view.state.patch) return;
    set({ state: received(view.state, asked, answer), status: '', copied: '' });
    bar.write(view.state.link);
    afterAnswer(answer);
  } catch (error) {
    failed(error);
  }
}

/** A scenario in place of the present one. */
function use(answer: Answer, undo: View['undo']): void {
  set({ state: opened(answer), undo });
  set(unfolded());
  bar.write(answer.link);
  afterAnswer(answer);
}

async function openLink(link: string): Promise<void> {
  bar.cancel();
  const undo = jumped ? wayBack(replaced()) : null;
  jumped = false;
  try {
    const answer = await ask<Answer>('estimate', link || '{}', 'estimate');
    if (answer) use(answer, undo);
  } catch (error) {
    failed(error);
  }
}

function change(path: string, value: Value): void {
  update(edit(view.state, path, value));
  void recompute();
}

const replaced = () => `Replaced: ${short(sentence(view, answerOf(view), answerOf(view).summary))}`;
let jumped = false; // by a link on the page; Back and the address bar have a way back of their own

/** To the scenario as it stands. Of an import only the model goes back: what was edited since stays. */
function wayBack(said: string, model = false, undone = false): View['undo'] {
  const before = view.state;
  return {
    said: undone ? 'Undone.' : said,
    word: undone ? 'Redo' : 'Undo',
    back() {
      const undo = wayBack(said, model, !undone);
      const state = model ? withModel(view.state, modelOf(before.patch)) : before;
      goto({ state, undo }, () => document.querySelector('.undo button'));
      void recompute();
    },
  };
}

const importing = {
  read: (text: string) => ask<Imported>('importConfig', text, 'import'),
  use({ name, patch }: Imported) {
    const undo = wayBack(`The model is from a config.json: ${name}.`, true);
    set({ state: withModel(view.state, patch), undo });
    void recompute();
  },
};

function importConfig(file?: File): void {
  import('./importing').then(({ openImport }) => openImport(importing, file)).catch(absent);
}

/** Several inputs further, with a way back. */
function applied(patch: Patch, said: string): Promise<void> {
  set({ state: apply(view.state, patch), undo: wayBack(said) });
  return recompute();
}

function calibrate(): void {
  const host = {
    tables: view,
    answer: answerOf(view),
    solve: (measured: Omit<Measured, 'scenario'>) =>
      ask<Calibration>(
        'calibrate',
        JSON.stringify({ scenario: view.state.patch, ...measured } satisfies Measured),
        'calibrate',
      ),
    use: applied,
  };
  panels()
    .then(({ openCalibration }) => openCalibration(host))
    .catch(absent);
}

/** Of all scenarios; with an input refused, of the last good answer. */
const wholeLink = () => {
  const { at, good, link, others } = view.state;
  return at ? link : withOthers(good?.link ?? link, others);
};

/** The dialog; with a text, what was pasted. */
function share(text?: string): void {
  import('./sharing')
    .then(({ openShare, openPasted }) => {
      const host = {
        ...view,
        answer: answerOf(view),
        whole: wholeLink(),
        stale: isStale(view.state),
        read: (link: string) => ask<Answer>('estimate', link, 'read'),
        use: (answer: Answer) => use(answer, wayBack(replaced())),
        importFile: importConfig,
      };
      return text === undefined ? openShare(host) : openPasted(host, text);
    })
    .catch(absent);
}

/** Draws at once, and puts the focus where the change took the person. */
function goto(change: Partial<View>, find: () => HTMLElement | null): void {
  view = { ...view, ...change };
  draw();
  find()?.focus();
}

let copying: ReturnType<typeof setTimeout> | undefined;
async function offer(text: string, said: string): Promise<void> {
  const done = await copy(text);
  set({ copied: done ? 'done' : 'by-hand', status: done ? '' : text });
  live.textContent = done ? said : 'The browser did not allow copying; the text is selected below.';
  if (!done) goto({}, () => document.querySelector('.by-hand textarea'));
  clearTimeout(copying);
  if (done) copying = setTimeout(() => set({ copied: '', status: '' }), 2000);
}

const actions: Actions = {
  edit: change,
  settle: () => update(settle(view.state)),
  step(path, direction) {
    const field = view.fields.get(path);
    const value = answerOf(view).inputs[path];
    if (!field) return;
    const next = nextStep(field, typeof value === 'number' ? value : undefined, direction);
    if (next !== undefined) change(path, next);
    actions.settle();
  },
  reset(path) {
    change(path, '');
    goto({ state: settle(view.state) }, () => place(`f-${path}`));
  },
  apply: (patch, said) => void applied(patch, said),
  calibrate,
  toggle(key, open) {
    if (view.printing || view.open.has(key) === open) return;
    const next = new Set(view.open);
    if (open) next.add(key);
    else next.delete(key);
    set({ open: next });
    if (!open) return;
    if (isMore(key)) exploreMore().catch(absent);
    if (!key.startsWith('panel:')) return;
    loadPanels().catch(absent);
    detailStep().catch(failed);
  },
  show(id) {
    if (view.trail.length === 0) opener = document.activeElement as HTMLElement;
    const trail = [...view.trail.filter((t) => t !== id), id];
    goto({ trail }, () => place('panel-title'));
  },
  back: () => goto({ trail: view.trail.slice(0, -1) }, () => place('panel-title')),
  close: () => goto({ trail: [] }, () => (opener?.isConnected ? opener : main)),
  field(path) {
    const field = view.fields.get(path);
    const open = new Set(view.open);
    if (field) open.add(`group:${field.group}`);
    goto({ open, trail: [] }, () => place(`f-${path}`));
  },
  combo: (combo) => set({ combo }),
  find: (find) => set({ find }),
  hover: (hover) => goto({ hover }, () => null),
  ask(what) {
    solving()
      .then(async (m) => {
        actions.toggle('second', what === 'second');
        const patch = m.asking(view, what);
        if (patch) await applied(patch, m.said(view, what));
        // It may be in another place now.
        goto({}, () => document.querySelector(`[name="ask"][value="${what}"]`));
      })
      .catch(absent);
  },
  column: (action, i) => void column(action, i),
  compareWith,
  importConfig,
  share: () => share(),
  copyLink: () => void offer(address(view.state.link), 'Link copied'),
  copySentence() {
    const answer = answerOf(view);
    void offer(
      markdownLink(
        sentence(view, answer, answer.summary),
        address(view.state.at ? answer.link : view.state.link),
      ),
      'Sentence copied, with its link',
    );
  },
  copyText: (text) => void offer(text, 'Derivation copied'),
};

const { draw, enliven } = createDrawing(() => view, actions);

/** Told by the browser after layout; asking for it would force one. */
const sizes = new ResizeObserver(([entry]) => {
  const width = Math.floor(entry?.contentRect.width ?? 0);
  if (!view.printing && Math.abs(width - view.width) >= kResize) set({ width });
});

async function start(): Promise<void> {
  const bare = await ask<Schema>('schema');
  if (!bare) return;
  const schema = withTexts(bare, builtTexts(document));
  keys = new Set(['v', 'd', 'x', 'y', 'z', ...schema.fields.map((f) => f.key)]);
  // A file made of a scenario opens with it.
  const found = () => linkOf(location, keys) || (document.documentElement.dataset.link ?? '');
  const link = found();
  const first = link || (schema.examples[0]?.link ?? '');
  const answer = await ask<Answer>('estimate', first || '{}');
  if (!answer) return;
  view = createView(schema, opened(answer));
  view = { ...view, ...unfolded() };
  listen(first);
  listenDrops(importConfig);
  listenPaste(share);
  if (link) bar.write(answer.link);
  const now = found(); // may have changed while the core was loading
  if (now !== link) void openLink(now || first);
  await enliven(link === '');
  awaitTexts();
  awaitCharts();
  whenNear('plans', loadPlans);
  stayOffline();
  afterAnswer(answerOf(view));
}

function listen(first: string): void {
  addEventListener('hashchange', () => {
    const next = linkOf(location, keys);
    if (next !== view.state.link) void openLink(next || first);
  });
  addEventListener('pagehide', bar.flush);
  // A link leads away from this entry of the history: first it gets what was just edited.
  document.addEventListener(
    'click',
    (e) => {
      const link = (e.target as Element).closest('a');
      if (!link) return;
      bar.flush();
      // Of those compared, the one in the form becomes what is proposed for it.
      if (columnsOf(view.state.others) !== '' && link.closest('.upper')) {
        e.preventDefault();
        void column('put', view.state.at, link.hash.slice(1));
        return;
      }
      jumped = link.getAttribute('href')?.[0] === '#' && link.hash !== location.hash;
    },
    { capture: true },
  );
  let before = 0;
  addEventListener('beforeprint', () => {
    before = view.width;
    view = { ...view, printing: true, width: kPaper };
    draw();
  });
  addEventListener('afterprint', () => {
    view = { ...view, printing: false, width: before };
    draw();
  });
}

function whenNear(id: string, then: () => void): void {
  const near = new IntersectionObserver(
    (entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      near.disconnect();
      then();
    },
    { rootMargin: kNear },
  );
  near.observe(place(id));
}

/** Charts are far down on a phone: they are worked out when someone comes near them. */
function awaitCharts(): void {
  sizes.observe(place('charts'));
  const want = () => {
    clearTimeout(later);
    if (wanted) return;
    wanted = true;
    sweepAll().catch(failed);
  };
  whenNear('charts', want);
  const later = setTimeout(want, kLater);
}

/** The plans draw themselves, in a place of their own. */
let plans: Panel | null = null;
function loadPlans(): void {
  const host = { client, spawn, cores: kCores, view: () => view, use: applied, compareWith };
  import('./plans')
    .then(async ({ createPlans, dressed }) => {
      await dressed();
      plans = createPlans(place('plans'), host);
    })
    .catch(absent);
}

start().catch((error: unknown) => {
  // The page as built stays readable; only editing needs the core.
  const note = document.createElement('div');
  render(
    html`<p class="waiting">
      The calculator could not be started (${String(error)}). The example below is as built.
    </p>`,
    note,
  );
  main.prepend(note);
  document.documentElement.dataset.state = 'failed';
});
