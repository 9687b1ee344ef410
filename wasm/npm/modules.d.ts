// SPDX-License-Identifier: MIT
// What build.mjs puts in place of these names.
declare module 'envelope-core' {
  import type { Envelope } from '../envelope';
  const createEnvelope: (options: {
    instantiateWasm(
      imports: WebAssembly.Imports,
      receive: (instance: WebAssembly.Instance) => void,
    ): object;
  }) => Promise<Envelope>;
  export default createEnvelope;
}
declare module 'envelope-packed' {
  const packed: string;
  export default packed;
}
