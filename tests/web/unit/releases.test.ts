// SPDX-License-Identifier: MIT
// Two releases in a repository made for the test: what was published stays as it is.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const kProgram = join(import.meta.dirname, '../../../web/releases.mjs');
let place: string;
let repository: string;

/** A built site of that version. */
function site(version: string, text: string): string {
  const folder = join(place, `site-${version}-${text}`);
  mkdirSync(join(folder, 's/x'), { recursive: true });
  const page = (root: string) =>
    `<script type="application/ld+json">{"softwareVersion":"${version}"}</script>${text}<a href="${root}r/${version}/" title="kept">${version}</a>`;
  writeFileSync(join(folder, 'index.html'), page(''));
  writeFileSync(join(folder, 's/x/index.html'), page('../../'));
  writeFileSync(join(folder, 'app.js'), text);
  return folder;
}

const run = (...args: string[]) =>
  execFileSync(process.execPath, [kProgram, ...args], {
    cwd: repository,
    encoding: 'utf8',
    stdio: 'pipe',
  });
const git = (...args: string[]) =>
  execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: 'pipe' }).trim();

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'envelope-releases-'));
  repository = join(place, 'repository');
  mkdirSync(repository);
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'user.name', 'Test');
  git('config', 'user.email', 'test@localhost');
  writeFileSync(join(repository, 'source.txt'), 'source');
  git('add', '.');
  git('commit', '--quiet', '-m', 'Source');
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe('releases', () => {
  it('are frozen whole, without those before, and lead to the newest', () => {
    const folder = site('1.0.0', 'one');
    mkdirSync(join(folder, 'r/0.9.0'), { recursive: true });
    writeFileSync(join(folder, 'r/0.9.0/index.html'), 'older');
    run('freeze', folder);
    const frozen = join(folder, 'r/1.0.0');
    expect(readFileSync(join(frozen, 'app.js'), 'utf8')).toBe('one');
    expect(existsSync(join(frozen, 'r'))).toBe(false);
    expect(readFileSync(join(frozen, 'index.html'), 'utf8')).toContain('href="../../"');
    expect(readFileSync(join(frozen, 's/x/index.html'), 'utf8')).toContain('href="../../../../"');
    expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain('href="r/1.0.0/"');
    rmSync(join(folder, 'r/0.9.0'), { recursive: true });
  });

  it('need no branch to begin with', () => {
    expect(run('collect', site('1.0.0', 'one'), 'releases')).toContain('nothing');
  });

  it('are added to a branch of their own, and found below a later site', () => {
    const one = site('1.0.0', 'one');
    run('freeze', one);
    expect(run('append', one, 'releases')).toContain('was added');
    const two = site('1.1.0', 'two');
    run('freeze', two);
    run('append', two, 'releases');
    expect(git('ls-tree', '-r', '--name-only', 'releases').split('\n').sort()).toEqual(
      ['1.0.0', '1.1.0'].flatMap((v) => [
        `r/${v}/app.js`,
        `r/${v}/index.html`,
        `r/${v}/s/x/index.html`,
      ]),
    );
    expect(git('log', '--format=%s', 'releases').split('\n')).toEqual([
      'Release 1.1.0',
      'Release 1.0.0',
    ]);
    run('collect', two, 'releases');
    expect(readFileSync(join(two, 'r/1.0.0/app.js'), 'utf8')).toBe('one');
    expect(readFileSync(join(two, 'r/1.1.0/app.js'), 'utf8')).toBe('two');
    // The checkout that we are in is as it was.
    expect(git('status', '--porcelain')).toBe('');
    expect(git('branch', '--show-current')).toBe('main');
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  });

  it('may be added again when they are the same', () => {
    const before = git('rev-parse', 'releases');
    expect(run('append', site('1.1.0', 'two'), 'releases')).toContain('there already');
    expect(git('rev-parse', 'releases')).toBe(before);
  });

  it('are never replaced by something else', () => {
    const before = git('rev-parse', 'releases');
    const other = site('1.0.0', 'changed');
    run('freeze', other);
    const said = (work: () => string) => {
      try {
        return work();
      } catch (error) {
        return String((error as { stderr: string }).stderr);
      }
    };
    const refusal = /Release 1\.0\.0 is published already, and its app\.js is another/;
    expect(said(() => run('append', other, 'releases'))).toMatch(refusal);
    expect(said(() => run('collect', other, 'releases'))).toMatch(refusal);
    expect(readFileSync(join(other, 'r/1.0.0/app.js'), 'utf8')).toBe('changed');
    expect(git('rev-parse', 'releases')).toBe(before);
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
  });

  it('may come from a folder', () => {
    const three = site('1.2.0', 'three');
    const from = join(place, 'from');
    cpSync(join(site('1.1.0', 'two'), 'r'), join(from, 'r'), { recursive: true });
    expect(run('collect', three, from)).toContain('1.1.0');
    expect(readFileSync(join(three, 'r/1.1.0/app.js'), 'utf8')).toBe('two');
  });
});
