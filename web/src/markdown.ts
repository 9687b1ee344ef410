// SPDX-License-Identifier: MIT
// Links and pictures in Markdown, of any dialect: nothing in a text or an address is taken for markup.

/** What would end the text of a link, or begin something else in it; `$` and `~` in some dialects. */
const plain = (text: string): string =>
  text.replace(/[\u0000- \u007f]+/g, ' ').replace(/[\\`*_{}[\]<>|~$&!]/g, '\\$&');

/** An address ends at a space or a bracket there. */
const target = (address: string): string =>
  address.replace(/[\s()<>\\]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

export const markdownLink = (text: string, address: string): string =>
  `[${plain(text)}](${target(address)})`;

/** For places without frames and HTML: a picture that is a link. `image` is its address. */
export const markdownImage = (text: string, image: string, address: string): string =>
  `[![${plain(text)}](${target(image)})](${target(address)})`;
