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
  /** Another request; what a reader has changed stays where the link does. */
  show(request: Request): void;
  /** The room has changed. */
  resize(): void;
  close(): void;
}

export interface Options {
  /** Empty, and all for the embed; its width is what there is. */
  root: HTMLElement;
  core: Core;
  /** The site, for links to the calculator. */
  home: string;
  request: Request;
  drawn(): void;
  /** The core or a template broke down: nothing that is shown can be relied on. */
  failed(error: unknown): void;
}

export function createEmbed(options: Options): Embed {
  const { root, core, home } = options;
  const inner = () => Math.floor(root.clientWidth) - kInset;
  let model: Model;
  let sweeping: ReturnType<typeof setTimeout> | undefined;
  let announcing: ReturnType<typeof setTimeout> | undefined;
  let centre = 0; // of the chart, so that its dot moves and its line stays
  let data: number[][] = [];
  let swept = ''; // what the data belongs to

  let drawing = false;
  let again = false;

  /** An input that is taken away loses its focus, and its blur asks for a drawing inside of one. */
  function draw(): void {
    again = drawing;
    if (drawing) return;
    drawing = true;
    try {
      do {
        again = false;
        render(embed(model, moves), root);
      } while (again);
    } finally {
      drawing = false;
    }
    options.drawn();
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

  /** Whatever goes wrong while someone edits leaves a sentence, and no half of an answer. */
  const guarded =
    <T extends unknown[]>(action: (...given: T) => void) =>
    (...given: T): void => {
      try {
        action(...given);
      } catch (error) {
        close();
        options.failed(error);
      }
    };

  function close(): void {
    clearTimeout(sweeping);
    clearTimeout(announcing);
  }

  function sweepSoon(): void {
    clearTimeout(sweeping);
    const redraw = () => {
      sweep();
      draw();
    };
    sweeping = setTimeout(guarded(redraw), kSweep);
  }

  function announce(): void {
    clearTimeout(announcing);
    const say = () => {
      const answer = answerOf(model);
      const errors = model.state.problems.filter((p) => p.severity === 'error');
      const status = errors.length
        ? errors.map((p) => `${p.message} ${p.hint}`).join(' ')
        : `${sentence(model, answer, answer.summary)} ${sentence(model, answer, answer.verdict.message)}`;
      model = { ...model, status };
      draw();
    };
    announcing = setTimeout(guarded(say), kAnnounce);
  }

  const change = guarded((state: State): void => {
    const next = received(state, state.patch, core.estimate(state.patch));
    model = { ...model, state: next };
    if (!isStale(next)) sweepSoon();
    announce();
    draw();
  });

  /** `kept` is what a reader has made of the same link. */
  const open = guarded((request: Request, kept?: Model): void => {
    const example = core.schema.examples[0]?.link ?? '';
    const state = kept?.state ?? opened(core.estimate(linkText(request.link) || example));
    const view = createView(core.schema, state);
    const answer = answerOf(view);
    const { fields, unused } = editable(view, answer, request);
    model = {
      ...view,
      request,
      home,
      start: kept?.start ?? state.patch,
      edits: fields.map((field) => ({ field, stops: stopsOf(field, inUse(view, field)) })),
      unused: [...unusedOf(answer, fields), ...unused],
      charts: [],
      chart: kept?.chart ?? 0,
      width: inner(),
    };
    [centre, data, swept] = [0, [], ''];
    sweep();
    draw();
  });

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

  open(options.request);
  return {
    set: (link) => open({ ...model.request, link }),
    show: (request) => open(request, request.link === model.request.link ? model : undefined),
    resize: guarded(() => {
      const width = inner();
      if (Math.abs(width - model.width) < kResize) return;
      model = { ...model, width };
      draw();
    }),
    close,
  };
}
