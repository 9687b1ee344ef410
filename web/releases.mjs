// SPDX-License-Identifier: MIT
// Releases that stay as they were: r/VERSION/ below the site, and a branch of git that holds them all.
//   node releases.mjs freeze SITE          copies the site into SITE/r/VERSION/
//   node releases.mjs collect SITE FROM    puts the releases of FROM below SITE: a folder, or a branch
//   node releases.mjs append SITE BRANCH   commits SITE/r/VERSION/ to BRANCH, which is made if need be
// What was published under a version is never replaced by something else.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const kFolder = 'r';
const kVersion = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** The version that the built site says it is. */
export function versionOf(site) {
  const html = readFileSync(join(site, 'index.html'), 'utf8');
  const version = /"softwareVersion":"([^"]+)"/.exec(html)?.[1] ?? '';
  if (!kVersion.test(version)) throw new Error(`${site}/index.html says no version`);
  return version;
}

const filesOf = (folder) =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

/** The first file in which two folders differ, or nothing. */
export function difference(a, b) {
  const [left, right] = [filesOf(a), filesOf(b)];
  const one = new Set(left);
  const other = new Set(right);
  return (
    left.find((name) => !other.has(name)) ??
    right.find((name) => !one.has(name)) ??
    left.find((name) => !readFileSync(join(a, name)).equals(readFileSync(join(b, name))))
  );
}

/** Copies a release; one that is there must be the same. */
function put(from, to, version) {
  if (!existsSync(to)) return cpSync(from, to, { recursive: true });
  const name = difference(from, to);
  if (name)
    throw new Error(
      `Release ${version} is published already, and its ${name} is another. ` +
        'What is published stays as it is: give the new build a new version.',
    );
}

const versionsIn = (folder) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => kVersion.test(name)) : [];

/** Pages of a frozen release lead to the newest in place of themselves. */
const toNewest = (version) => (html) =>
  html.replace(
    new RegExp(`<a href="((?:\\.\\./)*)${kFolder}/${version}/"[^>]*>[^<]*</a\\s*>`, 'g'),
    (_, root) => `${version} (<a href="${root}../../">the newest</a>)`,
  );

export function freeze(site) {
  const version = versionOf(site);
  const to = join(site, kFolder, version);
  rmSync(to, { recursive: true, force: true });
  for (const name of readdirSync(site))
    if (name !== kFolder) cpSync(join(site, name), join(to, name), { recursive: true });
  const change = toNewest(version);
  for (const name of filesOf(to).filter((file) => /(^|\/)index\.html$/.test(file))) {
    const file = join(to, name);
    const html = change(readFileSync(file, 'utf8'));
    if (html.includes(`${kFolder}/${version}/"`))
      throw new Error(`${name} of the frozen copy still leads to itself`);
    writeFileSync(file, html);
  }
  return version;
}

/** Works in a checkout of `branch`, beside the one that we are in. */
function inBranch(branch, work) {
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  const there = mkdtempSync(join(tmpdir(), 'releases-'));
  const known = (name) => {
    try {
      return git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
    } catch {
      return '';
    }
  };
  const at = known(`refs/heads/${branch}`) || known(`refs/remotes/origin/${branch}`);
  try {
    git('worktree', 'add', '--detach', ...(at ? [there, at] : ['--no-checkout', there]));
    const inside = (...args) => git('-C', there, ...args);
    if (!at) {
      // The first release: a branch without the sources and without their history.
      inside('checkout', '--orphan', `${branch}-new`);
      inside('rm', '-r', '-q', '--cached', '--ignore-unmatch', '.');
    }
    return work(there, inside, git);
  } finally {
    git('worktree', 'remove', '--force', there);
    rmSync(there, { recursive: true, force: true });
    if (!at && known(`refs/heads/${branch}-new`)) git('branch', '-D', `${branch}-new`);
  }
}

const hasBranch = (name) => {
  for (const ref of [`refs/heads/${name}`, `refs/remotes/origin/${name}`])
    try {
      execFileSync('git', ['rev-parse', '--verify', '--quiet', ref], { stdio: 'pipe' });
      return true;
    } catch {
      // The next one.
    }
  return false;
};

function collectFolder(site, from) {
  const versions = versionsIn(join(from, kFolder));
  for (const version of versions)
    put(join(from, kFolder, version), join(site, kFolder, version), version);
  return versions;
}

/** `from` is a folder, or a branch; before the first release there is neither. */
export function collect(site, from) {
  if (existsSync(from)) return collectFolder(site, from);
  return hasBranch(from) ? inBranch(from, (there) => collectFolder(site, there)) : [];
}

export function append(site, branch) {
  const version = versionOf(site);
  const from = join(site, kFolder, version);
  if (!existsSync(from)) throw new Error(`${from} is not there: freeze the site first`);
  return inBranch(branch, (there, inside, git) => {
    put(from, join(there, kFolder, version), version);
    inside('add', '--force', kFolder);
    if (inside('status', '--porcelain', '--', kFolder) === '') return `${version} is there already`;
    inside('commit', '--quiet', '-m', `Release ${version}`, '--', kFolder);
    git('update-ref', `refs/heads/${branch}`, inside('rev-parse', 'HEAD'));
    return `${version} was added to ${branch}`;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, folder, other] = process.argv.slice(2);
  const kWork = { freeze, collect, append };
  if (!(what in kWork) || !folder || (what !== 'freeze' && !other)) {
    console.error('node releases.mjs freeze SITE | collect SITE FROM | append SITE BRANCH');
    process.exit(2);
  }
  try {
    console.log(`${what}:`, String(kWork[what](resolve(folder), other)) || 'nothing');
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
