// SPDX-License-Identifier: MIT
// <llm-envelope>: what its author wrote inside stays in sight until a frame in its place is live.
// A classic script for the pages of others: it depends on nothing, and sets styles through the CSSOM,
// which a strict policy of the host allows.
import { themeOf } from './theme';
import { isView, kFallbacks, kNarrow, kSandbox, kViews } from './views';

const kTag = 'llm-envelope';
const kLinks = 'data-llm-envelope';
const kMargin = 300; // px ahead of the viewport
const kPatience = 8000;
const kOverrides = ['view', 'edit', 'theme'];
const kWord = /^(view|edit|theme)=(.*)/;
const kSettle = 400; // ms until colours that change slowly have changed

const kDark = matchMedia('(prefers-color-scheme: dark)');

/** Readers who pay for each byte keep the text. */
const sparing = (): boolean =>
  matchMedia('(prefers-reduced-data: reduce)').matches ||
  !!(navigator as { connection?: { saveData?: boolean } }).connection?.saveData;

/**
 * The frame's address: the attributes of the element win over the words of the fragment, and `link`,
 * where there is one, stands in place of the fragment's.
 */
function addressOf(element: Element, link: string | null): URL | null {
  let url;
  try {
    url = new URL(element.getAttribute('src') ?? '', document.baseURI);
  } catch {
    return null;
  }
  if (!element.hasAttribute('src') || !/^(https?|file):$/.test(url.protocol)) return null;
  const part = url.hash ? 'hash' : 'search'; // a fragment would hide a link in the query
  const words = url[part].slice(1).split('&');
  const own = new Map<string, string>();
  for (const word of words) {
    const [, name = '', value = ''] = kWord.exec(word) ?? [];
    if (name) own.set(name, value);
  }
  for (const name of kOverrides) {
    const value = element.getAttribute(name);
    if (value !== null) own.set(name, encodeURIComponent(value).replaceAll('%2C', ','));
  }
  if (!/^(light|dark)$/.test(own.get('theme') ?? '')) own.set('theme', themeOf(element));
  const rest = (link?.split('&') ?? words).filter((word) => word && !kWord.test(word));
  url[part] = [...rest, ...[...own].map((pair) => pair.join('='))].join('&');
  return url;
}

/** The height of the view that will be shown at that width. */
function heightOf(url: URL, width: number): number {
  const name = /[#?&]view=(\w+)/.exec(url.search + url.hash)?.[1];
  const views = kFallbacks[isView(name) ? name : 'card'];
  const { height, narrow } = kViews[views.find((v) => kViews[v].smallest <= width) ?? 'line'];
  return width < kNarrow ? narrow : height;
}

class Envelope extends HTMLElement {
  static observedAttributes = ['src', ...kOverrides];

  #box = document.createElement('div');
  #slot = document.createElement('slot');
  #frame: HTMLIFrameElement | null = null;
  #state: 'off' | 'idle' | 'waiting' | 'live' | 'failed' = 'off';
  #address: URL | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #width = 0;
  /** What a link in the text has set; null is the element's own. */
  #link: string | null = null;
  #observer = new IntersectionObserver(
    (entries) => {
      const now = entries[entries.length - 1]; // the others are older
      if (now) this.#seen(now.isIntersecting, now.boundingClientRect.top);
    },
    { rootMargin: `${kMargin}px 0px` },
  );

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const style = new CSSStyleSheet();
    style.replaceSync(':host{display:block}:host([hidden]){display:none}');
    root.adoptedStyleSheets = [style];
    this.#box.style.position = 'relative';
    this.#box.append(this.#slot);
    root.append(this.#box);
  }

  connectedCallback(): void {
    addEventListener('message', this.#message);
    kDark.addEventListener('change', this.#restyle);
    for (const element of [document.documentElement, document.body])
      this.#themes.observe(element, { attributes: true });
    this.#begin();
  }
  disconnectedCallback(): void {
    removeEventListener('message', this.#message);
    kDark.removeEventListener('change', this.#restyle);
    this.#themes.disconnect();
    clearTimeout(this.#settling);
    this.#end('off');
  }
  /** Where the browser can move a frame without loading it anew. */
  connectedMoveCallback(): void {}
  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || this.#state === 'off') return;
    if (name === 'src') this.#link = null;
    this.#renew();
  }

  /** Shows another link. False when there is no frame and will be none. */
  set(link: string): boolean {
    if (this.#state === 'failed') return false;
    this.#link = link;
    if (this.#state === 'live') this.#send();
    else this.#create();
    return true;
  }

  #send(): void {
    // The frame has no origin that could be named; what is sent is no secret.
    this.#frame?.contentWindow?.postMessage({ type: 'envelope:set', link: this.#link }, '*');
  }

  /** The page has become dark or light: by the system, or by a class on its root. */
  #restyle = (): void => {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#renew(), kSettle);
  };
  #themes = new MutationObserver(this.#restyle);

  #renew(): void {
    const url = addressOf(this, this.#link);
    if (url && this.#address?.href === url.href) return;
    const here = (place: URL | null) => place?.href.split('#')[0];
    if (this.#state === 'live' && url && here(url) === here(this.#address)) {
      // Another fragment alone: the frame hears of it, and stays.
      this.#address = url;
      this.#dress();
      this.#frame?.contentWindow?.location.replace(url.href);
    } else {
      this.#end('off');
      this.#begin();
    }
  }

  /** A frame is transparent where its colour scheme is that of its element. */
  #dress(): void {
    const theme = themeOf(this);
    if (this.#frame)
      this.#frame.style.colorScheme = this.#address?.href.includes(`theme=${theme}`) ? theme : '';
  }

  #begin(): void {
    const url = addressOf(this, this.#link);
    if (!url || sparing()) {
      this.#end('failed');
      return;
    }
    this.#state = 'idle';
    this.#address = url;
    // Once, before the frame loads; what is higher than the words of the author moves what is below.
    this.#room(heightOf(url, this.#box.offsetWidth));
    this.#observer.observe(this.#box);
  }

  #end(state: 'off' | 'failed'): void {
    this.#state = state;
    this.#observer.disconnect();
    clearTimeout(this.#timer);
    this.#frame?.remove();
    this.#frame = this.#address = null;
    this.#slot.style.display = '';
    if (state === 'failed') {
      this.#room(0);
      for (const link of linksTo(this)) link.removeAttribute('aria-current');
    }
  }

  #room(height: number): void {
    this.#box.style.minHeight = height ? `${height}px` : '';
  }

  #seen(near: boolean, top: number): void {
    if (near) this.#create();
    // Room that the frame does not fill is given back where nobody sees what moves: below the viewport.
    else if (this.#state === 'live' && top > 0) this.#room(0);
  }

  #create(): void {
    if (this.#state !== 'idle' || !this.#address) return;
    this.#state = 'waiting';
    const frame = document.createElement('iframe');
    // In a sandbox a page from a file may not load its own script; files are foreign to each other anyway.
    if (this.#address.protocol !== 'file:') frame.setAttribute('sandbox', kSandbox);
    frame.allow = 'clipboard-write';
    const text = (this.querySelector('b') ?? this).textContent ?? '';
    frame.title = text.replace(/\s+/g, ' ').trim().replace(/:$/, '').slice(0, 160) || 'Envelope';
    // An isolated page may only hold frames that say so or that come without credentials.
    if (crossOriginIsolated) frame.setAttribute('credentialless', '');
    frame.src = this.#address.href;
    // It has its width from the start, so that its first height is right.
    frame.style.cssText =
      'position:absolute;top:0;left:0;visibility:hidden;border:0;width:100%;margin:0';
    frame.style.height = this.#box.style.minHeight;
    this.#frame = frame;
    this.#dress();
    this.#box.append(frame);
    this.#timer = setTimeout(() => this.#end('failed'), kPatience);
  }

  #message = ({ source, data }: MessageEvent): void => {
    if (!source || source !== this.#frame?.contentWindow || !data) return;
    if (data.type === 'envelope:ready' && this.#state === 'waiting') this.#live();
    if (data.type === 'envelope:height' && Number.isFinite(data.height)) {
      this.#frame.style.height = `${Math.min(4000, Math.max(32, Math.ceil(data.height)))}px`;
      // A reader who turns the phone has moved everything anyway.
      if (this.#state === 'live' && this.#width !== this.#box.offsetWidth) this.#room(0);
    }
  };

  #live(): void {
    const frame = this.#frame as HTMLIFrameElement;
    const { top, height, width } = this.#box.getBoundingClientRect();
    clearTimeout(this.#timer);
    this.#state = 'live';
    this.#width = this.#box.offsetWidth;
    // The room of the words is kept, unless what would move is out of sight.
    this.#room(top + frame.offsetHeight < innerHeight && width ? height : 0);
    const focused = this.contains(document.activeElement);
    this.#slot.style.display = 'none';
    frame.style.position = frame.style.visibility = '';
    frame.style.display = 'block';
    if (focused) frame.focus({ preventScroll: true });
    if (this.#link !== null) this.#send();
  }
}

const linksTo = ({ id }: Element): NodeListOf<Element> =>
  document.querySelectorAll(`a[${kLinks}="${CSS.escape(id)}"]`);

/** Links in the text set their embed; where that cannot be they are links. */
function follow(event: MouseEvent): void {
  const { defaultPrevented, button, metaKey, ctrlKey, shiftKey, altKey } = event;
  if (defaultPrevented || button || metaKey || ctrlKey || shiftKey || altKey) return;
  const link = (event.target as Element | null)?.closest?.<HTMLAnchorElement>(`a[${kLinks}]`);
  const embed = link && document.getElementById(link.getAttribute(kLinks) ?? '');
  if (!link || !(embed instanceof Envelope)) return;
  const words = (link.hash || link.search).slice(1);
  if (!words || !embed.set(words)) return;
  event.preventDefault();
  for (const other of linksTo(embed)) other.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'true');
}

// A page may hold several snippets, each with its script.
if (!customElements.get(kTag)) {
  customElements.define(kTag, Envelope);
  document.addEventListener('click', follow);
}
