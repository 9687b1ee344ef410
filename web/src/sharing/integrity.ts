// SPDX-License-Identifier: MIT
// The hash by which browsers check the script of a frozen embed: of the bytes that the site serves.

const known = new Map<string, string>(); // by address; empty until it is known, and where there is none

async function hashOf(address: string): Promise<string> {
  try {
    const response = await fetch(address);
    // To check a script of another host browsers need this header; without it they refuse the script.
    const open = response.headers.get('access-control-allow-origin') === '*';
    if (!response.ok || !open) return '';
    const digest = await crypto.subtle.digest('SHA-384', await response.arrayBuffer());
    return `sha384-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
  } catch {
    return ''; // no network, or a page without TLS, which has no such function
  }
}

/** `draw` is called when a hash comes that was not there. */
export function integrityOf(address: string, draw: () => void): string | undefined {
  if (!known.has(address)) {
    known.set(address, '');
    void hashOf(address).then((hash) => {
      known.set(address, hash);
      if (hash) draw();
    });
  }
  return known.get(address) || undefined;
}
