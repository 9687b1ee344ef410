// SPDX-License-Identifier: MIT
// The page in the frame: reads its address, never writes it, and tells the host how high it is.
import { render } from 'lit/html.js';
import './embed.css';
import { core } from './core';
import { createEmbed, type Embed } from './live';
import { kLongest, linkText, requestOf, said } from './request';
import { failure } from './templates';

const kHome = '../';
const root = document.getElementById('embed') as HTMLElement;
let request = requestOf(said(location));
let height = 0;

/** Frames without an origin can name no target; nothing but heights and the version is said. */
const tell = (message: unknown) => {
  if (parent !== window) parent.postMessage(message, '*');
};

function report(): void {
  const now = Math.ceil(root.getBoundingClientRect().height);
  if (now === height || now === 0) return;
  height = now;
  tell({ type: 'envelope:height', height });
  if (request.secret) tell({ message: 'height', value: height, secret: request.secret });
}

function dress(): void {
  const { theme, view } = request;
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  root.dataset.view = view;
}

function failed(error: unknown): void {
  console.error(error);
  const why =
    typeof WebAssembly === 'undefined'
      ? 'The numbers cannot be worked out here, because WebAssembly is switched off.'
      : typeof DecompressionStream === 'undefined'
        ? 'The numbers cannot be worked out here: this browser is too old.'
        : 'The numbers could not be worked out here.';
  root.replaceChildren();
  delete (root as { _$litPart$?: unknown })._$litPart$; // lit's memory of what was just removed
  render(failure(why, `${kHome}#${request.link}`), root);
  document.documentElement.dataset.state = 'failed';
  new ResizeObserver(report).observe(root);
  report();
}

/** Whatever goes wrong while someone edits leaves a sentence, and no half of an answer. */
const guarded = (action: () => void): void => {
  try {
    action();
  } catch (error) {
    failed(error);
  }
};

function listen(embed: Embed): void {
  addEventListener('message', ({ source, data }: MessageEvent) => {
    if (source !== parent || parent === window) return;
    if (typeof data !== 'object' || data === null) return;
    const { type, link } = data as { type?: unknown; link?: unknown };
    if (type !== 'envelope:set' || typeof link !== 'string' || link.length > kLongest) return;
    request = { ...request, link: linkText(link) };
    guarded(() => embed.set(request.link));
  });
  addEventListener('hashchange', () => {
    request = requestOf(said(location));
    dress();
    guarded(() => embed.show(request));
  });
}

async function start(): Promise<void> {
  dress();
  const ready = await core();
  root.replaceChildren();
  const embed = createEmbed(root, ready, kHome, request, report);
  new ResizeObserver(() => {
    guarded(() => embed.resize(root.clientWidth));
    report();
  }).observe(root);
  embed.resize(root.clientWidth);
  listen(embed);
  document.documentElement.dataset.state = 'live';
  tell({ type: 'envelope:ready', version: ready.schema.version });
}

start().catch(failed);
