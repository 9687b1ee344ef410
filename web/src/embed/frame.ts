// SPDX-License-Identifier: MIT
// The page in the frame: reads its address, never writes it, and tells the host how high it is.
import { render } from 'lit/html.js';
import './embed.css';
import { core } from './core';
import { createEmbed, type Embed } from './live';
import { kLongest, requestOf, said } from './request';
import { failure } from './templates';

const kHome = '../';
const root = document.getElementById('embed') as HTMLElement;
let request = requestOf(said(location));
let height = 0;
let seen = false; // by now there is something whose height is worth telling

/** Frames without an origin can name no target; nothing but heights and the version is said. */
const tell = (message: unknown) => {
  if (parent !== window) parent.postMessage(message, '*');
};

function report(): void {
  const now = Math.ceil(root.getBoundingClientRect().height);
  if (!seen || now === height || now === 0) return;
  height = now;
  tell({ type: 'envelope:height', height });
  if (request.secret) tell({ message: 'height', value: height, secret: request.secret });
}

function dress(): void {
  if (request.theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = request.theme;
}

/** A new place to draw, as the old one may be half drawn. */
function stage(): HTMLElement {
  const fresh = document.createElement('div');
  root.replaceChildren(fresh);
  seen = true;
  return fresh;
}

function failed(error: unknown): void {
  console.error(error);
  render(failure(error, `${kHome}#${request.link}`), stage());
  document.documentElement.dataset.state = 'failed';
  report();
}

function listen(embed: Embed): void {
  addEventListener('message', ({ source, data }: MessageEvent) => {
    if (source !== parent || parent === window) return;
    if (typeof data !== 'object' || data === null) return;
    const { type, link } = data as { type?: unknown; link?: unknown };
    if (type !== 'envelope:set' || typeof link !== 'string' || link.length > kLongest) return;
    request = { ...request, link: requestOf(link).link };
    embed.set(request.link);
  });
  addEventListener('hashchange', () => {
    request = requestOf(said(location));
    dress();
    embed.show(request);
  });
}

async function start(): Promise<void> {
  let embed: Embed | null = null;
  dress();
  new ResizeObserver(() => {
    embed?.resize();
    report();
  }).observe(root);
  const ready = await core();
  embed = createEmbed({
    root: stage(),
    core: ready,
    home: kHome,
    request,
    drawn: report,
    failed,
  });
  listen(embed);
  if (document.documentElement.dataset.state === 'failed') return;
  document.documentElement.dataset.state = 'live';
  tell({ type: 'envelope:ready', version: ready.schema.version });
}

start().catch(failed);
