// SPDX-License-Identifier: MIT
// docs/constants.md: every fitted constant with its value, out of the files that the core is built from.
//   node tests/fit/constants.mjs [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const DOC = new URL('docs/constants.md', root);
const text = (name) => readFileSync(new URL(name, root), 'utf8');
const rows = (name) => {
  const file = JSON.parse(text(name));
  return Array.isArray(file) ? file : file.rows;
};

const DEVICE = [
  ['gpu.reach16', '16 bits'],
  ['gpu.reach8', '8 bits'],
  ['gpu.reach4', '4 bits'],
  ['gpu.reach_attention', 'attention'],
  ['gpu.reach_experts', 'experts'],
];
const STACK = [
  ['stack.overhead', 'overhead'],
  ['stack.overlap', 'overlap'],
  ['stack.attention', 'attention'],
  ['stack.launch', 'launch, µs'],
];

/** The members of a struct: name, value, and what its line says. */
export function members(header, struct) {
  const body = new RegExp(`struct ${struct} \\{([\\s\\S]*?)\\n\\};`).exec(header)?.[1] ?? '';
  const found = [];
  for (const [, list, meaning = ''] of body.matchAll(/double ([^;]+);(?:\s*\/\/\/<\s*(.*))?/g))
    for (const one of list.split(','))
      found.push({ name: one.split('=')[0].trim(), value: one.split('=')[1].trim(), meaning });
  return found;
}

/** Rows that share all their constants stand in one line. */
function lines(list, columns, rest) {
  const groups = new Map();
  for (const row of list) {
    const values = columns.map(([path]) => row.set[path]);
    if (values.every((v) => v === undefined)) continue;
    const shown = columns.map(([path], i) => {
      if (values[i] === undefined) return '';
      const value = path === 'stack.launch' ? values[i] * 1e6 : values[i];
      return String(Number(value.toPrecision(3)));
    });
    const fit = rest(row);
    const key = [...shown, fit].join('|');
    const group = groups.get(key) ?? { ids: [], shown, fit };
    group.ids.push(`\`${row.id}\``);
    groups.set(key, group);
  }
  return [...groups.values()].map(
    (g) => `| ${g.ids.join(', ')} | ${g.shown.join(' | ')} | ${g.fit} |`,
  );
}

export function document() {
  const physics = members(text('core/envelope/physics.h'), 'Physics');
  const head = (columns) => columns.map(([, name]) => name).join(' | ');
  const rule = (columns) => columns.map(() => '---:').join('|');
  const fit = (row) => row.fit ?? '';
  return `# Constants

Written by \`node tests/fit/constants.mjs\`. These are all the fitted numbers of the step-time model: at most ${DEVICE.length} for a
device, at most ${STACK.length} for a framework, and ${physics.length} that all share, some of which are plain data. Everything else in a prediction is a data sheet, an
architecture or arithmetic. \`tests/fit\` fits them to \`tests/published/throughput.csv\`; \`tests/fit/held-out.csv\` has the errors of each source with
constants that were fitted without it. None belongs to a row, a source or a model.

## Shared by all

\`core/envelope/physics.h\`.

| constant | value | meaning |
|---|---:|---|
${physics.map((p) => `| \`${p.name}\` | ${p.value} | ${p.meaning} |`).join('\n')}

## By device

\`core/catalog/accelerators.json\`: shares of the dense peak that large products reach in 16, 8 and 4 bits; of the 16-bit peak that the best
attention kernels reach; and the speed of the products of experts over one of the same size. Parts of one chip share a line. A device
without any published speed has the constants of its class.

| device | ${head(DEVICE)} | fitted on |
|---|${rule(DEVICE)}|---|
${lines(rows('core/catalog/accelerators.json'), DEVICE, fit).join('\n')}

## By framework

\`core/catalog/stacks.json\`: time of a step over that of its kernels and their communication; share of communication that can hide behind
computation; speed of its attention kernels over the device's best; time from one kernel launch to the next.

| framework | ${head(STACK)} | fitted on |
|---|${rule(STACK)}|---|
${lines(rows('core/catalog/stacks.json'), STACK, fit).join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--check')) writeFileSync(DOC, document());
  else if (readFileSync(DOC, 'utf8') !== document()) {
    console.error(
      'docs/constants.md is not of the present constants: node tests/fit/constants.mjs',
    );
    process.exit(1);
  }
}
