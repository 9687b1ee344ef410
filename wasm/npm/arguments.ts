// SPDX-License-Identifier: MIT
// What callers pass, looked at: a wrong type throws, with what to pass instead.
import type { Schema } from '../../web/src/api';
import { kViews } from '../../web/src/embed/views';
import type { Embedding } from '../../web/src/snippets';

const said = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`;
};

export function wrong(call: string, wants: string, got: unknown): never {
  throw new TypeError(`${call} takes ${wants}, not ${said(got)}.`);
}

export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const kScenario =
  "a link such as 'model=gpt2&n=8' or a patch such as { 'model.id': 'gpt2', 'cluster.gpus': 8 }";

/** JSON has no NaN and no infinity; as texts they come back as problems of their fields. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'number' && !Number.isFinite(v) ? String(v) : v,
  );

/** The core takes both forms as text. */
export function textOfScenario(call: string, scenario: unknown): string {
  if (scenario === undefined) return '';
  if (typeof scenario === 'string') return scenario;
  if (!isObject(scenario)) wrong(call, kScenario, scenario);
  for (const [path, value] of Object.entries(scenario))
    if (!['number', 'string', 'boolean'].includes(typeof value))
      throw new TypeError(
        `${call}: the value of ${path} must be a number, a text or true or false, not ${said(value)}.`,
      );
  return jsonOf(scenario);
}

function isWeb(home: string): boolean {
  try {
    return /^https?:$/.test(new URL(home, 'https://a/').protocol); // also one below the page's own
  } catch {
    return false;
  }
}

const kForms = ['element', 'frame', 'text'] as const;
const kThemes = ['auto', 'light', 'dark'] as const;
const kEmbed = new Set(['home', 'view', 'edit', 'theme', 'id', 'as']);

/** The options of embed(), each looked at: what is wrong in them would show on someone's page. */
export function embeddingOf(
  schema: Schema,
  options: unknown,
): [Embedding, (typeof kForms)[number]] {
  const refuse = (wants: string, got: unknown) => wrong('embed()', wants, got);
  if (!isObject(options)) refuse("options such as { home: 'https://example.org/' }", options);
  const { home, view, edit, theme, id, as = 'element' } = options as Record<string, unknown>;
  const unknown = Object.keys(options as object).find((name) => !kEmbed.has(name));
  if (unknown) refuse(`the options ${[...kEmbed].join(', ')}`, unknown);
  if (typeof home !== 'string' || !/^[^?#]*\/$/.test(home) || !isWeb(home))
    refuse("{ home }, an address of http or https that ends in '/'", home);
  const among = (name: string, list: readonly string[], value: unknown) => {
    if (value !== undefined && !list.includes(value as string))
      refuse(`{ ${name} }, one of ${list.join(', ')}`, value);
  };
  among('view', Object.keys(kViews), view);
  among('theme', kThemes, theme);
  among('as', kForms, as);
  if (id !== undefined && !(typeof id === 'string' && /^\S+$/.test(id)))
    refuse('{ id }, a text without spaces', id);
  const key = "{ edit }, an array of link keys such as ['n', 'batch']";
  if (edit !== undefined && !Array.isArray(edit)) refuse(key, edit);
  const keys = new Set(schema.fields.map((f) => f.key));
  for (const one of (edit ?? []) as unknown[]) if (!keys.has(one as string)) refuse(key, one);
  return [{ home, view, edit, theme, id } as Embedding, as as (typeof kForms)[number]];
}
