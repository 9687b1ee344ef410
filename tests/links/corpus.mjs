// SPDX-License-Identifier: MIT
// links.tsv outside of the native tests (link_corpus_test.cpp): Node and browsers hold to it too.
import { readFileSync } from 'node:fs';

// As natively: wider than the last place, in which pow, exp and log differ between machines.
const kTolerance = 1e-9;

/** What was sent, what it must be rewritten to, and [metric, value] three times. */
export const corpus = readFileSync(new URL('links.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [raw, canonical, ...outputs] = line.split('\t');
    return { raw, canonical, outputs: outputs.map((text) => text.split('=')) };
  });

/** Where the answer to `raw`, a text, is not what the corpus says. */
export function differences({ canonical, outputs }, text) {
  const { link, steps } = JSON.parse(text);
  const values = new Map(steps.map(({ id, value }) => [id, value]));
  const wrong = outputs
    .map(([id, expected]) => [id, Number(expected), values.get(id)])
    .filter(([, a, b]) => !(Math.abs(a - b) <= kTolerance * Math.abs(a)))
    .map(([id, expected, found]) => `${id} is ${found}, not ${expected}`);
  return link === canonical ? wrong : [`the link is ${link}, not ${canonical}`, ...wrong];
}
