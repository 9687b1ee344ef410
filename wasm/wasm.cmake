# SPDX-License-Identifier: MIT
# The module: envelope.mjs with envelope.wasm beside it, and a single file, a classic script with the
# WASM inside: it works from file://, in sandboxed frames and across origins without CORS, where the
# other does not.
set(wasm_options -lembind --no-entry
  -sMALLOC=emmalloc  # a third of the size of the other; the pipeline does not allocate
  -sMODULARIZE=1 -sEXPORT_NAME=createEnvelope -sALLOW_MEMORY_GROWTH=1 -sFILESYSTEM=0
  # Node is left out on purpose: with it, 3.1.6 writes ESM that calls require(). In Node, pass
  # wasmBinary.
  -sENVIRONMENT=web,worker
  # Embind builds functions from text otherwise, which a strict content security policy forbids.
  -sDYNAMIC_EXECUTION=0
  # Chooses the Embind library that matches bindings.cpp.
  -fno-rtti)
if(EMSCRIPTEN_VERSION VERSION_GREATER_EQUAL 3.1.27)
  list(APPEND wasm_options -sSTACK_SIZE=1MB)  # newer versions default to 64 KiB, older to 5 MiB
endif()

# The page's own module has no replays in it, a tenth of its size: the page fetches their text where it
# shows them, and hands it to `replaysOf`.
function(add_module target output suffix)  # then: definitions and link options
  cmake_parse_arguments(module "" "" "DEFINE;LINK" ${ARGN})
  add_executable(${target} wasm/bindings.cpp)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output} SUFFIX ${suffix})
  # bindings.cpp is compiled with the page's flags: no exceptions, whatever the tests use.
  # Embind then needs to be told that types have no names.
  target_compile_options(${target} PRIVATE
    -fno-exceptions -fno-rtti -DEMSCRIPTEN_HAS_UNBOUND_TYPE_NAMES=0)
  target_compile_definitions(${target} PRIVATE ${module_DEFINE})
  target_link_options(${target} PRIVATE ${wasm_options} ${module_LINK})
  target_link_libraries(${target} PRIVATE envelope envelope_flags)
endfunction()
add_module(envelope_wasm envelope .mjs LINK -sEXPORT_ES6=1)
add_module(envelope_wasm_page envelope.page .mjs DEFINE ENVELOPE_PAGE LINK -sEXPORT_ES6=1)
add_module(envelope_wasm_single envelope.single .js LINK -sSINGLE_FILE=1)
