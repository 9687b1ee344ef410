// SPDX-License-Identifier: MIT
import type { Envelope } from './envelope';

/** The module of the page: the text of the replays is a file beside it. */
export type PageEnvelope = Omit<Envelope, 'replays'>;

export default function createPage(compiled: WebAssembly.Module): Promise<PageEnvelope>;
