// SPDX-License-Identifier: MIT
/** Importing this registers <llm-envelope>, which draws in the page itself instead of in a frame. */
export {};
