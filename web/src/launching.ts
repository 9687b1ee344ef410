// SPDX-License-Identifier: MIT
// The text with which a plan is started by the software that people run. Loaded with the plans; all of
// the text is the core's.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Launch, Launcher } from './api';

export interface Launching {
  /** Of the plan. */
  title: string;
  reply: Launch | null;
  /** Greyed: another plan or launcher was asked for. */
  old: boolean;
  /** The file whose text was copied last. */
  copied: string;
  failure: string;
}

export interface LaunchActions {
  launcher(id: string): void;
  copy(name: string, text: string): void;
  close(): void;
}

function about({ name, version, as_of, source }: Launcher): TemplateResult {
  const known = `${name} ${version}`;
  return html`<p class="muted">
    Written for
    ${
      source.startsWith('http')
        ? html`<a href=${source} target="_blank" rel="noopener noreferrer">${known}</a>`
        : known
    }
    of ${as_of}, with options that it has.
  </p>`;
}

export function launching(state: Launching, actions: LaunchActions): TemplateResult {
  const { reply, old, copied, failure } = state;
  const list = reply?.launchers ?? [];
  const chosen = reply?.launchers.find((l) => l.id === reply.launcher);
  return html`<section class="launch" aria-labelledby="launch-title">
    <div class="bar-head">
      <h3 id="launch-title" tabindex="-1">Launch text: ${state.title}</h3>
      <button type="button" class="plain" @click=${() => actions.close()}>Close</button>
    </div>
    ${failure ? html`<p class="problem error">${failure}</p>` : nothing}
    ${
      reply && list.length > 0
        ? html`<label class="launcher"
            >Launcher
            <select
              .value=${reply.launcher}
              @change=${(e: Event) => actions.launcher((e.target as HTMLSelectElement).value)}
            >
              ${list.map(
                (l) =>
                  html`<option value=${l.id} ?selected=${l.id === reply.launcher}>${l.name}</option>`,
              )}
            </select></label
          >`
        : nothing
    }
    ${
      reply
        ? html`<div class=${old ? 'old' : ''} aria-busy=${old ? 'true' : 'false'}>
            ${chosen ? about(chosen) : nothing}
            ${reply.problems.map(
              (p) => html`<p class=${`problem ${p.severity}`}>${p.message} ${p.hint}</p>`,
            )}
            ${reply.files.map(
              ({ name, text }) =>
                html`<figure class="file">
                  <figcaption>
                    <code>${name}</code>
                    <button
                      type="button"
                      class="button"
                      aria-label=${copied === name ? `${name} was copied` : `Copy ${name}`}
                      @click=${() => actions.copy(name, text)}
                    >
                      ${copied === name ? 'Copied' : 'Copy'}
                    </button>
                  </figcaption>
                  <pre tabindex="0" role="group" aria-label=${name} data-file=${name}><code>${text}</code></pre>
                </figure>`,
            )}
            ${
              reply.notes.length
                ? html`<h4>What it cannot say</h4>
                    <ul class="launch-notes">
                      ${reply.notes.map((note) => html`<li>${note}</li>`)}
                    </ul>`
                : nothing
            }
            ${
              reply.cannot.length
                ? html`<details class="stage">
                    <summary><h4>Launchers that cannot run it</h4></summary>
                    <dl class="axes">
                      ${reply.cannot.map(
                        ({ name, why }) =>
                          html`<div>
                            <dt>${name}</dt>
                            <dd>${why}</dd>
                          </div>`,
                      )}
                    </dl>
                  </details>`
                : nothing
            }
          </div>`
        : failure
          ? nothing
          : html`<p class="muted">Being written …</p>`
    }
  </section>`;
}
