// SPDX-License-Identifier: MIT
// Empty projects that install the packed package, as a stranger's would, without a network.
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { serve } from '../web/serve.mjs';
import { chromium, kChromium } from '../web/tools.mjs';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');
export const kPackage = join(root, 'build/npm');
export const require = createRequire(join(root, 'web/package.json'));
const cli = join(root, 'build/release/envelope');

/** Of every kind: an address, all tasks, a price, another catalog row, and one that is wrong. */
export const kLinks = [
  'v=1&model=gpt2',
  'task=serve&model=llama-3.1-70b&gpu=h100-sxm&n=8&wfmt=fp8-e4m3',
  'https://example.org/calculator/#task=finetune&model=llama-65b&method=qlora&gpu=rtx-a6000',
  'model=llama-3.1-405b&n=16384&tokens=15.6e12',
  'model=nothing-of-that-name&n=0',
];

let work;
async function folder() {
  work ??= await mkdtemp(join(tmpdir(), 'llm-envelope-'));
  return mkdtemp(join(work, 'p'));
}

let packed;
/** The file that would be published. */
export async function tarball() {
  return (packed ??= (async () => {
    const to = await folder();
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', to], {
      cwd: kPackage,
    });
    return join(to, JSON.parse(stdout)[0].filename);
  })());
}

/** A project with these files and the package installed. */
export async function project(files = {}, manifest = {}) {
  const at = await folder();
  const basics = { 'package.json': JSON.stringify({ private: true, type: 'module', ...manifest }) };
  for (const [name, text] of Object.entries({ ...basics, ...files })) {
    await mkdir(dirname(join(at, name)), { recursive: true });
    await writeFile(join(at, name), text);
  }
  const words = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', [...words, await tarball()], { cwd: at });
  return at;
}

/** What a program prints, with its exit status; it never throws. */
export function ran(file, args, { cwd = root, input = '' } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(file, args, { cwd });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', fail).on('close', (status) => done({ status, stdout, stderr }));
    child.stdin.on('error', () => {}); // a program that does not read it
    child.stdin.end(input);
  });
}
export const native = (args, options) => ran(cli, args, options);

/** The number that the native command line gives. */
export async function expected(link, id) {
  const { stdout } = await native(['estimate', link, '--json']);
  return JSON.parse(stdout).steps.find((step) => step.id === id).value;
}

let browser;
/** What a page, or the page of a folder, says in #out, and what went wrong on the way. */
export async function shown(place) {
  browser ??= await chromium.launch({ executablePath: kChromium });
  const server = /^(file|http):/.test(place) ? null : await serve(place);
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  try {
    await page.goto(server?.url ?? place);
    const out = page.locator('#out');
    await out.filter({ hasText: /\S/ }).waitFor({ timeout: 20_000 });
    return { text: await out.textContent(), errors, requests };
  } catch (error) {
    throw new Error(`${error.message}\n${errors.join('\n')}`);
  } finally {
    await page.close();
    await server?.close();
  }
}

export async function clean() {
  await browser?.close();
  if (work) await rm(work, { recursive: true, force: true });
}

export const text = (path) => readFile(join(root, path), 'utf8');
