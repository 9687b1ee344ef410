// SPDX-License-Identifier: MIT
// What is saved as a file: the numbers for other programs.
import { html, type TemplateResult } from 'lit/html.js';
import type { Share } from './state';
import { dataTexts } from './texts';

export function filesPanel(share: Share, _fail: (error: unknown) => void): TemplateResult {
  return html`${dataTexts(share)}`;
}
