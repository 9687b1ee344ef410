// SPDX-License-Identifier: MIT
// What leaves the page: the link, and the sentence with its link.

import { here } from './surroundings';

/** False when the browser refuses; the caller then shows the text for copying by hand. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function address(link: string, base = here()): string {
  return `${base.split(/[?#]/)[0]}#${link}`;
}
