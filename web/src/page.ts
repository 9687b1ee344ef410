// SPDX-License-Identifier: MIT
// The calculator page, as one template: the same at build time and in the browser.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { breakdown } from './breakdown';
import { explore } from './explore';
import { form } from './form';
import { memory } from './memory';
import { answer, brief, cards, findings } from './report';
import { address } from './share';
import { header, footer } from './shell';
import { kRoot } from './surroundings';
import { panel, work } from './work';
import { answerOf, taskOf, type Actions, type View } from './view';

const kTasks = [
  ['pretrain', 'Pretrain'],
  ['finetune', 'Fine-tune'],
  ['serve', 'Serve'],
] as const;

function tabs(view: View): TemplateResult {
  const task = taskOf(answerOf(view));
  return html`<nav class="tabs" aria-label="Task">
    ${kTasks.map(([id, label]) => {
      const first = view.schema.examples.find((e) => e.task === id);
      return html`<a href=${`#${first?.link ?? ''}`} aria-current=${id === task ? 'page' : nothing}
        >${label}</a
      >`;
    })}
  </nav>`;
}

function examples(view: View): TemplateResult {
  const task = taskOf(answerOf(view));
  const list = view.schema.examples.filter((e) => e.task === task);
  return html`<section class="examples" aria-labelledby="examples-title">
    <h2 id="examples-title">Examples</h2>
    <ul>
      ${list.map((e) => html`<li><a href=${`#${e.link}`}>${e.title}</a></li>`)}
      <li><a href=${`${kRoot}s/`}>More, with pictures and embeds</a></li>
      <li><a href=${`${kRoot}replays/`}>Every calculation of four documents, redone</a></li>
    </ul>
  </section>`;
}

function tools(view: View, actions: Actions): TemplateResult {
  return html`<div class="share">
    <button type="button" class="button primary" @click=${() => actions.copyLink()}>
      ${view.copied === 'done' ? 'Copied' : 'Copy link'}
    </button>
    <button type="button" class="button" @click=${() => actions.share()}>Share</button>
    <button type="button" class="button" @click=${() => actions.copySentence()}>
      Copy sentence
    </button>
    <button type="button" class="button" @click=${() => actions.column('add')}>Compare</button>
    ${
      view.copied === 'by-hand'
        ? html`<label class="by-hand"
            >Copy by hand
            <textarea
              readonly
              rows="3"
              .value=${view.status}
              @focus=${(e: Event) => (e.target as HTMLTextAreaElement).select()}
            ></textarea>
          </label>`
        : nothing
    }
  </div>`;
}

const kMemoryTables = ['table:memory', 'table:stages', 'table:moments'];
const kMemoryCharts = ['stages', 'moments'];
const kStepOpen = [
  'panel:timeline',
  'panel:roofline',
  'table:step',
  'table:timeline',
  'table:roofline',
];
const kStepCharts = ['timeline', 'roofline'];

export interface Part {
  id: string;
  /** What it shows; it is drawn again when one of these is another object. */
  reads(view: View): readonly unknown[];
  draw(view: View, actions: Actions): unknown;
  /** Only links: works as built. */
  inert?: true;
}

/**
 * The page in the order of reading. Each part is brought to life in a task of its own, so that a slow
 * phone stays responsive, and is drawn again only when it changes.
 */
export const kParts: Part[] = [
  {
    id: 'head',
    inert: true,
    reads: ({ state }) => [state.good && taskOf(state.good)],
    draw: (view) => header(kRoot, tabs(view)),
  },
  {
    id: 'top',
    reads: ({ state, copied, status, undo, solving }) => [
      undo,
      solving,
      state.good,
      state.problems,
      state.notices,
      copied,
      status,
    ],
    draw: (view, actions) => html`${answer(view, actions)} ${tools(view, actions)}`,
  },
  {
    id: 'numbers',
    reads: ({ state, open }) => [state.good, open.has('band')],
    draw: cards,
  },
  {
    id: 'memory',
    reads: ({ state, open, hover, printing, width }) => [
      state.good,
      printing,
      width > 0,
      ...kMemoryTables.map((key) => open.has(key)),
      hover && kMemoryCharts.includes(hover.chart) ? hover : null,
    ],
    draw: memory,
  },
  {
    id: 'step',
    reads: ({ state, open, hover, panels, detail, width }) => [
      state.good,
      state.patch,
      panels,
      detail,
      panels && width,
      ...kStepOpen.map((key) => open.has(key)),
      hover && kStepCharts.includes(hover.chart) ? hover : null,
    ],
    draw: breakdown,
  },
  {
    id: 'findings',
    reads: ({ state }) => [state.good],
    draw: findings,
  },
  {
    id: 'compare',
    inert: true,
    reads: ({ comparison, open, state }) => [comparison, comparison && open, state.at],
    draw: (view, actions) => view.comparison?.draw(view, actions) ?? nothing,
  },
  {
    id: 'form',
    reads: ({ schema, state, open, combo, find, printing, comparison }) => [
      schema,
      comparison,
      state,
      open,
      combo,
      find,
      printing,
    ],
    draw: form,
  },
  {
    id: 'bar',
    reads: ({ state, copied }) => [state.good, state.problems, copied],
    draw: (view, actions) =>
      html`${brief(view)}
        <button type="button" class="button" @click=${() => actions.copyLink()}>
          ${view.copied === 'done' ? 'Copied' : 'Copy link'}
        </button>
        <button type="button" class="button" @click=${() => actions.share()}>Share</button>`,
  },
  {
    id: 'charts',
    reads: ({ state, sweeps, width, hover, open }) => [state.good, sweeps, width, hover, open],
    draw: explore,
  },
  {
    id: 'work',
    reads: ({ schema, state, open, printing }) => [schema, state.good, open, printing],
    draw: work,
  },
  {
    id: 'examples',
    inert: true,
    reads: ({ state }) => [state.good && taskOf(state.good)],
    draw: examples,
  },
  {
    id: 'foot',
    inert: true,
    reads: ({ state, printing }) => [state.good?.d, printing && state.link],
    draw: (view) =>
      html`${footer(kRoot, view.schema, answerOf(view))}
      ${view.printing ? html`<p class="on-paper">${address(view.state.link)}</p>` : nothing}`,
  },
  {
    id: 'panel',
    reads: ({ schema, state, trail }) => [schema, state.good, trail],
    draw: panel,
  },
];

/** The whole page at once, for the build. */
export function page(view: View, actions: Actions): TemplateResult {
  const part = (id: string) => kParts.find((p) => p.id === id)?.draw(view, actions);
  return html`<div id="head">${part('head')}</div>
    <main id="main" tabindex="-1" class="calculator">
      <div class="upper">
        <div id="top">${part('top')}</div>
        <div id="numbers">${part('numbers')}</div>
        <div id="memory">${part('memory')}</div>
        <div id="step">${part('step')}</div>
        <div id="findings">${part('findings')}</div>
        <div id="compare">${part('compare')}</div>
      </div>
      <div class="left" id="form">${part('form')}</div>
      <div class="rest">
        <div id="plans"></div>
        <div id="charts">${part('charts')}</div>
        <div id="work">${part('work')}</div>
        <div id="examples">${part('examples')}</div>
      </div>
    </main>
    <div id="panel">${part('panel')}</div>
    <section id="bar" class="foot-bar" aria-label="In brief">${part('bar')}</section>
    <div id="foot">${part('foot')}</div>`;
}
