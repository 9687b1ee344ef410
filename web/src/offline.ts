// SPDX-License-Identifier: MIT
// "Download as one HTML file": the built offline.html with a scenario put into it, as data.
import { escaped } from './snippets';

/** Where the template lies, beside the calculator. */
export const kTemplate = 'offline.html';

const kLink = 'data-link=""';

/** A copy of the template that opens with `link` when its address has none. */
export function withLink(html: string, link: string, title: string): string {
  const head = html.indexOf(kLink);
  if (head < 0) throw new Error(`this is not ${kTemplate}: it has no ${kLink}`);
  // By position: `$&` and the like in a link are no patterns, and the script is left as it is.
  return (
    html.slice(0, head) +
    `data-link="${escaped(link)}"` +
    html.slice(head + kLink.length)
  ).replace(/<title>[^<]*/, () => `<title>${escaped(title)} · Envelope`);
}
