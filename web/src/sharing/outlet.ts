// SPDX-License-Identifier: MIT
// A text to take away: shown, so that it can be selected where the clipboard is refused, with a button that
// copies it and one that saves it.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { download } from '../saving';
import { copy } from '../share';

export interface Outlet {
  id: string;
  /** What it is: the name of the field. */
  label: string;
  text: string;
  /** For what it is good. */
  note?: unknown;
  rows?: number;
  /** Name and type of the file that it can be saved as. */
  file?: [name: string, type: string];
  /** On the button, where `Copy` alone would not say enough. */
  action?: string;
  primary?: boolean;
  /** It was copied, by the button or by hand. */
  taken?: () => void;
}

const kSaid = 2500; // ms

let said: (text: string) => void = () => {};
let redraw: () => void = () => {};
let copied = ''; // the id of what was copied last
let refused = ''; // the id of what the browser did not let us copy
let timer: ReturnType<typeof setTimeout> | undefined;

/** `announce` speaks to a screen reader, `draw` draws the dialog again. */
export function listenOutlets(announce: (text: string) => void, draw: () => void): void {
  said = announce;
  redraw = draw;
  copied = refused = '';
}

function show(id: string, ok: boolean, text: string): void {
  [copied, refused] = ok ? [id, ''] : ['', id];
  redraw();
  said(text);
  clearTimeout(timer);
  if (ok)
    timer = setTimeout(() => {
      copied = '';
      said('');
      redraw();
    }, kSaid);
}

async function copyText({ id, label, text, taken }: Outlet): Promise<void> {
  if (await copy(text)) {
    taken?.();
    return show(id, true, `Copied: ${label}`);
  }
  show(id, false, 'The browser did not allow copying; the text is selected.');
  const area = document.getElementById(`share-${id}`) as HTMLTextAreaElement | null;
  area?.focus();
  area?.select();
}

/** Pictures go to the clipboard as files; not every browser takes them. */
export async function copyImage(id: string, image: Promise<Blob>): Promise<void> {
  try {
    // A promise inside, because WebKit allows the clipboard only in the task of the click.
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': image })]);
    show(id, true, 'Image copied');
  } catch {
    show(id, false, 'The browser did not allow copying an image; download it instead.');
  }
}

export const wasCopied = (id: string): boolean => copied === id;
export const wasRefused = (id: string): boolean => refused === id;

export function save(content: BlobPart, name: string, type: string): void {
  download(content, name, type);
  said(`Saved as ${name}`);
}

const selectAll = (e: Event) => (e.target as HTMLTextAreaElement).select();

export function outlet(o: Outlet): TemplateResult {
  const { file, text } = o;
  const rows = o.rows ?? Math.min(12, Math.max(2, text.split('\n').length));
  return html`<section class="outlet">
    <div class="outlet-head">
      <label for="share-${o.id}">${o.label}</label>
      <span class="outlet-buttons">
        ${
          file
            ? html`<button
                type="button"
                class="button"
                aria-label=${`Download ${o.label}`}
                @click=${() => save(text, ...file)}
              >
                Download
              </button>`
            : nothing
        }
        <button
          type="button"
          class=${o.primary ? 'button primary' : 'button'}
          data-copy=${o.id}
          aria-label=${o.action ?? `Copy ${o.label}`}
          @click=${() => void copyText(o)}
        >
          ${wasCopied(o.id) ? 'Copied' : (o.action ?? 'Copy')}
        </button>
      </span>
    </div>
    ${o.note ? html`<p class="muted">${o.note}</p>` : nothing}
    <textarea
      id="share-${o.id}"
      readonly
      rows=${rows}
      spellcheck="false"
      .value=${text}
      @focus=${selectAll}
      @copy=${o.taken}
    ></textarea>
    ${
      wasRefused(o.id)
        ? html`<p class="problem error">
            The browser did not allow copying. The text is selected: copy it with Ctrl+C or ⌘C.
          </p>`
        : nothing
    }
  </section>`;
}
