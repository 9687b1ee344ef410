// SPDX-License-Identifier: MIT
declare module 'envelope-page-wasm?url' {
  const url: string;
  export default url;
}
declare module 'envelope-rare-wasm?url' {
  const url: string;
  export default url;
}
/** The core as base64 of deflate-raw: web/vite.embed.ts */
declare module 'envelope-packed-wasm' {
  const text: string;
  export default text;
}
/** The modules of the page, packed likewise: web/vite.offline.ts */
declare module 'envelope-page-packed' {
  const text: string;
  export default text;
}
declare module 'envelope-rare-packed' {
  const text: string;
  export default text;
}
/** Where the site is published, for links out of pages that are not its own: web/home.mjs */
declare const ENVELOPE_HOME: string;
declare module 'envelope-texts' {
  const texts: import('./help').Texts;
  export default texts;
}
