// SPDX-License-Identifier: MIT
// "Download as one HTML file": the built offline.html with a scenario put into it, as data.
import { escaped } from './snippets';

/** Where the template lies, beside the calculator. */
export const kTemplate = 'offline.html';

const kLink = 'data-link=""';

/**
 * A copy of the template that opens with `link` when its address has none. `home` is the site that it is
 * taken from, to which its links lead; from a disk there is none, and it is the one of the build.
 */
export function withLink(html: string, link: string, title: string, home: string): string {
  const head = html.indexOf(kLink);
  if (head < 0) throw new Error(`this is not ${kTemplate}: it has no ${kLink}`);
  // By position: `$&` and the like in a link are no patterns, and the script is left as it is.
  return (
    html.slice(0, head) +
    `data-link="${escaped(link)}"` +
    (/^https?:/.test(home) ? ` data-home="${escaped(home)}"` : '') +
    html.slice(head + kLink.length)
  ).replace(/<title>[^<]*/, () => `<title>${escaped(title)} · Envelope`);
}
