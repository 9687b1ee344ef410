// SPDX-License-Identifier: MIT
// The plans for the scenario: the best layouts, what they cost and how they are started. Loaded when
// someone comes near them, and searched again after each edit while they are on the screen.
import { html, nothing, render } from 'lit/html.js';
import type { Gain, Launch, Patch, Plan, Plans } from './api';
import { change as changeOf } from './compare';
import { dress } from './dressing';
import { frontFigure } from './front';
import { launching, type Launching } from './launching';
import { createSearch, type Host as Searching, type Progress } from './planning';
import { inWords, whyFirst, planTable } from './plantable';
import { copy } from './share';
import { hasError } from './state';
import sheet from './style/plans.css?url';
import { count, duration, percent } from './units';
import { answerOf, taskOf, textOf, type View } from './view';
import {
  aims,
  kNoWishes,
  numbersOfGpus,
  requestOf,
  switchList,
  turned,
  type Wishes,
} from './wishes';

export interface Host extends Omit<Searching, 'now'> {
  view(): View;
  use(patch: Patch, said: string): void;
  compareWith(patch: Patch): Promise<boolean>;
}

export interface Panel {
  /** There is another answer. */
  update(): void;
}

const kShown = 6; // plans; the rest on demand
const kNear = '300px'; // from the screen
const kCopied = 2000; // ms
const kMark = 'plans'; // for those who measure: the answer to the newest request is on the page

export const dressed = (): Promise<unknown> => dress(sheet);

/** `12,480 layouts in 38 ms: ...` */
export function accounted({ space, counts }: Plans, seconds: number, workers = 1): string {
  const ruledOut = counts.rejected.reduce((sum, r) => sum + r.count, 0);
  const parts = [
    `${count(counts.fit)} fit`,
    ruledOut ? `${count(ruledOut)} ruled out` : '',
    counts.skipped ? `${count(counts.skipped)} skipped, for they cannot be better` : '',
  ].filter((p) => p !== '');
  const by = workers > 1 ? ` by ${workers} workers` : '';
  return `${count(space)} layouts in ${duration(Number(seconds.toPrecision(2)))}${by}: ${parts.join(', ')}.`;
}

export const soFar = ({ space, examined }: Plans): string =>
  `Looked at ${percent(space > 0 ? Number((examined / space).toPrecision(2)) : 1)} of ${count(space)} layouts; the best so far:`;

/** `1, 2, 4`; what is left to the core is `auto`. */
const listed = (values: Plans['axes'][number]['values']): string =>
  values.map((v) => (typeof v === 'number' ? count(v) : (v ?? 'auto'))).join(', ');

/** `41 d → 38 d (−7 %)` */
export function gained(view: Pick<View, 'metrics' | 'fields' | 'schema'>, gain: Gain): string {
  const { metric, now } = gain;
  // A large space is searched around the best plans only: a better one may be elsewhere.
  const then = `${textOf(view, metric, gain.then)}${gain.whole ? '' : ' or better'}`;
  if (now === null) return then;
  const by = changeOf(now, gain.then);
  return `${textOf(view, metric, now)} → ${then}${by ? ` (${by})` : ''}`;
}

export function createPlans(place: HTMLElement, host: Host): Panel {
  let wishes: Wishes = kNoWishes;
  let task = '';
  let asked = ''; // the request, as text
  let progress: Progress | null = null;
  let old = false; // what is shown is the answer to an older request
  let failure = '';
  let all = false; // not only the first plans
  let asTable = false;
  let near = false;
  let width = 0;
  let launch: (Launching & { plan: Plan }) | null = null;
  let opener: HTMLElement | null = null; // gets the focus back from the launch text
  let said: { text: string; word?: string; press?(): void } | null = null;
  let undo: View['undo'] = null; // that of the plan in use
  let waiting = false;

  const search = createSearch(
    { ...host, now: () => performance.now() },
    (found) => {
      progress = found;
      failure = '';
      if (found.reply.done) {
        old = false;
        followLaunch(found.reply);
      }
      draw();
      if (!found.reply.done) return;
      performance.clearMarks(kMark);
      performance.mark(kMark);
    },
    (error) => {
      failure = `The plans could not be worked out: ${String(error)}`;
      [old, asked] = [false, ''];
      draw();
    },
  );

  function soon(): void {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  function update(): void {
    if (!near) return; // when someone comes back
    const view = host.view();
    const { state } = view;
    if (undo && view.undo !== undo) [undo, said] = [null, null];
    if (hasError(state.problems)) return soon();
    const now = taskOf(answerOf(view));
    if (now !== task) [task, wishes, launch] = [now, kNoWishes, null];
    const gpus = numbersOfGpus(answerOf(view).inputs);
    const request = requestOf(state.patch, now, wishes, gpus);
    const text = JSON.stringify(request);
    if (text === asked) return soon();
    asked = text;
    old = true;
    search.start(request);
    soon();
  }

  function wish(next: Wishes): void {
    wishes = next;
    update();
    draw();
  }

  function use(plan: Plan): void {
    host.use(plan.patch, `Plan in use: ${plan.label}.`);
    undo = host.view().undo;
    const back = undo;
    said = {
      text: `${plan.label} is in use.`,
      ...(back ? { word: back.word, press: () => back.back() } : {}),
    };
    draw();
  }

  async function compare(plan: Plan): Promise<void> {
    said = {
      text: (await host.compareWith(plan.patch))
        ? `${plan.label} is beside the scenario now.`
        : 'Four scenarios are side by side already. Remove one of them first.',
      word: 'Look',
      press: () => document.getElementById('compare')?.scrollIntoView({ block: 'start' }),
    };
    draw();
  }

  async function writeLaunch(launcher = ''): Promise<void> {
    const open = launch;
    if (!open) return;
    open.old = true;
    const scenario = { ...host.view().state.patch, ...open.plan.patch };
    const request = { scenario, ...(launcher ? { launcher } : {}) };
    try {
      const text = await host.client.ask('launch', JSON.stringify(request), 'launch', true);
      if (open !== launch || typeof text !== 'string') return;
      Object.assign(open, { reply: JSON.parse(text) as Launch, old: false, failure: '' });
    } catch (error) {
      Object.assign(open, { old: false, failure: `It could not be written: ${String(error)}` });
    }
    draw();
  }

  function openLaunch(plan: Plan): void {
    opener = document.activeElement as HTMLElement;
    launch = {
      plan,
      title: plan.label,
      reply: launch?.reply ?? null,
      old: true,
      copied: '',
      failure: '',
    };
    void writeLaunch(launch.reply?.launcher);
    draw();
    const title = document.getElementById('launch-title');
    title?.focus({ preventScroll: true });
    title?.scrollIntoView({ block: 'nearest' });
  }

  /** The text follows its plan through edits; where it is no longer among the best, it stays as it was. */
  function followLaunch({ plans, present }: Plans): void {
    if (!launch) return;
    const { label } = launch.plan;
    const same = plans.find((p) => p.label === label) ?? (present.label === label ? present : null);
    if (!same) return void (launch.old = true);
    launch.plan = same;
    void writeLaunch(launch.reply?.launcher);
  }

  async function copyFile(name: string, text: string): Promise<void> {
    const open = launch;
    const done = await copy(text);
    if (!open || open !== launch) return;
    if (!done) {
      const pre = place.querySelector(`[data-file="${CSS.escape(name)}"]`);
      if (pre) getSelection()?.selectAllChildren(pre);
      open.failure = 'The browser did not allow copying; the text is selected.';
      return draw();
    }
    open.copied = name;
    draw();
    setTimeout(() => {
      open.copied = '';
      draw();
    }, kCopied);
  }

  const launchActions = {
    launcher: (id: string) => void writeLaunch(id),
    copy: (name: string, text: string) => void copyFile(name, text),
    close() {
      launch = null;
      draw();
      (opener?.isConnected ? opener : place.querySelector<HTMLElement>('h2'))?.focus();
    },
  };

  /** Why the other layouts are not among the plans. */
  function rejected({ counts, axes }: Plans): unknown {
    const list = [...counts.rejected].sort((a, b) => b.count - a.count);
    return html`<details class="stage">
      <summary><h3>Why the others were ruled out</h3></summary>
      ${
        list.length
          ? html`<table class="reasons">
              <tbody>
                ${list.map(
                  (r) =>
                    html`<tr>
                      <th scope="row">${r.label}</th>
                      <td class="figure">${count(r.count)}</td>
                    </tr>`,
                )}
              </tbody>
            </table>`
          : html`<p class="muted">None was.</p>`
      }
      <h4>What was tried</h4>
      <dl class="axes">
        ${axes.map(
          (a) =>
            html`<div>
              <dt>${a.label}</dt>
              <dd>${listed(a.values)} <span class="muted">${a.why}</span></dd>
            </div>`,
        )}
      </dl>
    </details>`;
  }

  function practice({ switches }: Plans): unknown {
    if (switches.length === 0) return nothing;
    const on = switches.filter((s) => s.on).length;
    return html`<details class="stage">
      <summary>
        <h3>
          What is left out by default <span class="muted">${on} of ${switches.length} allowed</span>
        </h3>
      </summary>
      ${switchList(switches, wishes, wish)}
    </details>`;
  }

  function gains(view: View, { reply, gains: known }: Progress): unknown {
    if (!reply.done) return nothing;
    if (known === 'later')
      return html`<p class="buy">
        <button type="button" class="plain" @click=${() => search.buy()}>What would a change buy?</button>
      </p>`;
    const list = reply.gains;
    if (known === 'known' && list.length === 0)
      return html`<p class="buy muted">None of what is left out would make the best plan better.</p>`;
    const take = (gain: Gain) => {
      if (gain.switch) wish({ ...wishes, allow: turned(wishes.allow, gain.switch, true) });
      else if (gain.patch) host.use(gain.patch, `Changed: ${gain.label}.`);
    };
    return html`<h3>What a change would buy</h3>
      ${
        known === 'soon'
          ? html`<p class="buy muted">Being worked out …</p>`
          : html`<ul class="gains">
              ${list.map(
                (gain) =>
                  html`<li>
                    <button type="button" class="button" @click=${() => take(gain)}>
                      ${gain.label}
                    </button>
                    <span class="muted">${gained(view, gain)}</span>
                  </li>`,
              )}
            </ul>`
      }`;
  }

  function found(view: View, now: Progress): unknown {
    const { reply, seconds, workers } = now;
    const { plans, present, problems } = reply;
    const shown = all ? plans : plans.slice(0, kShown);
    const partial = !reply.done;
    return html`${problems.map(
      (p) => html`<p class=${`problem ${p.severity}`}>${p.message} ${p.hint}</p>`,
    )}
      <p class="plan-words">${partial ? soFar(reply) : inWords(plans[0], present)}
        ${partial ? nothing : html`<span class="muted">${whyFirst(shown, reply.minimise)}</span>`}</p>
      ${planTable(view, shown, present, { use, compare, launch: openLaunch })}
      ${
        plans.length > kShown
          ? html`<button
              type="button"
              class="plain more-plans"
              aria-expanded=${all ? 'true' : 'false'}
              @click=${() => {
                all = !all;
                draw();
              }}
            >
              ${all ? `Only the best ${kShown}` : `All ${plans.length}`}
            </button>`
          : nothing
      }
      ${launch ? launching(launch, launchActions) : nothing}
      ${frontFigure(plans, present, {
        width,
        asTable,
        toggle() {
          asTable = !asTable;
          draw();
        },
      })}
      ${gains(view, now)} ${practice(reply)} ${rejected(reply)}
      ${partial ? nothing : html`<p class="muted plan-count">${accounted(reply, seconds, workers)}</p>`}`;
  }

  function draw(): void {
    const view = host.view();
    const stands = !hasError(view.state.problems);
    const greyed = old && progress?.reply.done !== false;
    render(
      html`<section
        class=${`plans${greyed ? ' old' : ''}`}
        aria-labelledby="plans-title"
        aria-busy=${old && stands ? 'true' : 'false'}
      >
        <div class="bar-head"><h2 id="plans-title" tabindex="-1">Plans</h2></div>
        ${aims(view, answerOf(view), wishes, progress?.reply.minimise ?? '', wish)}
        <p class="plan-said" role="status">
          ${
            said
              ? html`${said.text}
                ${said.word ? html`<button type="button" class="plain" @click=${() => said?.press?.()}>${said.word}</button>` : nothing}`
              : nothing
          }
        </p>
        ${failure ? html`<p class="problem error">${failure}</p>` : nothing}
        <div class="plan-answer">
          ${progress ? found(view, progress) : html`<p class="muted">Looking for layouts …</p>`}
        </div>
      </section>`,
      place,
    );
  }

  new ResizeObserver(([entry]) => {
    const now = Math.floor(entry?.contentRect.width ?? 0);
    if (now === width) return;
    width = now;
    soon();
  }).observe(place);
  new IntersectionObserver(
    (entries) => {
      near = entries[entries.length - 1]?.isIntersecting ?? false;
      if (near) update();
    },
    { rootMargin: kNear },
  ).observe(place);
  return { update };
}
