// SPDX-License-Identifier: MIT

/** Light text means a dark page, whatever the system prefers and whatever the page declares. */
export function themeOf(element: Element): 'light' | 'dark' {
  const { color } = getComputedStyle(element);
  const [a = 0, b = 0, c = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  const lightness = /^ok/.test(color)
    ? a
    : /^l/.test(color)
      ? a / 100
      : (a + b + c) / (/^rgb/.test(color) ? 765 : 3);
  return lightness > 0.6 ? 'dark' : 'light';
}
