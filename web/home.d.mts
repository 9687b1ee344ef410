// SPDX-License-Identifier: MIT
export const kHome: string;
