// SPDX-License-Identifier: MIT
// From a text to a scenario: a link however mangled, HTML or prose with a link in it, a patch, or what
// this page gave away as JSON. The core decodes; here is only found where the link may be.
import type { Answer, Problem } from '../api';

const kLongest = 200_000; // characters looked at; the core reads the first 65,536 bytes of a link

/** `hidden_size` and the like: the config.json of a model, which another dialog reads. */
export function isConfig(text: string): boolean {
  return (
    /^\s*\{/.test(text) && /"(architectures|model_type|hidden_size|n_embd|d_model)"/.test(text)
  );
}

function fromJson(text: string): string[] {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== 'object' || found === null) return [];
    const { scenario, patch } = found as Record<string, unknown>;
    const inner = scenario ?? patch;
    return [JSON.stringify(typeof inner === 'object' && inner !== null ? inner : found)];
  } catch {
    return [text]; // the core says what is wrong with it
  }
}

/** Texts to try, the likeliest first. */
export function candidates(text: string): string[] {
  const all = text.slice(0, kLongest).trim();
  if (all === '') return [];
  if (all.startsWith('{')) return fromJson(all);
  const words = all.split(/[\s"'<>()[\]]+/).filter((word) => word.includes('='));
  const inside = words.sort((a, b) => likeness(b) - likeness(a))[0];
  const joined = all // broken into lines, and quoted, by a mail program
    .split(/[\r\n]+/)
    .map((line) => line.replace(/^[>\s]+/, '').trimEnd())
    .join('');
  // To the core a text that begins with a bracket is JSON; here it is a link in Markdown.
  return [...new Set([all, inside ?? all, joined].map((t) => t.replace(/^\[+/, '')))];
}

/** How much a word looks like an address of a scenario. */
const likeness = (word: string): number =>
  (/[#?&]v=\d/.test(word) ? 2 : 0) + (/^https?:/.test(word) ? 1 : 0) + (word.includes('&') ? 1 : 0);

export interface Opened {
  answer: Answer;
  /** How many inputs the text sets. */
  used: number;
  /** Whether it is a scenario at all. */
  named: boolean;
  problems: Problem[];
}

const isWorse = (a: Opened, b: Opened): boolean =>
  a.used !== b.used ? a.used < b.used : a.problems.length > b.problems.length;

/** Asks the core about each candidate and keeps the one of which it can use most. */
export async function understand(
  text: string,
  read: (text: string) => Promise<Answer | undefined>,
): Promise<Opened | null> {
  let best: Opened | null = null;
  for (const candidate of candidates(text)) {
    const answer = await read(candidate);
    if (!answer) return null; // overtaken by a newer text
    const used = Object.keys(answer.patch).length;
    const named = used > 0 || /(^|[#?&])v=\d/.test(candidate); // a link may say: all as by default
    const found = { answer, used, named, problems: answer.problems.filter((p) => !isAdvice(p)) };
    if (!best || isWorse(best, found)) best = found;
    if (named && found.problems.length === 0) break;
  }
  return best;
}

const isAdvice = (p: Problem): boolean => p.severity === 'note';
