// SPDX-License-Identifier: MIT
// What an embed is asked to show: the words of its address, or of the element's attributes. Pure.
import { isView, type ViewName } from './views';

export type Theme = 'auto' | 'light' | 'dark';

export interface Request {
  /** For the core, without the words of an embed; empty where there is nothing for it. */
  link: string;
  view: ViewName;
  theme: Theme;
  /** The keys that the reader may change; null where nothing is said. */
  edit: string[] | null;
  /** WordPress tells frames apart by it. */
  secret: string;
  /** What could not be understood, in words. */
  notices: string[];
}

export const kLongest = 20_000; // characters of a link that are looked at
const kMostEdits = 12;
const kMostSecret = 64;
const kThemes: readonly string[] = ['auto', 'light', 'dark'] satisfies Theme[];

/**
 * Without its mark, and cut where nothing of ours follows: WordPress appends `#?secret=...`, others
 * `?utm_source=...`. The core would take that for the link.
 */
export function linkText(text: string): string {
  return text
    .slice(0, kLongest)
    .replace(/^[#?]+/, '')
    .replace(/(#(?!x?[\da-f]+;)|\?)[^]*/i, ''); // `&#38;` is no mark
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % is no encoding
  }
}

/** The name of the embed's own words, empty for those of the core; HTML may have left `&amp;`. */
const nameOf = (pair: string): string =>
  /^(?:amp;)?(view|edit|theme|secret)=/i.exec(pair)?.[1]?.toLowerCase() ?? '';

const plain = (text: string): string => (text.includes('=') ? text : decoded(text));

/** The words of an embed in a link. The last of each counts. */
const words = (text: string): Map<string, string> =>
  new Map(
    plain(text)
      .split(/[&#?]/)
      .map((pair) => [nameOf(pair), decoded(pair.slice(pair.indexOf('=') + 1))]),
  );

/** What is left of a link without them. */
const ofCore = (text: string): string =>
  plain(text)
    .split('&')
    .filter((pair) => pair !== '' && !nameOf(pair))
    .join('&');

const shortened = (text: string): string => (text.length > 24 ? `${text.slice(0, 24)}…` : text);

/** `own` are attributes of an element; they win over the link. */
export function requestOf(
  text: string,
  own: { [name in 'view' | 'edit' | 'theme']?: string | null } = {},
): Request {
  const said = words(text.slice(0, kLongest));
  const notices: string[] = [];
  const word = (name: 'view' | 'edit' | 'theme') => (own[name] ?? said.get(name))?.trim();
  const view = word('view')?.toLowerCase();
  const theme = word('theme')?.toLowerCase();
  if (view && !isView(view)) notices.push(`There is no view “${shortened(view)}”.`);
  if (theme && !kThemes.includes(theme)) notices.push(`There is no theme “${shortened(theme)}”.`);
  const list = word('edit');
  const edit = list?.split(/[,\s]+/).filter(Boolean) ?? null;
  if (edit && edit.length > kMostEdits)
    notices.push(`No more than ${kMostEdits} inputs can be edited.`);
  if (text.length > kLongest) notices.push('The link is too long; its end was not read.');
  return {
    link: ofCore(linkText(text)),
    view: view && isView(view) ? view : 'card',
    theme: theme && kThemes.includes(theme) ? (theme as Theme) : 'auto',
    edit: edit && [...new Set(edit)].slice(0, kMostEdits),
    secret: /^[\w-]+$/.test(said.get('secret') ?? '')
      ? (said.get('secret') as string).slice(0, kMostSecret)
      : '',
    notices,
  };
}

/** What an address says: its fragment, or the query where a platform dropped the fragment. */
export function said({ hash, search }: { hash: string; search: string }): string {
  const own = hash.replace(/[#?&]secret=[\w-]*/g, ''); // of WordPress alone
  if (/=|%3D/i.test(own)) return hash;
  return search.length > 1 ? search + hash : hash;
}
