// SPDX-License-Identifier: MIT
// What the panels of the share dialog work with.
import type { Answer } from '../api';
import { factsOf, type Facts } from '../facts';
import { updating, type Embedding } from '../snippets';
import { here, isFrozen } from '../surroundings';
import type { ViewName } from '../embed/views';
import type { Tables } from '../view';

export interface Host extends Tables {
  answer: Answer;
  /** The link of the scenario and of those it is compared with. */
  whole: string;
  /** Some input is refused, and what is shown is the last good answer. */
  stale: boolean;
  /** What the core makes of a link or of a patch. */
  read(text: string): Promise<Answer | undefined>;
  /** Shows a scenario in place of the present one. */
  use(answer: Answer): void;
  /** Another kind of text was pasted: the config.json of a model. */
  importFile(file: File): void;
}

/** What follows the newest data, the newest formulas, or neither. */
export type Keep = 'data' | 'nothing' | 'all';

export interface Choices {
  keep: Keep;
  view: ViewName;
  theme: NonNullable<Embedding['theme']>;
  edit: ReadonlySet<string>;
}

export interface Share {
  host: Host;
  facts: Facts;
  /** The root of the site, where the newest release is. */
  home: string;
  choices: Choices;
  set(change: Partial<Choices>): void;
}

/** Who opened a release that stays as it was wants that one. */
export const firstChoices = (): Choices => ({
  keep: isFrozen() ? 'all' : 'data',
  view: 'card',
  theme: 'auto',
  edit: new Set(),
});

const folderOf = (href: string): string => (href.split(/[?#]/)[0] ?? '').replace(/[^/]*$/, '');

/** The root of the site: a page of a frozen release lies below it. */
export function homeOf(href: string): string {
  return folderOf(href).replace(/r\/\d[^/]*\/$/, '');
}

export function create(by: Host, home: string, choices: Choices, set: Share['set']): Share {
  return { host: by, facts: factsOf(by, by.answer), home, choices, set };
}

/** Not in the file that works alone: beside it are no other pages. */
export const isOnSite = (): boolean => here() === location.href;

function linkOf(share: Share): string {
  const link = share.host.whole;
  return share.choices.keep === 'nothing' ? updating(link) : link;
}

const rootOf = ({ host, home, choices }: Share): string =>
  choices.keep === 'all' ? `${home}r/${host.answer.version}/` : home;

export const urlOf = (share: Share): string => `${rootOf(share)}#${linkOf(share)}`;

/** What texts cite: of a frozen release that one, since the newest may have other numbers. */
export const citedRoot = ({ home }: Share): string => (isFrozen() ? folderOf(here()) : home);

/** The address that texts name: with its data, so that the numbers in the text stay true. */
export const citedUrl = (share: Share): string => `${citedRoot(share)}#${share.host.answer.link}`;

/** A name for files: `llama-3.1-405b-16384-nvidia-h100`. */
export function nameOf({ facts }: Share): string {
  const name = facts.title.toLowerCase().replace(/[^a-z0-9.]+/g, '-');
  return name.replace(/^[-.]+|[-.]+$/g, '').slice(0, 60) || 'envelope';
}
