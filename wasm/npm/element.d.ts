// SPDX-License-Identifier: MIT
/**
 * Importing this registers <llm-envelope-inline src view edit theme home>, which draws in the page itself
 * instead of in a frame.
 */
export {};
