// SPDX-License-Identifier: MIT
// The main function of the tests. Catch2 3 brings its own in a library.
#if !__has_include(<catch2/catch_all.hpp>)
#ifdef __EMSCRIPTEN__
#define CATCH_CONFIG_NO_POSIX_SIGNALS  // WASM has none
#endif
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
