// SPDX-License-Identifier: MIT
// What is built for each page below s/: its words, its head, its picture and its oEmbed answer.
import type { Answer, ReplayRow, Replays, Schema } from './api';
import { cardSvg, drawCard, kTaskNames, type CardContent } from './card';
import { fact, factsOf, type Fact, type Facts } from './facts';
import type { MetricId } from './types.generated';
import { readGallery, replaySlug, replaySlugs, type Entry, type GalleryRow } from './gallery';
import { metaTags, oembed, webPage } from './meta';
import { ours } from './replays';
import { entryPage, galleryPage, replayPage } from './shelf';
import type { Embedding } from './snippets';
import { tables, type Tables } from './view';

/** A page before its templates are text. */
export interface Draft {
  path: string;
  title: string;
  description: string;
  main: unknown;
  /** For the head, as HTML. */
  head: string;
  /** The picture beside it. */
  card?: string;
  oembed?: unknown;
}

const kCard = 'card.png';
const kMostPairs = 4;
const kSaid = 2; // figures in a description

function addresses(home: string, slug: string) {
  const url = `${home}s/${slug}/`;
  return { url, image: `${url}${kCard}`, oembed: `${url}oembed.json` };
}

/** A place on the card: the address without what every address has. */
const place = (home: string): string => home.replace(/^https?:\/\/|\/$/g, '');

/** The numbers that the entry is about: its own choice, or none. */
const chosenBy = (t: Tables, { answer, numbers = [] }: Entry): Fact[] =>
  numbers.map((id) => fact(t, answer, id as MetricId)).filter((f) => f !== null);

/** With the entry's own numbers before the key numbers of the task. */
function factsBy(t: Tables, entry: Entry): Facts {
  const of = factsOf(t, entry.answer);
  const first = chosenBy(t, entry);
  const rest = of.rows.filter((r) => !first.some((f) => f.id === r.id));
  return { ...of, rows: [...first, ...rest] };
}

/** What a page below s/ says of itself, whatever it shows. */
interface Told {
  slug: string;
  title: string;
  description: string;
  /** Of the picture. */
  alt: string;
  of: Facts;
  options: Embedding;
  main: unknown;
  card: string;
  /** For search engines, where it differs from what people see. */
  data: Pick<Parameters<typeof webPage>[0], 'facts' | 'basedOn'> & { description?: string };
}

function draft(told: Told): Draft {
  const { slug, title, description, alt, of, options, main, card, data } = told;
  const { home } = options;
  const { url, image, oembed: answerAt } = addresses(home, slug);
  return {
    path: `s/${slug}/`,
    title,
    description,
    main,
    card,
    oembed: oembed(of, title, image, options),
    head: metaTags({
      title,
      description,
      url,
      image,
      alt: `${title}: ${alt}`,
      oembed: answerAt,
      data: webPage({
        url,
        title,
        description,
        image,
        home,
        month: of.d,
        version: of.version,
        ...data,
      }),
    }),
  };
}

function entryDraft(t: Tables, entry: Entry, of: Facts, home: string): Draft {
  const { slug, title, description: about, view, edit, answer } = entry;
  const chosen = chosenBy(t, entry);
  const options: Embedding = { home, view, edit };
  const first = chosen.map((f) => `${f.label}: ${f.text}.`).join(' ');
  const sentence = `${first} ${of.sentence}`.trim();
  const description = `${sentence} ${of.verdict.text}`;
  return draft({
    slug,
    title,
    description,
    alt: of.sentence,
    of,
    options,
    main: entryPage(t, entry, of, sentence, options),
    card: cardSvg(of, answer, t, {
      title,
      numbers: chosen.length ? chosen : undefined,
      place: place(home),
    }),
    data: { description: `${about} ${description}`, facts: of.rows },
  });
}

/** The first figures as a sentence: what the document says and what comes out here. */
function said(row: ReplayRow): string {
  const figures = row.items.filter((i) => i.value !== null && i.expected !== null);
  const list = (figures.length ? figures : row.items.filter((i) => i.value !== null)).slice(
    0,
    kSaid,
  );
  return list
    .map((i) =>
      i.expected === null
        ? `${i.label}: ${ours(i)} with Envelope.`
        : `${i.label}: ${i.figure} in the document, ${ours(i)} with Envelope.`,
    )
    .join(' ');
}

/** On the card: the first figures, and one that differs where there is one. */
function pairsOf(row: ReplayRow): CardContent['pairs'] {
  const having = row.items.filter((i) => i.value !== null);
  const figures = having.filter((i) => i.expected !== null);
  const list = (figures.length ? figures : having).slice(0, kMostPairs);
  const other = figures.find((i) => i.verdict === 'explained');
  if (other && !list.includes(other)) list[kMostPairs - 1] = other;
  return {
    theirs: 'Document',
    ours: 'Envelope',
    rows: list.map((i) => ({
      label: i.label,
      theirs: i.figure,
      ours: ours(i),
    })),
  };
}

function tallied(row: ReplayRow): CardContent['verdict'] {
  const count = (verdict: string) => row.items.filter((i) => i.verdict === verdict).length;
  const [same, explained, added] = ['same', 'explained', 'added'].map(count) as [
    number,
    number,
    number,
  ];
  const parts = [
    same ? `${same} the same` : '',
    explained ? `${explained} explained` : '',
    added ? `${added} added` : '',
  ].filter(Boolean);
  return {
    severity: same === row.items.length ? 'good' : 'info',
    text: `${row.items.length === 1 ? '1 figure' : `${row.items.length} figures`}: ${parts.join(', ')}.`,
  };
}

function replayDraft(
  t: Tables,
  replays: Replays,
  row: ReplayRow,
  answer: Answer,
  home: string,
): Draft {
  const document = replays.documents.find((d) => d.id === row.document);
  if (!document) throw new Error(`replay ${row.id} has no document`);
  const of = factsOf(t, answer);
  const options: Embedding = { home };
  const description = said(row);
  return draft({
    slug: replaySlug(document.id, row.id),
    title: `${row.title} (${row.id} of “${document.title}”)`,
    description,
    alt: description,
    of,
    options,
    main: replayPage(t, replays, row, answer, of, options),
    card: drawCard({
      eyebrow: `Replay ${row.id}`,
      title: row.title,
      lead: `From “${document.title}”`,
      pairs: pairsOf(row),
      verdict: tallied(row),
      month: `Data ${of.d} · Envelope ${of.version}`,
      place: place(home),
    }),
    data: {
      facts: row.items.flatMap((i) =>
        i.value === null ? [] : [{ id: i.metric, label: i.label, value: i.value, unit: i.unit }],
      ),
      basedOn: { name: document.title, author: document.author, url: document.url },
    },
  });
}

/** The picture of the site itself: the first example, under the site's own title. */
export function siteCard(schema: Schema, answer: Answer, home: string): string {
  const t = tables(schema);
  const of = factsOf(t, answer);
  return cardSvg(of, answer, t, {
    title: 'FLOPs, memory, GPUs, time and cost of LLMs',
    eyebrow: schema.examples[0]?.title ?? kTaskNames[of.task],
    place: place(home),
  });
}

export function drafts(
  schema: Schema,
  replays: Replays,
  rows: readonly GalleryRow[],
  estimate: (link: string) => Answer,
  home: string,
): Draft[] {
  const t = tables(schema);
  const entries = readGallery(rows, schema, replaySlugs(replays), estimate).map((entry) => ({
    entry,
    of: factsBy(t, entry),
  }));
  const title = 'Gallery';
  const description = `${entries.length} scenarios that people quote and ${replays.rows.length} calculations of four documents, each with its numbers, sources and a live embed.`;
  const index: Draft = {
    path: 's/',
    title,
    description,
    main: galleryPage(entries, replays),
    head: metaTags({
      title,
      description,
      url: `${home}s/`,
      image: `${home}${kCard}`,
      alt: description,
    }),
  };
  return [
    index,
    ...entries.map(({ entry, of }) => entryDraft(t, entry, of, home)),
    ...replays.rows.map((row) => {
      const first = row.items[0];
      if (!first) throw new Error(`replay ${row.id} has no figure`);
      return replayDraft(t, replays, row, estimate(first.link), home);
    }),
  ];
}

/** For search engines. */
export const sitemap = (home: string, paths: readonly string[]): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
    ...paths.map((path) => `  <url><loc>${home}${path}</loc></url>`),
    '</urlset>',
    '',
  ].join('\n');
