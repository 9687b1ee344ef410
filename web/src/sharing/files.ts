// SPDX-License-Identifier: MIT
// What is saved as a file: the numbers for other programs, and the calculator itself with this scenario.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { kTemplate, withLink } from '../offline';
import { save } from './outlet';
import { isOnSite, nameOf, type Share } from './state';
import { dataTexts } from './texts';

async function saveOffline(share: Share): Promise<void> {
  const response = await fetch(kTemplate);
  if (!response.ok) throw new Error(`${kTemplate} could not be loaded (${response.status}).`);
  const page = withLink(await response.text(), share.host.whole, share.facts.title, share.home);
  save(page, `${nameOf(share)}.html`, 'text/html');
}

export function filesPanel(share: Share, fail: (error: unknown) => void): TemplateResult {
  return html`${
    isOnSite()
      ? html`<section class="outlet">
          <div class="outlet-head">
            <h3>The calculator with this scenario</h3>
            <button
              type="button"
              class="button"
              @click=${() => void saveOffline(share).catch(fail)}
            >
              Download HTML
            </button>
          </div>
          <p class="muted">One file that opens without a network, and for ever.</p>
        </section>`
      : nothing // it is that file
  }
  ${dataTexts(share)}`;
}
