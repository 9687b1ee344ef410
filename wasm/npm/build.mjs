// SPDX-License-Identifier: MIT
// Assembles the npm package llm-envelope in build/npm from the WASM build, these sources and the page's
// texts and units. Needs ./run build before.
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';

const here = import.meta.dirname;
const root = resolve(here, '../..');
const out = join(root, 'build/npm');
const core = join(root, 'build/wasm');
const require = createRequire(join(root, 'web/package.json'));
const esbuild = require('esbuild');

const version = /kVersion = "([^"]+)"/.exec(
  await readFile(join(root, 'core/envelope/version.h'), 'utf8'),
)[1];
const wasm = await readFile(join(core, 'envelope.wasm'));
const banner = { js: `// SPDX-License-Identifier: MIT\n// llm-envelope ${version}` };

/** The core's glue and its packed bytes stand for the names that the sources import. */
const coreOf = {
  name: 'core',
  setup(build) {
    build.onResolve({ filter: /^envelope-(core|packed)$/ }, ({ path }) => ({
      path,
      namespace: 'core',
    }));
    build.onLoad({ filter: /^envelope-core$/, namespace: 'core' }, async () => {
      const glue = await readFile(join(core, 'envelope.mjs'), 'utf8');
      // Bundlers would look for the file that this names; the package starts the core itself.
      const address = 'new URL("envelope.wasm",import.meta.url).toString()';
      if (!glue.includes(address)) throw new Error('the glue of the core has changed');
      return { contents: glue.replace(address, '""').replaceAll('import.meta.url', '""') };
    });
    build.onLoad({ filter: /^envelope-packed$/, namespace: 'core' }, () => ({
      contents: `export default '${deflateRawSync(wasm, { level: 9 }).toString('base64')}';`,
    }));
    // The texts share files with the templates of the page. None of those is used here, and the
    // check below sees to it.
    build.onResolve({ filter: /^lit(\/|$)/ }, () => ({
      path: 'lit',
      namespace: 'unused',
      sideEffects: false,
    }));
    build.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({
      contents: ['html', 'mathml', 'svg', 'nothing', 'live', 'ref', 'repeat']
        .map((name) => `export const ${name} = 'a template in the npm package';`)
        .join('\n'),
    }));
  },
};

async function bundle(entry, file, options) {
  const result = await esbuild.build({
    entryPoints: [join(here, entry)],
    outfile: join(out, file),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner,
    plugins: [coreOf],
    metafile: true,
    logLevel: 'warning',
    ...options,
  });
  const text = await readFile(join(out, file), 'utf8');
  if (text.includes('a template in the npm package'))
    throw new Error(`${file} has templates of the page in it: import from a file without them`);
  return result;
}

/** Declarations of the calls, of the core's answers and of the ids: three files, each beside its own. */
async function declare() {
  const made = join(out, 'made');
  const config = join(here, 'tsconfig.json');
  execFileSync(process.execPath, [tscOf(), '-p', config, '--outDir', made], { stdio: 'inherit' });
  const kFiles = {
    'wasm/npm/index.d.ts': 'index.d.ts',
    'wasm/npm/api.d.ts': 'calls.d.ts',
    'wasm/npm/core.d.ts': 'options.d.ts',
    'web/src/api.d.ts': 'answers.d.ts',
    'web/src/types.generated.d.ts': 'types.d.ts',
  };
  const name = (from, specifier) => {
    const file = resolve('/', dirname(from), `${specifier}.d.ts`).slice(1);
    if (file === 'wasm/envelope.d.ts') return './raw.js';
    const to = kFiles[file];
    if (!to)
      throw new Error(`the declarations of ${from} need ${file}, which is not in the package`);
    return `./${to.replace(/\.d\.ts$/, '.js')}`;
  };
  for (const [from, to] of Object.entries(kFiles)) {
    const text = await readFile(join(made, from), 'utf8');
    const moved = text.replace(
      /((?:from |import\()')(\.[^']*)'/g,
      (_, head, specifier) => `${head}${name(from, specifier)}'`,
    );
    await writeFile(join(out, to), moved);
  }
  await cp(join(root, 'wasm/envelope.d.ts'), join(out, 'raw.d.ts'));
  await rm(made, { recursive: true });
}
const tscOf = () => join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await writeFile(join(out, 'core.wasm'), wasm);
await bundle('index.ts', 'index.js');
await bundle('node.ts', 'node.js', { platform: 'node' });
await bundle('inline.ts', 'inline.js');
await bundle('cli.ts', 'cli.js', {
  platform: 'node',
  external: ['./node.js'], // which has the core
  banner: { js: `#!/usr/bin/env node\n${banner.js}` },
});
await bundle('inline.ts', 'single.js', { format: 'iife', globalName: 'llmEnvelope' });
await declare();

// The inline element is part of the site: the same file, so that both behave the same.
const element = join(root, 'build/site/embed/1/inline.js');
if (!(await stat(element).catch(() => null)))
  throw new Error(`${element} is missing; ./run build makes it`);
await cp(element, join(out, 'element.js'));
await cp(join(here, 'element.d.ts'), join(out, 'element.d.ts'));

const { load } = await import(pathToFileURL(join(out, 'node.js')).href);
await writeFile(join(out, 'schema.json'), (await load()).core.schema());
const manifest = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
await writeFile(
  join(out, 'package.json'),
  `${JSON.stringify({ ...manifest, version }, null, 2)}\n`,
);
await cp(join(here, 'README.md'), join(out, 'README.md'));
await cp(join(root, 'LICENSE'), join(out, 'LICENSE'));
console.log(`llm-envelope ${version} in ${out}`);
