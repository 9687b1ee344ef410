// SPDX-License-Identifier: MIT
// Checks of the repository itself: node check.mjs NAME, in its root. Prints what is wrong.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';

// The folder may belong to somebody else than the user who runs the tests.
const git = (...args) =>
  execFileSync('git', ['-c', `safe.directory=${process.cwd()}`, ...args], { encoding: 'utf8' });
// Also what is not added yet, so that a mistake is seen before it is committed.
const files = git('ls-files', '-z', '--cached', '--others', '--exclude-standard')
  .split('\0')
  .filter((file) => file && existsSync(file));
const text = (file) => readFileSync(file, 'utf8');

const kChecks = {
  /** Build products are never committed. */
  products() {
    return files
      .filter((file) => /(^|\/)(node_modules|build|dist)\/|\.(wasm|o|a|so|log)$/.test(file))
      .concat(files.filter((file) => statSync(file).size > 2e6).map((file) => `${file} is large`));
  },

  /** One line of licence in every source. */
  licence() {
    const source = /\.(cpp|h|ts|mjs|css|cmake|sh)$|(^|\/)(CMakeLists\.txt|run|test)$/;
    return files
      .filter((file) => source.test(file))
      .filter((file) => (text(file).match(/SPDX-License-Identifier: MIT\b/g) ?? []).length < 1);
  },

  /** Nothing depends on the machine that it was written on. */
  places() {
    const here = new RegExp(['/wo' + 'rk/', '/tmp/' + 'w/', '"reso' + 'lved":'].join('|'));
    return files
      .filter((file) => !/\.(png|ico|woff2)$/.test(file))
      .flatMap((file) => {
        const line = text(file).split('\n').findIndex((line) => here.test(line));
        return line < 0 ? [] : [`${file}:${line + 1}`];
      });
  },

  /** A source that no list names is never compiled, and a test never run. */
  listed() {
    const lists = { 'CMakeLists.txt': /^core\/.*\.cpp$/, 'tests/CMakeLists.txt': /^tests\/\w+\.cpp$/ };
    return Object.entries(lists).flatMap(([list, pattern]) => {
      const words = new Set(text(list).split(/[\s()]+/));
      const name = (file) => (list.startsWith('tests/') ? file.slice(6) : file);
      return files.filter((file) => pattern.test(file) && !words.has(name(file)));
    });
  },

  /** Workflows call the two doors and nothing else, and pin what they use. */
  workflows() {
    const parts = new Set(text('test').match(/\bpart_(\w+)(?=\(\))/g).map((name) => name.slice(5)));
    const wrong = [];
    for (const file of files.filter((file) => file.startsWith('.github/workflows/'))) {
      for (const [, used] of text(file).matchAll(/\buses: (.*)/g))
        if (!/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used)) wrong.push(`${file}: not pinned: ${used}`);
      for (const [, part] of text(file).matchAll(/\.\/test (\w+)/g))
        if (!parts.has(part)) wrong.push(`${file}: ./test has no part ${part}`);
      if (!/^permissions:\n {2}contents: read\n(?! )/m.test(text(file)))
        wrong.push(`${file}: the permissions at the top must be contents: read and no more`);
    }
    return wrong;
  },
};

const wrong = kChecks[process.argv[2]]();
for (const line of wrong) console.log(line);
process.exit(wrong.length ? 1 : 0);
