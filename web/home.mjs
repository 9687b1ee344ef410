// SPDX-License-Identifier: MIT
// Where the site will be: for the few addresses that must be absolute. All others are relative.

const address = new URL(process.env.ENVELOPE_HOME || 'http://localhost:8123/');
if (!/^https?:$/.test(address.protocol) || address.search || address.hash)
  throw new Error(
    `ENVELOPE_HOME is ${address.href}; it must be the address of a folder, such as https://example.org/envelope/`,
  );

/** Ends in a slash. */
export const kHome = address.href.replace(/\/*$/, '/');
