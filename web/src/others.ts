// SPDX-License-Identifier: MIT
// The part of a link that describes other scenarios, each pair with its letter: `b.gpu=b200`.

/** The pairs of a link that describe the other scenarios. */
export function othersOf(link: string): string {
  return link
    .split('&')
    .filter((pair) => /^[b-d]\./.test(pair))
    .join('&');
}

export function withOthers(link: string, others: string): string {
  return others === '' ? link : `${link}&${others}`;
}
