// SPDX-License-Identifier: MIT
export declare const kHome: string;
