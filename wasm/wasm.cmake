# SPDX-License-Identifier: MIT
# The same module in three forms: envelope.mjs with envelope.wasm beside it; a single file, a classic
# script with the WASM inside, which works from file://, in sandboxed frames and across origins
# without CORS, where the other does not; and the page's own, in two parts.
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

add_library(envelope_bindings OBJECT wasm/bindings.cpp)
# bindings.cpp is compiled with the page's flags: no exceptions, whatever the tests use.
# Embind then needs to be told that types have no names.
target_compile_options(envelope_bindings PRIVATE
  -fno-exceptions -fno-rtti -DEMSCRIPTEN_HAS_UNBOUND_TYPE_NAMES=0)
target_link_libraries(envelope_bindings PUBLIC envelope PRIVATE envelope_flags)

# All that the site and the npm package load; each module names itself here.
add_custom_target(envelope_modules)

add_executable(envelope_wasm)
set_target_properties(envelope_wasm PROPERTIES OUTPUT_NAME envelope SUFFIX .mjs)
target_link_options(envelope_wasm PRIVATE ${wasm_options} -sEXPORT_ES6=1)
target_link_libraries(envelope_wasm PRIVATE envelope_bindings)
add_dependencies(envelope_modules envelope_wasm)

add_executable(envelope_wasm_single)
set_target_properties(envelope_wasm_single PROPERTIES OUTPUT_NAME envelope.single SUFFIX .js)
target_link_options(envelope_wasm_single PRIVATE ${wasm_options} -sSINGLE_FILE=1)
target_link_libraries(envelope_wasm_single PRIVATE envelope_bindings)
add_dependencies(envelope_modules envelope_wasm_single)

function(add_page_module target output)
  add_executable(${target} wasm/page.cpp)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output} SUFFIX .wasm)
  target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti)
  target_link_options(${target} PRIVATE --no-entry
    -sSTANDALONE_WASM=1 -sMALLOC=emmalloc -sALLOW_MEMORY_GROWTH=1 -sFILESYSTEM=0 -fno-rtti)
  target_link_libraries(${target} PRIVATE envelope_flags)
  add_dependencies(envelope_modules ${target})
endfunction()

# The calculator. Its tables come without help texts and citations, which the page loads when someone
# reads them; they take the place of those in the library.
set(tables fields metrics api)
list(TRANSFORM tables REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/core/envelope/\\1.cpp")
add_library(envelope_tables OBJECT ${tables})
target_compile_definitions(envelope_tables PRIVATE ENVELOPE_SAYS=1 JSON_NOEXCEPTION)
target_compile_options(envelope_tables PRIVATE -Oz -flto -fno-exceptions -fno-rtti)
target_include_directories(envelope_tables PRIVATE ${PROJECT_SOURCE_DIR}/core)
target_link_libraries(envelope_tables PRIVATE envelope_flags)
add_page_module(envelope_wasm_page envelope.page)
target_link_libraries(envelope_wasm_page PRIVATE envelope_tables envelope)
target_link_options(envelope_wasm_page PRIVATE -Os)

# The import of models and the replays: loaded by those who ask for them.
add_page_module(envelope_wasm_rare envelope.rare)
target_compile_definitions(envelope_wasm_rare PRIVATE ENVELOPE_RARE)
target_link_libraries(envelope_wasm_rare PRIVATE envelope)

# An embed in somebody's post: results with their labels, as small as it gets. Fast enough: it works
# out one scenario at a time.
embed_catalog(${PROJECT_BINARY_DIR}/embedded_small.cpp
  "source|url|note|as_of|confidence|tokens_source|family|vendor|instance|provider_name")
add_library(envelope_small STATIC ${PROJECT_BINARY_DIR}/embedded_small.cpp ${core_sources})
target_compile_definitions(envelope_small PRIVATE ENVELOPE_SAYS=0 JSON_NOEXCEPTION)
target_compile_options(envelope_small PRIVATE -Oz -flto -fno-exceptions -fno-rtti)
target_include_directories(envelope_small PUBLIC core)
target_include_directories(envelope_small SYSTEM PRIVATE ${headers})
target_link_libraries(envelope_small PRIVATE envelope_flags)
add_page_module(envelope_wasm_embed envelope.embed)
target_compile_definitions(envelope_wasm_embed PRIVATE ENVELOPE_EMBED)
target_link_libraries(envelope_wasm_embed PRIVATE envelope_small)
target_link_options(envelope_wasm_embed PRIVATE -Oz -flto)
