// SPDX-License-Identifier: MIT
// One embed on the screen: asks the core, draws, and tells how high it has become. Used by the page in a
// frame and by the inline element.
import { render } from 'lit/html.js';
import type { Patch } from '../api';
import { along, axisOf, batchCharts, columns, gpuCharts } from '../explore';
import { apply, edit, isStale, opened, received, settle, type State } from '../state';
import { nextStep } from '../stepping';
import { answerOf, createView, sentence, taskOf } from '../view';
import { inUse } from './controls';
import type { Core } from './core';
import { editable, unusedOf, type Model, type Moves } from './model';
import { linkText, type Request } from './request';
import { stopsOf } from './stops';
import { embed } from './templates';

const kInset = 34; // px: the padding and border of the box, of which a chart has none
const kResize = 4; // px
const kSweep = 30; // ms: a slider in motion does not wait for the chart
const kAnnounce = 1000; // ms of quiet before a screen reader hears the answer

export interface Embed {
  /** Another link; the view and what may be edited stay. */
  set(link: string): void;
  /** Everything anew. */
  show(request: Request): void;
  resize(width: number): void;
  close(): void;
}

export function createEmbed(
  root: HTMLElement,
  core: Core,
  home: string,
  request: Request,
  drawn: () => void = () => {},
): Embed {
  let model: Model;
  let sweeping: ReturnType<typeof setTimeout> | undefined;
  let announcing: ReturnType<typeof setTimeout> | undefined;
  let centre = 0; // of the chart, so that its dot moves and its line stays
  let data: number[][] = [];
  let swept = ''; // what the data belongs to

  function draw(): void {
    render(embed(model, moves), root);
    drawn();
  }

  function sweep(): void {
    const { view } = model.request;
    const answer = answerOf(model);
    const axis = axisOf(answer);
    if (!axis || (view !== 'chart' && view !== 'full')) {
      model = { ...model, charts: [] };
      return;
    }
    const { [axis.path]: _, ...others } = answer.patch;
    const [first = 0, last = 0] = [data[0]?.[0], data[0]?.[data[0].length - 1]];
    const key = JSON.stringify([axis.path, others]);
    if (swept !== key || axis.now < first || axis.now > last) {
      if (!centre || axis.now < first || axis.now > last) centre = axis.now;
      const wanted = along(answer.patch as Patch, axis.path, centre, [axis.now]);
      data = columns(wanted, core.sweep(wanted));
      swept = key;
    }
    const charts = taskOf(answer) === 'serve' ? batchCharts : gpuCharts;
    const list = charts(answer, data).filter((c) => (c.series[0]?.points.length ?? 0) > 1);
    model = { ...model, charts: list };
  }

  function sweepSoon(): void {
    clearTimeout(sweeping);
    sweeping = setTimeout(() => {
      sweep();
      draw();
    }, kSweep);
  }

  function announce(): void {
    clearTimeout(announcing);
    announcing = setTimeout(() => {
      const answer = answerOf(model);
      const errors = model.state.problems.filter((p) => p.severity === 'error');
      const status = errors.length
        ? errors.map((p) => `${p.message} ${p.hint}`).join(' ')
        : `${sentence(model, answer, answer.summary)} ${sentence(model, answer, answer.verdict.message)}`;
      model = { ...model, status };
      draw();
    }, kAnnounce);
  }

  function change(state: State): void {
    const next = received(state, state.patch, core.estimate(state.patch));
    model = { ...model, state: next };
    if (!isStale(next)) sweepSoon();
    announce();
    draw();
  }

  function open(link: string, asked: Request): void {
    const state = opened(core.estimate(linkText(link)));
    const view = createView(core.schema, state);
    const answer = answerOf(view);
    const { fields, unused } = editable(view, answer, asked);
    model = {
      ...view,
      request: asked,
      home,
      start: state.patch,
      edits: fields.map((field) => ({ field, stops: stopsOf(field, inUse(view, field)) })),
      unused: [...unusedOf(answer, fields), ...unused],
      charts: [],
      chart: 0,
      width: model?.width ?? 0,
    };
    [centre, data, swept] = [0, [], ''];
    sweep();
    draw();
  }

  const moves: Moves = {
    edit: (path, value) => change(edit(model.state, path, value)),
    settle() {
      model = { ...model, state: settle(model.state) };
      draw();
    },
    step(path, direction) {
      const field = model.fields.get(path);
      const next = field && nextStep(field, inUse(model, field), direction);
      if (next !== undefined) change(settle(edit(model.state, path, next)));
    },
    reset: () => change(apply({ ...model.state, patch: {} }, model.start)),
    toggle(key, on) {
      const open = new Set(model.open);
      if (on) open.add(key);
      else open.delete(key);
      model = { ...model, open };
      draw();
    },
    hover(hover) {
      model = { ...model, hover };
      draw();
    },
    chart(chart) {
      model = { ...model, chart, hover: null };
      draw();
    },
  };

  open(request.link, request);
  return {
    set: (link) => open(link, model.request),
    show: (asked) => open(asked.link, asked),
    resize(width) {
      const inner = Math.floor(width) - kInset;
      if (Math.abs(inner - model.width) < kResize) return;
      model = { ...model, width: inner };
      draw();
    },
    close() {
      clearTimeout(sweeping);
      clearTimeout(announcing);
    },
  };
}
