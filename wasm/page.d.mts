// SPDX-License-Identifier: MIT
import type { Envelope } from './envelope';

/** What few visitors ask for is a module of its own. */
export type Rare =
  | 'importConfig'
  | 'replays'
  | 'compare'
  | 'step'
  | 'calibrate'
  | 'plan'
  | 'launch'
  | 'bestModel'
  | 'sensitivity'
  | 'chart';

export const kRare: readonly Rare[];

export default function createPage<Calls extends keyof Envelope>(
  compiled: WebAssembly.Module,
): Promise<Pick<Envelope, Calls>>;
