// SPDX-License-Identifier: MIT
// The part of a link that is not of its first scenario: the others, each pair with its letter, as in
// `b.gpu=b200`, and behind them the chart, `x=n&y=seq&z=cost.total`.

const pairs = (link: string, which: RegExp): string =>
  link
    .split('&')
    .filter((pair) => which.test(pair))
    .join('&');

/** The pairs of a link that describe the other scenarios and the chart. */
export const othersOf = (link: string): string => pairs(link, /^([b-d]\.|[x-z]=)/);
export const columnsOf = (others: string): string => pairs(others, /^[b-d]\./);
export const chartOf = (others: string): string => pairs(others, /^[x-z]=/);

export function withOthers(link: string, others: string): string {
  return others === '' ? link : `${link}&${others}`;
}

/** Pairs behind pairs, either of which may be none. */
export const joined = (...parts: string[]): string => parts.filter(Boolean).join('&');

/** The link of the first scenario alone. */
export const bare = (link: string): string => link.replace(/&([b-d]\.|[x-z]=).*/, '');
