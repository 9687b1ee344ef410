// SPDX-License-Identifier: MIT
// The table of constants in the docs is of the constants in the core, and they are few.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { document, members } from './constants.mjs';

const root = new URL('../../', import.meta.url);
const text = (name) => readFileSync(new URL(name, root), 'utf8');

test('docs/constants.md has the present values', () => {
  assert.equal(text('docs/constants.md'), document());
});

test('every number of the physics is in the table', () => {
  const header = text('core/envelope/physics.h');
  const found = members(header, 'Physics');
  const numbers = header.replace(/\/\/.*/g, '').match(/=\s*[-\d.e]+/g);
  assert.equal(found.length, numbers.length);
  for (const { name, value, meaning } of found) {
    assert.match(value, /^[-\d.e]+$/, name);
    assert.ok(meaning, `${name} has no meaning`);
  }
});

test('a device has at most six constants and a framework at most four', () => {
  for (const [file, prefix, most] of [
    ['core/catalog/accelerators.json', 'gpu.reach', 6],
    ['core/catalog/stacks.json', 'stack.', 4],
  ]) {
    const list = JSON.parse(text(file));
    const fitted = prefix === 'gpu.reach' ? [] : ['overhead', 'overlap', 'attention', 'launch'];
    for (const row of list.rows ?? list) {
      const count = Object.keys(row.set).filter(
        (path) =>
          path.startsWith(prefix) && (!fitted.length || fitted.includes(path.slice(prefix.length))),
      ).length;
      assert.ok(count <= most, `${row.id}: ${count}`);
    }
  }
});
