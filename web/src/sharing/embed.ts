// SPDX-License-Identifier: MIT
// A live calculation for someone's own page: how it looks, what readers may change, and the text to paste.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { keyed } from 'lit/directives/keyed.js';
import type { Field } from '../api';
import { kViews, type ViewName } from '../embed/views';
import {
  elementSnippet,
  embedAddress,
  iframeSnippet,
  kSandbox,
  proseLink,
  updating,
  type Embedding,
} from '../snippets';
import { taskOf } from '../view';
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
const kId = 'demo1';

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
  return {
    home: share.home,
    view,
    theme,
    edit: editable(share)
      .map((f) => f.key)
      .filter((key) => edit.has(key)),
    id: kId,
    ...(keep === 'all' ? { frozen: share.host.answer.version } : {}),
  };
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
  const link = choices.keep === 'nothing' ? updating(facts.link) : facts.link;
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
      text: proseLink(link, 'with these inputs', options),
      rows: 3,
      note: html`Change the inputs on this page, copy this, and put it beside an embed whose HTML you
        copied before. A click sets that embed; without a script it opens the calculator.`,
    })}`;
}
