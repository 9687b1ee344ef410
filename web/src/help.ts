// SPDX-License-Identifier: MIT
// Help texts and citations: not in the core that the first view loads, put into its tables later.
import type { Schema, Source } from './api';

export interface Texts {
  fields: Readonly<Record<string, string>>;
  metrics: Readonly<Record<string, { help: string; source: string[] }>>;
  sources: Readonly<Record<string, Source>>;
}

/** What the built page says already: the help of the inputs that are not folded away. */
export function builtTexts(page: ParentNode): Texts {
  const fields: Record<string, string> = {};
  for (const p of page.querySelectorAll('p.help[id^="h-"]'))
    fields[p.id.slice(2)] = p.textContent ?? '';
  return { fields, metrics: {}, sources: {} };
}

/** The tables with what is known of their texts. */
export function withTexts(schema: Schema, texts: Texts): Schema {
  return {
    ...schema,
    fields: schema.fields.map((f) => ({ ...f, help: texts.fields[f.path] ?? '' })),
    metrics: schema.metrics.map((m) => ({
      ...m,
      ...(texts.metrics[m.id] ?? { help: '', source: [] }),
    })),
    sources: { ...texts.sources },
  };
}
