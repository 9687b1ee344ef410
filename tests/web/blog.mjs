// SPDX-License-Identifier: MIT
// The demonstration blog: Hugo, the recipe's own shortcodes, and what the post must say.
//   node blog.mjs            writes the texts of the embeds anew, from the core
//   node blog.mjs serve      builds it and serves it beside the site
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { serve } from './serve.mjs';
import { kSite } from './site.mjs';

const root = resolve(import.meta.dirname, '../..');
const source = join(import.meta.dirname, 'blog');
const post = join(source, 'content/posts/how-many-gpus.md');
export const kPost = 'posts/how-many-gpus/';

const kEmbed = /\{\{< llm-envelope ([^>]*)>\}\}\n(.*?)\{\{< \/llm-envelope >\}\}/gs;
const kLink = /\{\{< llm-envelope-link "([^"]*)" "([^"]*)" >\}\}(.*?)\{\{< \/llm-envelope-link >\}\}/gs;
const attributes = (text) =>
  Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));

/** What the post says, without its embeds and with its links as words. */
export function read() {
  const text = readFileSync(post, 'utf8');
  return {
    embeds: [...text.matchAll(kEmbed)].map(([, words, inner]) => ({ ...attributes(words), inner })),
    links: [...text.matchAll(kLink)].map(([, id, link, words]) => ({ id, link, words })),
    prose: text.replace(kEmbed, '').replace(kLink, '$3').replace(/\s+/g, ' '),
  };
}

/** The text of an embed without its link, which the shortcode writes. */
export async function fallback(link) {
  const { load } = await import('../../build/npm/node.js');
  const text = (await load()).embed(link, { home: 'https://example.org/', as: 'text' });
  return `${text.replace(/ <a [^>]*>[^<]*<\/a> \([^)]*\)/, '')}\n`;
}

async function write() {
  let text = readFileSync(post, 'utf8');
  for (const { link, inner } of read().embeds) {
    const at = text.indexOf(`link="${link}" >}}\n`) + `link="${link}" >}}\n`.length;
    text = text.slice(0, at) + (await fallback(link)) + text.slice(at + inner.length);
  }
  writeFileSync(post, text);
}

/** Builds the blog for the two addresses, with the shortcodes as the recipe has them. */
export function build(address, home, to) {
  const work = mkdtempSync(join(tmpdir(), 'envelope-blog-'));
  cpSync(source, work, { recursive: true });
  cpSync(join(root, 'docs/recipes/hugo/layouts'), join(work, 'layouts'), { recursive: true });
  execFileSync(process.env.HUGO ?? 'hugo', ['--quiet', '--baseURL', address, '--destination', to], {
    cwd: work,
    env: { ...process.env, HUGO_PARAMS_ENVELOPE: home },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  rmSync(work, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === 'serve') {
    const { url: home } = await serve(kSite);
    const to = join(root, 'build/blog-site');
    const { url } = await serve(to, { port: 8124 });
    build(url, home, to);
    console.log(`The blog is at ${url}, Envelope at ${home} (Ctrl-C stops both)`);
  } else await write();
}
