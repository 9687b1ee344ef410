// SPDX-License-Identifier: MIT
// The plans that no other beats in time, cost and GPUs at once, as points: cost against time. Loaded
// with the plans.
import { html, nothing, svg } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Plan } from './api';
import { widthOf } from './measure';
import { placed } from './placing';
import { extent, linear, line, nice, ticks } from './scale';
import type { MetricId } from './types.generated';
import { count, kDay, kHour, kMinute, kYear, money, roughly, significant, trimmed } from './units';

const kHeight = 220;
const kMargin = { top: 14, right: 20, bottom: 38, left: 60 };
const kText = 12; // px
const kRadius = 4.5;
const kWidest = 560; // px
/** What the axis of time counts in: the largest of which there are some. */
const kUnits: [number, string][] = [
  [kYear, 'years'],
  [kDay, 'days'],
  [kHour, 'hours'],
  [kMinute, 'minutes'],
];
const kTime: MetricId = 'time.total';
const kCost: MetricId = 'cost.total';
const kGpus: MetricId = 'gpus.used';

export interface FrontPoint {
  plan: Plan;
  time: number;
  cost: number;
  gpus: number;
}

const of = (plan: Plan, id: MetricId): number => plan.metrics[id] ?? NaN;

function pointOf(plan: Plan): FrontPoint | null {
  const [time, cost, gpus] = [of(plan, kTime), of(plan, kCost), of(plan, kGpus)];
  return time > 0 && cost > 0 ? { plan, time, cost, gpus } : null;
}

/** The front from the fastest to the slowest; nothing where it is one point, or all lie on a line. */
export function frontOf(plans: readonly Plan[]): FrontPoint[] {
  const points = plans.filter((p) => p.front).flatMap((p) => pointOf(p) ?? []);
  const distinct = new Set(points.map((p) => p.gpus)).size > 1;
  return distinct ? points.sort((a, b) => a.time - b.time) : [];
}

function plot(front: FrontPoint[], rest: FrontPoint[], now: FrontPoint | null, width: number) {
  const { top, right, bottom, left } = kMargin;
  const all = [...front, ...rest, ...(now ? [now] : [])];
  const latest = Math.max(...all.map((p) => p.time));
  const [unit, name] = kUnits.find(([size]) => latest >= 3 * size) ?? [1, 'seconds'];
  const spread = (values: number[], most: number) => {
    const [low, high] = extent(values) ?? [0, 1];
    const room = (high - low || high) * 0.08;
    return nice([Math.max(0, low - room), high + room], most);
  };
  const x = linear(
    spread(
      all.map((p) => p.time / unit),
      5,
    ),
    [left, width - right],
  );
  const y = linear(
    spread(
      all.map((p) => p.cost),
      4,
    ),
    [kHeight - bottom, top],
  );
  const at = (p: FrontPoint) => ({ x: x(p.time / unit), y: y(p.cost) });
  const labels = front.map((p) => ({
    ...at(p),
    radius: kRadius,
    width: widthOf(count(p.gpus), kText) + 2,
  }));
  const room = { x: left, y: 0, width: width - left, height: kHeight - bottom };
  const dots = [...rest, ...(now ? [now] : [])].map((p) => {
    const { x: cx, y: cy } = at(p);
    return { x: cx - 4, y: cy - 4, width: 8, height: 8 };
  });
  const places = placed(labels, room, dots);
  const said = (p: FrontPoint) =>
    `${p.plan.label}: ${count(p.gpus)} GPUs, ${roughly(p.time)}, ${money(p.cost)}`;
  return svg`${ticks(y.domain, 4).map(
    (t) => svg`<g class="tick"><line x1=${left} x2=${width - right} y1=${y(t)} y2=${y(t)} />
      <text x=${left - 8} y=${y(t)} dy="0.32em" text-anchor="end">${trimmed(money(t))}</text></g>`,
  )}
  ${ticks(x.domain, Math.min(6, Math.floor(width / 75))).map(
    (t) => svg`<g class="tick"><line x1=${x(t)} x2=${x(t)} y1=${top} y2=${kHeight - bottom} />
      <text x=${x(t)} y=${kHeight - bottom + 16} text-anchor="middle">${trimmed(significant(t, 4))}</text></g>`,
  )}
  <text class="axis" x=${(left + width - right) / 2} y=${kHeight - 4} text-anchor="middle">${`Time in ${name}; labels are GPUs`}</text>
  <path class="front-line" d=${line(front.map((p) => [at(p).x, at(p).y]))} />
  ${rest.map((p) => svg`<circle class="other-plan" cx=${at(p).x} cy=${at(p).y} r="3"><title>${said(p)}</title></circle>`)}
  ${front.map((p, i) => {
    const place = places[i];
    return svg`<g class="front-plan"><circle cx=${at(p).x} cy=${at(p).y} r=${kRadius}><title>${said(p)}</title></circle>
      ${place ? svg`<text x=${place.x} y=${place.y + 11}>${count(p.gpus)}</text>` : nothing}</g>`;
  })}
  ${now ? svg`<g class="mark here"><circle cx=${at(now).x} cy=${at(now).y} r=${kRadius}><title>${`As it is now: ${said(now)}`}</title></circle></g>` : nothing}`;
}

function table(front: FrontPoint[]): TemplateResult {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Time against cost, table">
    <table>
      <thead>
        <tr>
          <th scope="col">GPUs</th>
          <th scope="col">Time</th>
          <th scope="col">Cost</th>
          <th scope="col">Layout</th>
        </tr>
      </thead>
      <tbody>
        ${front.map(
          ({ plan, time, cost, gpus }) =>
            html`<tr>
              <th scope="row">${count(gpus)}</th>
              <td>${roughly(time)}</td>
              <td>${money(cost)}</td>
              <td>${plan.label}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

export function frontFigure(
  plans: readonly Plan[],
  present: Plan,
  { width: room, asTable, toggle }: { width: number; asTable: boolean; toggle(): void },
): unknown {
  const width = Math.min(kWidest, room);
  const front = frontOf(plans);
  if (front.length < 2 || width <= 0) return nothing;
  const rest = plans.filter((p) => !p.front).flatMap((p) => pointOf(p) ?? []);
  const now = present.fits ? pointOf(present) : null;
  const [first, last] = [front[0], front[front.length - 1]];
  const said =
    first && last
      ? `From ${roughly(first.time)} for ${money(first.cost)} on ${count(first.gpus)} GPUs to ${roughly(last.time)} for ${money(last.cost)} on ${count(last.gpus)}.`
      : '';
  return html`<figure class="front" data-chart="front">
    <figcaption>
      <h3>Time against cost</h3>
      <button
        type="button"
        class="plain"
        aria-pressed=${asTable ? 'true' : 'false'}
        aria-label="Time against cost: table"
        @click=${toggle}
      >
        Table
      </button>
    </figcaption>
    ${
      asTable
        ? table(front)
        : html`<svg
              class="plot"
              width=${width}
              height=${kHeight}
              role="img"
              aria-label=${`Time against cost: the ${front.length} plans that no other beats. ${said} The table has the numbers.`}
            >
              ${plot(front, rest, now, width)}
            </svg>
            <p class="read">
              Filled: no other plan is better in time, cost and GPUs at once. ${said}
              ${now ? 'Ring: as it is now.' : ''}
            </p>`
    }
  </figure>`;
}
