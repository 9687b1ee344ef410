// SPDX-License-Identifier: MIT
// <llm-envelope-inline src="LINK">: an embed without a frame, for sites that say what scripts may do on
// them. What its author wrote inside stays in sight until the numbers are there.
import { render } from 'lit/html.js';
import { core, type Core } from './core';
import css from './embed.css?inline';
import { createEmbed, type Embed } from './live';
import { requestOf, said, type Request } from './request';
import { failure } from './templates';
import { themeOf } from './theme';

const kTag = 'llm-envelope-inline';
const kAttributes = ['src', 'view', 'edit', 'theme', 'home'];

/** Beside the published file the site is two folders up; bundled, it is where the build was told. */
const kSelf = import.meta.url;
const kHome = /\/embed\/1\/[^/]*$/.test(kSelf) ? new URL('../../', kSelf).href : ENVELOPE_HOME;

const kDark = matchMedia('(prefers-color-scheme: dark)');

let sheet: CSSStyleSheet | undefined;

/** The root of the host's page may have letters of any size, and `rem` would follow it. */
function styles(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css.replace(/([\d.]+)rem\b/g, (_, n: string) => `${16 * Number(n)}px`));
  }
  return sheet;
}

/** What an address says, as in a frame; `src` may also be a link alone. */
function linkOf(src: string): string {
  if (src === '' || /^[#?]?[\w.]+(=|%3D)/i.test(src)) return src;
  return URL.canParse(src, document.baseURI) ? said(new URL(src, document.baseURI)) : '';
}

class Inline extends HTMLElement {
  static readonly observedAttributes = kAttributes;
  #embed: Embed | null = null;
  #observer: ResizeObserver | null = null;
  #recolour = (): void => this.#embed?.show(this.#request);

  get #request(): Request {
    const asked = requestOf(linkOf(this.getAttribute('src') ?? ''), {
      view: this.getAttribute('view'),
      edit: this.getAttribute('edit'),
      theme: this.getAttribute('theme'),
    });
    return { ...asked, theme: asked.theme === 'auto' ? themeOf(this) : asked.theme };
  }

  get #home(): string {
    const own = this.getAttribute('home');
    return own && /^https?:\/\//.test(own) ? (own.split('#')[0] ?? '') : kHome;
  }

  /** A place to draw, below what the author wrote where that is to stay. */
  #stage(...above: Node[]): HTMLElement {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [styles()];
    const frame = document.createElement('div');
    frame.id = 'embed';
    const stage = document.createElement('div');
    frame.append(stage);
    root.replaceChildren(...above, frame);
    return stage;
  }

  #failed(error: unknown): void {
    console.error(error);
    this.#end();
    const stage = this.#stage(document.createElement('slot'));
    stage.dataset.theme = this.#request.theme;
    render(failure(error, `${this.#home}#${this.#request.link}`), stage);
    this.dataset.state = 'failed';
  }

  #end(): void {
    kDark.removeEventListener('change', this.#recolour);
    this.#observer?.disconnect();
    this.#embed?.close();
    this.#observer = this.#embed = null;
  }

  #begin(ready: Core): void {
    const root = this.#stage();
    const request = this.#request;
    this.dataset.state = 'live';
    this.#embed = createEmbed({
      root,
      core: ready,
      home: this.#home,
      request,
      drawn: () => {},
      failed: (error) => this.#failed(error),
    });
    this.#observer = new ResizeObserver(() => this.#embed?.resize());
    this.#observer.observe(root);
    kDark.addEventListener('change', this.#recolour);
  }

  connectedCallback(): void {
    core().then(
      (ready) => {
        if (this.isConnected && !this.#embed) this.#begin(ready);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  disconnectedCallback(): void {
    this.#end();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (this.#embed && name !== 'home') this.#embed.show(this.#request);
    else if (this.isConnected && this.dataset.state) {
      this.#end(); // also after a failure, which may have been that of the link
      this.connectedCallback();
    }
  }
}

if (!customElements.get(kTag)) customElements.define(kTag, Inline);
