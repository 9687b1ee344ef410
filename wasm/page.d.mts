// SPDX-License-Identifier: MIT
import type { Envelope } from './envelope';

/** What few visitors ask for is a module of its own. */
export type Rare = 'importConfig' | 'replays';

export default function createPage<Calls extends keyof Envelope>(
  compiled: WebAssembly.Module,
): Promise<Pick<Envelope, Calls>>;
