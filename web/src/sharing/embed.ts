// SPDX-License-Identifier: MIT
// A live calculation for someone's own page: how it looks, what readers may change, and the text to paste.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { keyed } from 'lit/directives/keyed.js';
import type { Field } from '../api';
import { kSandbox, kViews, type ViewName } from '../embed/views';
import {
  elementSnippet,
  embedAddress,
  iframeSnippet,
  loaderAddress,
  proseLink,
  updating,
  type Embedding,
} from '../snippets';
import { taskOf } from '../view';
import { integrityOf } from './integrity';
import { keepOptions } from './link';
import { outlet } from './outlet';
import { isOnSite, type Share } from './state';

const kWords: Record<ViewName, string> = {
  line: 'Line',
  card: 'Card',
  bar: 'Bar',
  chart: 'Chart',
  table: 'Table',
  full: 'Full',
};
const kThemes = { auto: 'Auto', light: 'Light', dark: 'Dark' } as const;

/** FNV-1a: a few characters that differ where the texts do. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const c of text) hash = Math.imul(hash ^ (c.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** `gpt2-1x2y3z`: embeds of other scenarios on the same page have other ids. Begins with a letter. */
export function idOf(model: string, link: string, view: ViewName): string {
  const name = model.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const slug =
    name
      .replace(/^[^a-z]+/, '')
      .slice(0, 32)
      .replace(/-$/, '') || 'llm';
  return `${slug}-${hashOf(`${link}&view=${view}`)}`;
}

const linkOf = ({ choices, facts }: Share): string =>
  choices.keep === 'nothing' ? updating(facts.link) : facts.link;

let taken = ''; // the id in the HTML that was copied last: links in the text are for that one

/** Inputs that a reader may care for: the basic ones, and those that make this scenario what it is. */
export function editable(share: Share): Field[] {
  const { answer, schema } = share.host;
  const task = taskOf(answer);
  // The size of a model that is known by more than its size changes nothing.
  const isUsed = (f: Field) => f.path !== 'model.params' || answer.inputs['model.id'] === 'by-size';
  return schema.fields.filter(
    (f) =>
      f.tasks.includes(task) &&
      f.group !== 'task' &&
      isUsed(f) &&
      (f.basic || Object.hasOwn(answer.patch, f.path)),
  );
}

export function embedding(share: Share): Embedding {
  const { keep, view, theme, edit } = share.choices;
  const { answer } = share.host;
  const options: Embedding = {
    home: share.home,
    view,
    theme,
    edit: editable(share)
      .map((f) => f.key)
      .filter((key) => edit.has(key)),
    id: idOf(String(answer.inputs['model.id']), linkOf(share), view),
    ...(keep === 'all' ? { frozen: answer.version } : {}),
  };
  if (!options.frozen || !isOnSite()) return options;
  const integrity = integrityOf(loaderAddress(options), () => share.set({}));
  return integrity ? { ...options, integrity } : options;
}

function choose<T extends string>(
  legend: string,
  name: string,
  words: Readonly<Record<T, string>>,
  now: T,
  set: (value: T) => void,
): TemplateResult {
  return html`<fieldset class="pills">
    <legend>${legend}</legend>
    ${(Object.keys(words) as T[]).map(
      (id) =>
        html`<label
          ><input
            type="radio"
            name=${name}
            value=${id}
            .checked=${id === now}
            @change=${() => set(id)}
          /><span>${words[id]}</span></label
        >`,
    )}
  </fieldset>`;
}

/** The frame says how high it is; the present one alone is heard. */
function listen(frame: HTMLIFrameElement): void {
  const heard = ({ source, data }: MessageEvent) => {
    if (!frame.isConnected) return removeEventListener('message', heard);
    if (source !== frame.contentWindow || data?.type !== 'envelope:height') return;
    const height = Number(data.height);
    if (Number.isFinite(height)) frame.height = String(Math.min(4000, Math.max(32, height)));
  };
  addEventListener('message', heard);
}

let live = ''; // the address whose frame is listened to
function preview(share: Share, options: Embedding): TemplateResult {
  // Beside the page that is open: the same host, without a way over the network.
  const src = embedAddress(share.facts.link, { ...options, home: './', frozen: undefined });
  if (live !== src) {
    live = src;
    requestAnimationFrame(() => {
      const frame = document.querySelector<HTMLIFrameElement>('#share-preview');
      if (frame) listen(frame);
    });
  }
  return html`<div class="preview">
    ${keyed(
      src,
      html`<iframe
        id="share-preview"
        src=${src}
        title="Preview of the embed"
        sandbox=${kSandbox}
        height=${kViews[share.choices.view].height}
      ></iframe>`,
    )}
  </div>`;
}

export function embedPanel(share: Share): TemplateResult {
  const { choices, facts, set } = share;
  const options = embedding(share);
  const link = linkOf(share);
  const target = taken || options.id;
  const toggle = (key: string, on: boolean) => {
    const edit = new Set(choices.edit);
    if (on) edit.add(key);
    else edit.delete(key);
    set({ edit });
  };
  return html`${outlet({
    id: 'element',
    label: 'HTML for your page',
    text: elementSnippet(facts, options, link),
    rows: 4,
    note: html`Reads as text in feeds, mail and print, and comes alive in a browser.`,
    action: 'Copy HTML',
    primary: true,
    taken: () => {
      taken = options.id ?? '';
      set({});
    },
  })}
    <div class="looks">
      ${choose('View', 'embed-view', kWords, choices.view, (view) => set({ view }))}
      ${choose('Colours', 'embed-theme', kThemes, choices.theme, (theme) => set({ theme }))}
    </div>
    ${isOnSite() ? preview(share, options) : nothing}
    <fieldset class="checks">
      <legend>Readers may change</legend>
      ${editable(share).map(
        (f) =>
          html`<label
            ><input
              type="checkbox"
              .checked=${choices.edit.has(f.key)}
              @change=${(e: Event) => toggle(f.key, (e.target as HTMLInputElement).checked)}
            /><span>${f.label}</span></label
          >`,
      )}
    </fieldset>
    ${keepOptions(share, 'keep-embed')}
    ${outlet({
      id: 'iframe',
      label: 'Plain frame',
      text: iframeSnippet(facts, options, link),
      rows: 4,
      note: 'For sites that allow frames but no scripts. Its height does not adapt.',
    })}
    ${outlet({
      id: 'prose',
      label: 'Link in your text that sets the embed',
      text: proseLink(link, 'with these inputs', { ...options, id: target }),
      rows: 3,
      note: html`Copy the HTML above, change the inputs on this page, and put this link beside the embed. A
        click sets the embed <code>${target}</code>${taken ? ', which was copied last' : nothing};
        without a script it opens the calculator.`,
    })}`;
}
