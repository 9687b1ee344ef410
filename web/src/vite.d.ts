// SPDX-License-Identifier: MIT
declare module 'envelope-core-wasm?url' {
  const url: string;
  export default url;
}
