// SPDX-License-Identifier: MIT
// What all pages share: the head of the page, its foot, and the switch between light and dark.
import { html, nothing } from 'lit/html.js';
import type { TemplateResult } from 'lit/html.js';
import type { Answer, Schema } from './api';
import { isFrozen } from './surroundings';

export const kPages = [
  ['replays/', 'Replays'],
  ['s/', 'Gallery'],
  ['formats/', 'Formats'],
  ['flops/', '6 N D'],
  ['accuracy/', 'Accuracy'],
  ['method/', 'Method'],
] as const;

export function header(root: string, middle: unknown, here = ''): TemplateResult {
  return html`<header class="site">
    <a class="brand" href=${root || './'}>
      <svg width="22" height="16" viewBox="0 0 22 16" aria-hidden="true">
        <rect x="1" y="1" width="20" height="14" rx="2" />
        <path d="M1.5 2.5 11 9.5l9.5-7" />
      </svg>
      Envelope</a
    >
    ${middle}
    <nav class="pages" aria-label="Pages">
      ${kPages.map(
        ([path, label]) =>
          html`<a href=${root + path} aria-current=${path === here ? 'page' : nothing}
            >${label}</a
          >`,
      )}
    </nav>
    <button type="button" class="icon theme" aria-label="Light or dark" title="Light or dark">
      <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
        <circle cx="9" cy="9" r="7" />
        <path d="M9 2a7 7 0 0 1 0 14z" />
      </svg>
    </button>
  </header>`;
}

export function footer(root: string, schema: Schema, answer?: Answer): TemplateResult {
  const newest = schema.snapshots[schema.snapshots.length - 1] ?? '';
  const month = answer?.d ?? newest;
  return html`<footer class="site">
    <p>
      Envelope
      ${
        isFrozen()
          ? html`${schema.version} (<a href=${`${root}../../`}>the newest</a>)`
          : html`<a href=${`${root}r/${schema.version}/`} title="This version, kept as it is"
              >${schema.version}</a
            >`
      }
      · data ${month}${
        month === newest
          ? nothing
          : html` (<a href=${`#${answer?.link.replace(`d=${month}`, `d=${newest}`)}`}>use ${newest}</a>)`
      } ·
      <a href=${`${root}method/`}>method and sources</a> · no cookies; what you type stays in your
      browser.
    </p>
  </footer>`;
}

const kStore = 'envelope-theme';
type Theme = 'light' | 'dark';

function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

/** Taste is the only thing that is ever stored. */
export function restoreTheme(): void {
  try {
    const theme = localStorage.getItem(kStore);
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; then the system's choice holds.
  }
}

function switchTheme(): void {
  const theme: Theme = isDark() ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(kStore, theme);
  } catch {
    // As above.
  }
}

export function listenTheme(): void {
  document.addEventListener('click', (e) => {
    if ((e.target as Element).closest('.theme')) switchTheme();
  });
}
