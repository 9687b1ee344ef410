# SPDX-License-Identifier: MIT
# Writes OUT, a C++ source in which each of FILES is one string. A line becomes one raw literal, so
# no literal is long, and no character is ever cut in two. JSON text holds no line break inside a
# string: dropping the breaks and the indentation changes nothing.
set(code "// Generated from core/catalog by core/embed.cmake.\n#include \"envelope/embedded.h\"\n\n")
string(APPEND code "namespace envelope::embedded {\n")
string(REPEAT "[0-9a-f]" 10 ten)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(STRIP "${text}" text)
  string(FIND "${text}" ")~\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${file} holds )~\", which ends the raw literal it is put in")
  endif()
  # What the core never reads, and the spaces between, stay out of the module.
  string(REGEX REPLACE ", \"(tokens_source|confidence|fit)\": \"[^\"]*\"" "" text "${text}")
  # What a small build leaves out, such as notes.
  if(DROP)
    string(REGEX REPLACE ", \"published\": {[^}]*}" "" text "${text}")
    string(REGEX REPLACE ", \"(${DROP})\": (\"([^\"\\]|\\\\.)*\"|[0-9.e+]+|true|false)" "" text "${text}")
  endif()
  # A row without a date is of the first snapshot.
  string(REPLACE ", \"as_of\": \"2026-11\"" "" text "${text}")
  # A commit is told by its first ten digits.
  string(REGEX REPLACE "/(${ten})${ten}${ten}${ten}/" "/\\1/" text "${text}")
  string(REGEX REPLACE "\": " "\":" text "${text}")
  string(REPLACE "\", \"" "\",\"" text "${text}")
  string(REGEX REPLACE "[\r\n]+[ \t]*" ")~\"\nR\"~(" text "${text}")
  string(APPEND code "std::string_view ${name}() {\nreturn R\"~(${text})~\";\n}\n")
endforeach()
string(APPEND code "}  // namespace envelope::embedded\n")
file(WRITE ${OUT} "${code}")
