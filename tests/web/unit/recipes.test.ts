// SPDX-License-Identifier: MIT
// What the recipes name must be there.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { kViews } from '../../../web/src/embed/views';

const folder = resolve(import.meta.dirname, '../../../docs/recipes');
const files = readdirSync(folder).filter((name) => name.endsWith('.md'));
const text = (name: string) => readFileSync(join(folder, name), 'utf8');

test('the index lists every recipe', () => {
  const listed = [...text('README.md').matchAll(/\]\(([\w-]+\.md)\)/g)].map(([, name]) => name);
  expect(listed.sort()).toEqual(files.filter((name) => name !== 'README.md'));
});

test.each(files)('links of %s lead somewhere', (name) => {
  const links = [...text(name).matchAll(/\]\((?!https?:|#)([^)\s]+)\)/g)].map(([, link]) => link);
  const prose = links.filter((link) => link !== 'envelope.png'); // a picture of the reader's own
  for (const link of prose)
    expect(existsSync(join(dirname(join(folder, name)), String(link))), link).toBe(true);
});

test.each(files.filter((name) => name !== 'README.md'))('%s says what was tried', (name) => {
  expect(text(name)).toMatch(/^\*\*Tried:\*\* /m);
});

test('the heights of plain frames are those of the views', () => {
  const heights = Object.entries(kViews).map(([view, { narrow }]) => `${view} ${narrow}`);
  expect(text('jupyter.md')).toContain(`${heights.join(', ')}.`);
});
