// SPDX-License-Identifier: MIT
// Words to rows of the catalog and of the tables.
import type { Choice, Row } from './api';

export interface Option extends Choice {
  detail: string;
  /** Found by, but not shown. */
  words?: string | undefined;
}

export const plain = (c: Choice): Option => ({ ...c, detail: '' });

export const fromRow = ({ id, name, year, family }: Row): Option => ({
  id,
  label: name,
  detail: String(year ?? ''),
  words: family,
});

/** Every word must occur somewhere: `70b llama` finds Llama 3.1 70B. */
export function search<Found extends Option>(all: readonly Found[], query: string): Found[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const hay = (o: Found) => `${o.label} ${o.id} ${o.detail} ${o.words ?? ''}`.toLowerCase();
  const found = all.filter((o) => words.every((w) => hay(o).includes(w)));
  const first = (o: Found) => (o.label.toLowerCase().startsWith(words[0] ?? '') ? 0 : 1);
  return found.sort((a, b) => first(a) - first(b)); // stable: the catalog's order within
}
