// SPDX-License-Identifier: MIT
declare module 'envelope-page-wasm?url' {
  const url: string;
  export default url;
}
declare module 'envelope-rare-wasm?url' {
  const url: string;
  export default url;
}
declare module 'envelope-texts' {
  const texts: import('./help').Texts;
  export default texts;
}
