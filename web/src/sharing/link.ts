// SPDX-License-Identifier: MIT
// The link: what of it may change later, its length, and as a QR code.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { renderSVG } from 'uqr';
import { outlet, save } from './outlet';
import { nameOf, urlOf, type Keep, type Share } from './state';

const kLong = 1900; // characters; beyond 2,000 messengers and mail programs cut
const kQuiet = 4; // modules around the code: scanners need them

export function keepOptions(share: Share, name: string): TemplateResult {
  const { d, version } = share.facts;
  const options: [Keep, string, string][] = [
    ['data', `Data of ${d}`, 'Prices and specifications stay; corrections of formulas show.'],
    ['nothing', 'Updating', 'Always the newest data and formulas: the numbers may change.'],
    ['all', 'Frozen', `Data of ${d} and release ${version}: the same page for ever.`],
  ];
  return html`<fieldset class="choices">
    <legend>What stays the same</legend>
    ${options.map(
      ([id, label, note]) =>
        html`<label
          ><input
            type="radio"
            name=${name}
            value=${id}
            .checked=${share.choices.keep === id}
            @change=${() => share.set({ keep: id })}
          /><span><strong>${label}</strong> <span class="muted">${note}</span></span></label
        >`,
    )}
  </fieldset>`;
}

function qr(url: string): string {
  try {
    return renderSVG(url, { border: kQuiet, pixelSize: 8 });
  } catch {
    return ''; // more than the largest code holds
  }
}

function code(share: Share, url: string): TemplateResult {
  const svg = qr(url);
  if (!svg)
    return html`<p class="muted">The link is too long for a QR code, which holds 2,953 characters.</p>`;
  return html`<figure class="qr">
    <img
      src=${`data:image/svg+xml,${encodeURIComponent(svg)}`}
      width="148"
      height="148"
      alt="QR code of the link"
    />
    <figcaption>
      <button
        type="button"
        class="button"
        @click=${() => save(svg, `${nameOf(share)}-qr.svg`, 'image/svg+xml')}
      >
        Download QR code
      </button>
    </figcaption>
  </figure>`;
}

/** The device's own list of programs to share with; people close it, which is no error. */
const shareByDevice = (share: Share, url: string): void => {
  const { title, sentence: text } = share.facts;
  navigator.share({ title, text, url }).catch(() => {});
};

export function linkPanel(share: Share): TemplateResult {
  const url = urlOf(share);
  const length = url.length;
  return html`${outlet({
    id: 'link',
    label: 'Link',
    text: url,
    rows: Math.min(6, Math.max(2, Math.ceil(length / 72))),
    action: 'Copy link',
    primary: true,
  })}
    <p class=${length > kLong ? 'problem warning' : 'muted'}>
      ${length.toLocaleString('en')} characters.
      ${
        length > kLong
          ? 'Some messengers and mail programs cut links of 2,000 and more; send the JSON file in place of it.'
          : nothing
      }
    </p>
    <div class="beside">
      <div>
        ${keepOptions(share, 'keep-link')}
        <p class="outlet-buttons">
          <a class="button" href=${url} target="_blank" rel="noopener">Open in a new tab</a>
          ${
            'share' in navigator
              ? html`<button
                  type="button"
                  class="button"
                  @click=${() => shareByDevice(share, url)}
                >
                  Share by this device
                </button>`
              : nothing
          }
        </p>
      </div>
      ${code(share, url)}
    </div>`;
}
