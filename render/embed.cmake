# Writes text files as a header of C arrays: interactive.js becomes mprof__interactive_js, ending in a 0 byte.
# Comment lines and indentation are left out.
#   cmake -D "SOURCES=a.js;b.css" -D OUTPUT=assets.h -P embed.cmake
set(header "")
foreach(source ${SOURCES})
  file(READ ${source} text)
  cmake_path(GET source FILENAME name)
  string(REGEX REPLACE "[^a-z]" "_" name ${name})
  # no list of lines: [ and ; have a meaning in CMake lists
  string(REGEX REPLACE "\n +" "\n" text "\n${text}")
  string(REGEX REPLACE "\n//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "\n/\\*[^*]*\\*/" "" text "${text}")
  string(REGEX REPLACE "\n\n+" "\n" text "${text}")
  string(REGEX REPLACE "^\n" "" text "${text}")
  string(FIND "${text}" "]]>" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${source}: must not contain ]]>, which ends its CDATA section")
  endif()
  string(HEX "${text}" bytes)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND header "static const unsigned char mprof__${name}[] = {\n${bytes}0x00};\n")
endforeach()
file(WRITE ${OUTPUT} "${header}")
