// SPDX-License-Identifier: MIT
import type { Envelope } from '../../wasm/envelope';

export function load(): Promise<Envelope>;
