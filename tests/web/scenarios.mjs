// SPDX-License-Identifier: MIT
// Scenarios that every engine must answer alike, good and bad ones.
import { ask } from './site.mjs';

const kReplays = 10;
// pow, exp and log are the C library's, and may differ in the last place; the rest may not.
const kLibmTolerance = 1e-12;

const kOwn = [
  'v=1&task=serve&model=deepseek-v3&wfmt=fp8-e4m3&n=16',
  'v=1&task=finetune&model=llama-3.1-8b&method=qlora&gpu=rtx-4090&n=1',
  'model=llama-3.1-70b&tokens=15T&n=8x64&mfu=40%',
  'v=99&foo=3&model=nosuch&tokens=<b>x</b>&n=1.5',
  '{"model.id":"by-size","model.params":"70B","cluster.gpus":"2^7"}',
  '{"run.tokens":1e400,"é€":"\\u0000"}',
];

/** [call, argument] of each; the first is an estimate of the default scenario. */
export async function scenarios_of_all_kinds() {
  const { examples } = await ask('schema');
  const { rows } = await ask('replays');
  const all = rows.flatMap(({ items }) => items.map(({ link }) => link));
  const links = Array.from(
    { length: kReplays },
    (_, i) => all[Math.floor((i * (all.length - 1)) / (kReplays - 1))],
  );
  return [
    ...['', ...examples.slice(0, 3).map(({ link }) => link), ...links, ...kOwn].map((link) => [
      'estimate',
      link,
    ]),
    ['open', kOwn[2]],
    ['open', kOwn[3]],
  ];
}

function differences(a, b, path = '') {
  if (typeof a === 'number' && typeof b === 'number') {
    const close = Math.abs(a - b) <= kLibmTolerance * Math.max(Math.abs(a), Math.abs(b));
    return close ? [] : [`${path}: ${a} and ${b}`];
  }
  if (a && b && typeof a === 'object' && typeof b === 'object') {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differences(a[key], b[key], `${path}/${key}`));
  }
  return a === b ? [] : [`${path}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`];
}

/** Where two answers differ; nothing when they are the same bytes. */
export const same = (a, b) => (a === b ? [] : differences(JSON.parse(a), JSON.parse(b)));
