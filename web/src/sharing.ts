// SPDX-License-Identifier: MIT
// The share dialog: the scenario as a link, an embed, texts, files and a picture, and the way back from
// each of them. Loaded when it is first asked for.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { Problem } from './api';
import { dress } from './dressing';
import { withTexts } from './help';
import { embedPanel } from './sharing/embed';
import { filesPanel } from './sharing/files';
import { imagePanel } from './sharing/image';
import { linkPanel } from './sharing/link';
import { isConfig, understand, type Opened } from './sharing/opening';
import { listenOutlets } from './sharing/outlet';
import { create, firstChoices, homeOf, type Choices, type Host, type Share } from './sharing/state';
import { here } from './surroundings';
import { paperPanel, textPanel } from './sharing/texts';
import sheet from './style/sharing.css?url';
import { sentence, tables } from './view';

export type { Host };

const kTabs = {
  link: 'Link',
  embed: 'Embed',
  text: 'Text',
  files: 'Files',
  paper: 'Paper',
  image: 'Image',
  open: 'Open',
} as const;
type Tab = keyof typeof kTabs;
const kNames = Object.keys(kTabs) as Tab[];

const kPause = 250; // ms after the last key
const kLargestShown = 20_000; // characters; more makes a text area slow
const kMostProblems = 8;
const kMostWords = 240; // characters of a problem: it may quote all that was pasted

// What was chosen and pasted stays when the dialog is closed.
let dialog: HTMLDialogElement | null = null;
let host: Host;
let tab: Tab = 'link';
let choices: Choices = firstChoices();
let pasted = '';
let found: Opened | null = null;
let failure = '';
let timer: ReturnType<typeof setTimeout> | undefined;
let asked = 0;

function announce(text: string): void {
  const live = document.getElementById('share-live');
  if (live) live.textContent = text;
}

function fail(error: unknown): void {
  failure = `That did not work: ${error instanceof Error ? error.message : String(error)}`;
  draw();
}

function show(next: Tab, focus = true): void {
  [tab, failure] = [next, ''];
  draw();
  if (focus) document.getElementById(`share-tab-${next}`)?.focus();
}

function keys(e: KeyboardEvent): void {
  const at = kNames.indexOf(tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: kNames.length - 1 }[e.key];
  if (to === undefined) return;
  e.preventDefault();
  show(kNames[(to + kNames.length) % kNames.length] as Tab);
}

async function read(text: string): Promise<void> {
  const round = ++asked;
  [pasted, found, failure] = [text, null, ''];
  try {
    const result = await understand(text, (t) => host.read(t));
    if (round !== asked) return;
    found = result;
  } catch (error) {
    failure = `It could not be read: ${String(error)}`;
  }
  draw();
}

function typed(text: string): void {
  pasted = text;
  clearTimeout(timer);
  timer = setTimeout(() => void read(text), kPause);
}

function use(): void {
  if (!found) return;
  const { answer } = found;
  [pasted, found] = ['', null];
  dialog?.close();
  host.use(answer);
}

const short = (text: string): string =>
  text.length > kMostWords ? `${text.slice(0, kMostWords)}…` : text;

function problemList(problems: readonly Problem[]): unknown {
  if (problems.length === 0) return nothing;
  const more = problems.length - kMostProblems;
  return html`<section>
    <h3>Not used</h3>
    <ul>
      ${problems.slice(0, kMostProblems).map(
        (p) =>
          html`<li class="problem warning">
            ${p.path ? html`<code>${short(p.path)}</code>: ` : nothing}${short(p.message)}
            ${short(p.hint)}
          </li>`,
      )}
      ${more > 0 ? html`<li class="muted">And ${more} more.</li>` : nothing}
    </ul>
  </section>`;
}

function result(): unknown {
  if (pasted.trim() === '') return nothing;
  if (!found) return failure ? nothing : html`<p class="muted">Reading…</p>`;
  const { answer, named, used, problems } = found;
  const what = used === 1 ? '1 input' : `${used} inputs`;
  return html`${
    named
      ? html`<p><strong>${what} read.</strong> ${sentence(host, answer, answer.summary)}</p>`
      : html`<p class="problem error">
          Nothing in this text is an input of a scenario. A link looks like
          <code>https://…/#v=1&model=llama-3.1-8b&n=8</code>.
        </p>`
  }
  ${problemList(problems)}`;
}

function openPanel(): TemplateResult {
  const hidden = pasted.length > kLargestShown;
  return html`<div class="outlet">
      <label for="share-open">Link, JSON, or a text with a link in it</label>
      <textarea
        id="share-open"
        rows="5"
        spellcheck="false"
        autocomplete="off"
        .value=${hidden ? `${pasted.slice(0, 2000)}\n… ${pasted.length.toLocaleString('en')} characters in all` : pasted}
        ?readonly=${hidden}
        @input=${(e: Event) => typed((e.target as HTMLTextAreaElement).value)}
        @paste=${(e: ClipboardEvent) => {
          const text = e.clipboardData?.getData('text/plain') ?? '';
          if (text.length <= kLargestShown) return; // the area takes it, and tells
          e.preventDefault();
          void read(text);
        }}
      ></textarea>
    </div>
    <div class="import-result" role="status">${result()}</div>
    <p class="outlet-buttons">
      <button type="button" class="button primary" ?disabled=${!found?.named} @click=${use}>
        Open
      </button>
      ${
        pasted
          ? html`<button type="button" class="button" @click=${() => void read('')}>Clear</button>`
          : nothing
      }
    </p>
    <p class="muted">
      It takes the place of what is shown; you can undo that. You can also paste anywhere on the page.
    </p>`;
}

function panel(share: Share): unknown {
  switch (tab) {
    case 'link':
      return linkPanel(share);
    case 'embed':
      return embedPanel(share);
    case 'text':
      return textPanel(share);
    case 'files':
      return filesPanel(share, fail);
    case 'paper':
      return paperPanel(share);
    case 'image':
      return imagePanel(share, fail);
    case 'open':
      return openPanel();
  }
}

function draw(): void {
  if (!dialog) return;
  const share = create(host, homeOf(here()), choices, (change) => {
    choices = { ...choices, ...change };
    draw();
  });
  render(
    html`<div class="share-head">
        <h2 id="share-title">Share</h2>
        <button type="button" class="icon" aria-label="Close" @click=${() => dialog?.close()}>
          ✕
        </button>
      </div>
      <div class="share-tabs" role="tablist" aria-label="Forms" @keydown=${keys}>
        ${kNames.map(
          (id) =>
            html`<button
              type="button"
              role="tab"
              id=${`share-tab-${id}`}
              aria-selected=${id === tab}
              aria-controls="share-panel"
              tabindex=${id === tab ? 0 : -1}
              @click=${() => show(id, false)}
            >
              ${kTabs[id]}
            </button>`,
        )}
      </div>
      <div id="share-panel" role="tabpanel" aria-labelledby=${`share-tab-${tab}`}>
        ${
          host.stale && tab !== 'open'
            ? html`<p class="problem warning">
                An input is refused; what is shared is the last good answer.
              </p>`
            : nothing
        }
        ${failure ? html`<p class="problem error">${failure}</p>` : nothing} ${panel(share)}
      </div>
      <div id="share-live" class="hidden" role="status" aria-live="polite"></div>`,
    dialog,
  );
}

/** Citations come apart from the core; without them, and without a network, the rest is there. */
async function withCitations(by: Host): Promise<Host> {
  try {
    const texts = await import('envelope-texts');
    return { ...by, ...tables(withTexts(by.schema, texts.default)) };
  } catch {
    return by;
  }
}

async function open(by: Host, first: Tab): Promise<void> {
  [host] = await Promise.all([withCitations(by), dress(sheet)]);
  if (!dialog) {
    dialog = document.createElement('dialog');
    dialog.className = 'import sharing';
    dialog.setAttribute('aria-labelledby', 'share-title');
    document.body.append(dialog);
    listenOutlets(announce, draw);
  }
  tab = first;
  if (first !== 'open') failure = ''; // there it is about what was pasted
  draw();
  if (!dialog.open) dialog.showModal();
  document.getElementById(first === 'open' ? 'share-open' : `share-tab-${first}`)?.focus();
}

export const openShare = (by: Host): Promise<void> => open(by, 'link');

/** A text was pasted on the page. What is clean is used at once; of the rest is said what is wrong. */
export async function openPasted(by: Host, text: string): Promise<void> {
  if (isConfig(text)) return by.importFile(new File([text], 'config.json'));
  host = by;
  await read(text);
  if (found?.named && found.problems.length === 0) use();
  else await open(by, 'open');
}
