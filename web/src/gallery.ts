// SPDX-License-Identifier: MIT
// The rows of gallery.json, and what may be wrong with them. A wrong row stops the build.
import type { Answer, Replays, Schema } from './api';
import { isView, type ViewName } from './embed/views';

/** A row as written: an example of the core needs no title and no link of its own. */
export interface GalleryRow {
  slug: string;
  title?: string;
  description: string;
  link?: string;
  view: ViewName;
  /** Link keys that the reader of the embed may change. */
  edit?: string[];
  /** Metrics for the card, where the key numbers of the task are not the point. */
  numbers?: string[];
}

export interface Entry extends Required<Omit<GalleryRow, 'numbers'>> {
  numbers?: string[];
  answer: Answer;
}

const kSlug = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const kKnown = ['slug', 'title', 'description', 'link', 'view', 'edit', 'numbers'];

export const replaySlug = (document: string, row: string): string =>
  `${document}-${row.toLowerCase()}`;

export const replaySlugs = (replays: Replays): string[] =>
  replays.rows.map((r) => replaySlug(r.document, r.id));

/** What every row must be, before anything is computed. */
function wrongShape(row: GalleryRow, keys: ReadonlySet<string>, metrics: ReadonlySet<string>) {
  const wrong: string[] = [];
  if (!kSlug.test(row.slug)) wrong.push('the slug must be lower-case words joined by hyphens');
  for (const key of Object.keys(row))
    if (!kKnown.includes(key)) wrong.push(`${key} is not a member of a row`);
  if (!row.description?.trim()) wrong.push('it has no description');
  if (!isView(row.view)) wrong.push(`${row.view} is not a view of the embed`);
  for (const key of row.edit ?? [])
    if (!keys.has(key)) wrong.push(`${key} in edit is not a key of links`);
  for (const id of row.numbers ?? [])
    if (!metrics.has(id)) wrong.push(`${id} in numbers is not a metric`);
  return wrong;
}

/**
 * The entries with their answers. Throws one error with all that is wrong: each line names the row, what
 * is wrong and how it should be.
 */
export function readGallery(
  rows: readonly GalleryRow[],
  schema: Schema,
  taken: readonly string[],
  estimate: (link: string) => Answer,
): Entry[] {
  const keys = new Set(schema.fields.map((f) => f.key));
  const metrics = new Set(schema.metrics.map((m) => m.id));
  const slugs = new Set(taken);
  const wrong: string[] = [];
  const entries = rows.flatMap((row) => {
    const about = wrongShape(row, keys, metrics);
    if (slugs.has(row.slug)) about.push('another page has this slug');
    slugs.add(row.slug);
    const example = schema.examples.find((e) => e.id === row.slug);
    const title = row.title ?? example?.title;
    const link = row.link ?? example?.link;
    if (!title || !link)
      about.push('without a title and a link, the slug must be that of an example');
    const answer = link ? estimate(link) : undefined;
    if (answer && answer.link !== link)
      about.push(`the link is not canonical; it is ${answer.link}`);
    for (const p of answer?.problems ?? [])
      if (p.severity !== 'note') about.push(`${p.path}: ${p.message} ${p.hint}`);
    for (const id of row.numbers ?? [])
      if (metrics.has(id) && answer && !answer.steps.some((s) => s.id === id))
        about.push(`${id} in numbers does not apply to this scenario`);
    wrong.push(...about.map((w) => `gallery.json, ${row.slug}: ${w}`));
    if (!title || !link || !answer) return [];
    return [{ ...row, title, link, edit: row.edit ?? [], answer }];
  });
  for (const e of schema.examples)
    if (!rows.some((r) => r.slug === e.id))
      wrong.push(`gallery.json: the example ${e.id} has no row`);
  if (wrong.length) throw new Error(wrong.join('\n'));
  return entries;
}
