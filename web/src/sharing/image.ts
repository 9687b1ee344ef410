// SPDX-License-Identifier: MIT
// The share card: a picture for places that take neither frames nor scripts.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import { cardSvg, kCardHeight, kCardWidth } from '../card';
import { markdownImage } from '../markdown';
import { copyImage, outlet, save, wasCopied, wasRefused } from './outlet';
import { citedRoot, citedUrl, nameOf, type Share } from './state';

const kSvg = 'image/svg+xml';
const kPng = 'image/png';
const kPlace = 'https://YOUR-SITE/'; // of the picture: to be filled in

export const svgOf = (share: Share): string =>
  cardSvg(share.facts, share.host.answer, share.host, {
    place: citedRoot(share).replace(/^https?:\/\/|\/$/g, ''),
  });

/** Drawn by the browser: SVG, canvas, PNG. */
export async function pngOf(svg: string): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: kSvg }));
  try {
    const image = new Image(kCardWidth, kCardHeight);
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [kCardWidth, kCardHeight];
    canvas.getContext('2d')?.drawImage(image, 0, 0, kCardWidth, kCardHeight);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, kPng));
    if (!blob) throw new Error('the browser made no picture of the card');
    return blob;
  } finally {
    URL.revokeObjectURL(url);
  }
}

export function imagePanel(share: Share, fail: (error: unknown) => void): TemplateResult {
  const svg = svgOf(share);
  const name = nameOf(share);
  const alt = `${share.facts.sentence} ${share.facts.verdict.text}`;
  return html`<img
      class="card-preview"
      src=${`data:${kSvg},${encodeURIComponent(svg)}`}
      width=${kCardWidth}
      height=${kCardHeight}
      alt=${alt}
    />
    <p class="outlet-buttons">
      <button
        type="button"
        class="button primary"
        @click=${() =>
          pngOf(svg)
            .then((png) => save(png, `${name}.png`, kPng))
            .catch(fail)}
      >
        Download PNG
      </button>
      <button type="button" class="button" @click=${() => save(svg, `${name}.svg`, kSvg)}>
        Download SVG
      </button>
      <button type="button" class="button" @click=${() => void copyImage('png', pngOf(svg))}>
        ${wasCopied('png') ? 'Copied' : 'Copy image'}
      </button>
    </p>
    ${
      wasRefused('png')
        ? html`<p class="problem error">
            The browser did not allow copying an image. Download it instead.
          </p>`
        : nothing
    }
    ${outlet({
      id: 'alt',
      label: 'Description for those who do not see the picture',
      text: alt,
      rows: 3,
    })}
    ${outlet({
      id: 'picture',
      label: 'Picture with its link, Markdown',
      text: markdownImage(alt, `${kPlace}${name}.png`, citedUrl(share)),
      rows: 4,
      note: html`For pages that show no frames. Put the downloaded PNG where your page can reach it,
        and write its address in place of <code>${kPlace}${name}.png</code>.`,
    })}`;
}
