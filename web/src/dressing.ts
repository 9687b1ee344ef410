// SPDX-License-Identifier: MIT
// Styles that come with a part of the page that is loaded later; undressed it would flash.
const worn = new Map<string, Promise<unknown>>();

/** Resolves when the sheet is there. Empty: in the page already, as in the file that works alone. */
export function dress(sheet: string): Promise<unknown> {
  const known = worn.get(sheet);
  if (known || sheet === '') return known ?? Promise.resolve();
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = sheet;
  const loaded = new Promise((done) => (link.onload = link.onerror = done));
  worn.set(sheet, loaded);
  document.head.append(link);
  return loaded;
}
