// SPDX-License-Identifier: MIT
// What the page works out, given everything else: a radio button beside each input that can be asked for.
// What is worked out is shown, and not typed; time and cost are, as long as nothing else is asked for.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import { live } from 'lit/directives/live.js';
import type { Answer, Field } from './api';
import { isAsking, kAsks, kResults } from './asks';
import type { Path } from './types.generated';
import { answerOf, taskOf, textOf, valueOf, type Actions, type View } from './view';

/** Has no effect as long as nothing is asked for. */
export const isIdle = (answer: Answer, { group, path }: Field): boolean =>
  group === 'solve' && (path === 'solve.unknown' || !isAsking(answer));

/** The limits that what is asked for keeps. */
export const limits = (answer: Answer): string[] =>
  isAsking(answer) ? kResults[taskOf(answer)].map(([, , , limit]) => limit) : [];

function circle(view: View, actions: Actions, ask: string, label: string): TemplateResult {
  // As it was chosen; the answer may be under way.
  const { 'solve.unknown': unknown = 'none' } = view.state.patch;
  const now = unknown !== 'none' ? unknown : view.open.has('second') ? 'second' : 'first';
  return html`<label class="ask" title="Work this out from the rest"
    ><input
      type="radio"
      name="ask"
      value=${ask}
      ?checked=${ask === now}
      .checked=${live(ask === now)}
      @change=${() => actions.ask(ask)}
    />solve<span class="hidden"> for ${label}</span></label
  >`;
}

/** The radio button beside the name of an input. */
export function askFor(view: View, actions: Actions, { path, label }: Field): unknown {
  const answer = answerOf(view);
  const at = limits(answer).indexOf(path);
  const [first, name] = kResults[taskOf(answer)][at] ?? [kAsks[path as Path], label];
  return first ? circle(view, actions, first, name) : nothing;
}

/** In place of an input: what was worked out. */
export const worked = (id: string, text: string): TemplateResult =>
  html`<input
      class="worked"
      id=${id}
      readonly
      aria-describedby=${`why-${id}`}
      .value=${text}
    />
    <p class="note why" id=${`why-${id}`}>
      Worked out from the rest. To set it, solve for something else.
    </p>`;

/** The results, where nothing else is asked for. */
export function results(view: View, actions: Actions): unknown {
  const answer = answerOf(view);
  if (isAsking(answer)) return nothing;
  return kResults[taskOf(answer)].map(
    ([ask, label, id]) =>
      html`<div class="field">
        <span class="caption"
          ><label for=${`r-${ask}`}>${label}</label>${circle(view, actions, ask, label)}</span
        >
        ${worked(`r-${ask}`, textOf(view, id, valueOf(answer, id) ?? NaN))}
      </div>`,
  );
}

/** What else can be asked for: inputs that are folded away. */
export const alsoAsked = (view: View, actions: Actions, rest: readonly Field[]): TemplateResult =>
  html`<p class="field also">
    ${rest.map((f) =>
      f.path in kAsks
        ? html`<span class="caption">${f.label}${askFor(view, actions, f)}</span>`
        : nothing,
    )}
  </p>`;
