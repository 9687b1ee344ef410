// SPDX-License-Identifier: MIT
// Loads a module of the page: texts go in and out as UTF-8, sweeps come out as a copy of the numbers.

/** What few visitors ask for is a module of its own. */
export const kRare = [
  'importConfig',
  'replays',
  'compare',
  'step',
  'calibrate',
  'plan',
  'launch',
  'bestModel',
  'sensitivity',
  'chart',
];
const kTexts = ['schema', 'open', 'estimate', ...kRare];

/** `compiled` is a WebAssembly.Module; the calls are those that it has. */
export default async function createPage(compiled) {
  const imports = {};
  // Growth needs no answer here; the others are the system's, and the core does not call them.
  for (const { module, name } of WebAssembly.Module.imports(compiled))
    (imports[module] ??= {})[name] = () => {
      if (name !== 'emscripten_notify_memory_growth') throw new Error(`${name} was called`);
    };
  const core = (await WebAssembly.instantiate(compiled, imports)).exports;
  core._initialize();

  function give(argument) {
    const text = new TextEncoder().encode(argument);
    const at = core.reserve(text.length); // may move the memory
    new Uint8Array(core.memory.buffer, at, text.length).set(text);
  }
  const page = {};
  for (const call of kTexts)
    if (call in core)
      page[call] = (argument = '') => {
        give(argument);
        const at = core[call]();
        return new TextDecoder().decode(new Uint8Array(core.memory.buffer, at, core.size()));
      };
  if ('sweep' in core)
    page.sweep = (request) => {
      give(request);
      const at = core.sweep();
      return new Float64Array(core.memory.buffer, at, core.points()).slice();
    };
  return page;
}
