// SPDX-License-Identifier: MIT
// Every module opens the links that were ever shared, and shows what they showed.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { corpus, differences } from '../links/corpus.mjs';
import { load, load_page, load_single } from './module.mjs';

const modules = {
  'the whole module': load,
  'the single file': load_single,
  'the page’s modules': async () => {
    const [page, rare] = await Promise.all(['page', 'rare'].map(load_page));
    // As the worker does: what the first cannot solve for, the second can.
    return { estimate: (link) => page.estimate(link) || rare.estimate(link) };
  },
  'the embed’s module': () => load_page('embed'),
};

for (const [name, get] of Object.entries(modules))
  test(`${name} opens all links of the corpus`, async () => {
    const module = await get();
    assert.ok(corpus.length >= 60);
    for (const row of corpus) {
      assert.equal(row.outputs.length, 3, row.raw);
      assert.deepEqual(differences(row, module.estimate(row.raw)), [], row.raw);
    }
  });

test('a difference would be seen', async () => {
  const module = await load();
  const [row, other] = [corpus[0], corpus.at(-1)];
  const text = module.estimate(row.raw);
  const [id, value] = row.outputs[0];
  assert.equal(differences({ ...row, canonical: other.canonical }, text).length, 1);
  assert.equal(differences({ ...row, outputs: [[id, value * (1 + 1e-8)]] }, text).length, 1);
  assert.equal(differences({ ...row, outputs: [['no.such', 1]] }, text).length, 1);
});
