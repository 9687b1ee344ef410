// SPDX-License-Identifier: MIT
// The dialog that reads a config.json: pasted, dropped or chosen. Loaded when it is first asked for; the
// file is read by the core in the worker and goes nowhere else.
import { html, nothing, render } from 'lit/html.js';
import type { Imported, Problem } from './api';
import { bytes } from './units';

export interface Host {
  read(text: string): Promise<Imported | undefined>;
  use(found: Imported): void;
}

const kLargestShown = 200_000; // characters; more makes a text area slow
const kLargestFile = 32e6; // a config.json has some kB; what is larger is another file
const kPause = 200; // ms after the last key
const kMostNotes = 6;

const kWords: Record<Problem['severity'], [string, string]> = {
  error: ['Not understood', 'Without these the model would be a guess.'],
  warning: ['To check', 'Read, but unusual or in doubt.'],
  note: ['Notes', 'Assumed, or of no effect on what is computed here.'],
};

// What was pasted stays when the dialog is closed.
let dialog: HTMLDialogElement | null = null;
let host: Host;
let text = '';
let from = ''; // name of the file
let found: Imported | null = null;
let failure = '';
let timer: ReturnType<typeof setTimeout> | undefined;
let asked = 0;

async function read(): Promise<void> {
  const round = ++asked;
  found = null;
  failure = '';
  if (text.trim() !== '') {
    try {
      const answer = await host.read(text);
      if (round !== asked) return;
      found = answer ?? null;
    } catch (error) {
      failure = `It could not be read: ${String(error)}`;
    }
  }
  draw();
}

function typed(value: string): void {
  text = value;
  from = '';
  clearTimeout(timer);
  timer = setTimeout(() => void read(), kPause);
}

async function chosen(file: File): Promise<void> {
  if (file.size > kLargestFile) {
    [text, found] = ['', null];
    from = file.name;
    failure = `${file.name} has ${bytes(file.size)}. A config.json has a few kB; this may be another file of the model.`;
    return draw();
  }
  text = await file.text();
  from = file.name;
  await read();
}

function list(severity: Problem['severity'], problems: readonly Problem[]): unknown {
  const those = problems.filter((p) => p.severity === severity);
  if (those.length === 0) return nothing;
  const [title, meaning] = kWords[severity];
  const items = html`<ul>
    ${those.map(
      (p) =>
        html`<li class=${`problem ${severity}`}>
          ${p.path ? html`<code>${p.path}</code> ` : nothing}${p.message} ${p.hint}
        </li>`,
    )}
  </ul>`;
  return those.length > kMostNotes && severity === 'note'
    ? html`<details>
        <summary>${title} (${those.length}): ${meaning}</summary>
        ${items}
      </details>`
    : html`<section>
        <h3>${title}</h3>
        <p class="muted">${meaning}</p>
        ${items}
      </section>`;
}

function result(): unknown {
  if (failure) return html`<p class="problem error">${failure}</p>`;
  if (!found) return nothing;
  const usable = Object.keys(found.patch).length > 0;
  const { problems } = found;
  const clean = problems.every((p) => p.severity === 'note');
  return html`${
    usable
      ? html`<p>
            Read as <strong>${found.name || 'a model without a name'}</strong>${
              clean ? ', completely.' : '.'
            }
          </p>`
      : nothing
  }
    ${list('error', problems)} ${list('warning', problems)} ${list('note', problems)}`;
}

function close(): void {
  dialog?.close();
}

function use(): void {
  if (!found) return;
  const chosenModel = found;
  close();
  [text, from, found] = ['', '', null];
  host.use(chosenModel);
}

function draw(): void {
  if (!dialog) return;
  const usable = found !== null && Object.keys(found.patch).length > 0;
  const wrong = found?.problems.some((p) => p.severity === 'error') ?? false;
  const hidden = text.length > kLargestShown;
  render(
    html`<h2 id="import-title">Import a config.json</h2>
      <p>
        The config.json of a Hugging Face model says how it is built. Paste it, choose the file, or drop
        it anywhere on the page. It stays in your browser.
      </p>
      <label for="import-text">${from ? `From ${from}` : 'Contents of the file'}</label>
      <textarea
        id="import-text"
        rows="9"
        spellcheck="false"
        autocomplete="off"
        placeholder='{ "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, ... }'
        .value=${hidden ? `${text.slice(0, 2000)}\n... ${bytes(text.length)} in all` : text}
        ?readonly=${hidden}
        @input=${(e: Event) => typed((e.target as HTMLTextAreaElement).value)}
      ></textarea>
      <p>
        <label for="import-file">Or choose a file</label>
        <input
          id="import-file"
          type="file"
          accept=".json,application/json"
          @change=${(e: Event) => {
            const file = (e.target as HTMLInputElement).files?.[0];
            if (file) void chosen(file);
          }}
        />
      </p>
      <div class="import-result" role="status">${result()}</div>
      <p class="import-actions">
        <button type="button" class="button primary" ?disabled=${!usable} @click=${use}>
          ${wrong ? 'Use what was read' : 'Use this model'}
        </button>
        <button type="button" class="button" @click=${close}>Cancel</button>
      </p>`,
    dialog,
  );
}

/** Opens the dialog, with a file when one was dropped. */
export async function openImport(by: Host, file?: File): Promise<void> {
  host = by;
  if (!dialog) {
    dialog = document.createElement('dialog');
    dialog.className = 'import';
    dialog.setAttribute('aria-labelledby', 'import-title');
    document.body.append(dialog);
  }
  draw();
  if (!dialog.open) dialog.showModal();
  document.getElementById('import-text')?.focus();
  if (file) await chosen(file);
}
