# Writes text files as a header of C arrays: living.js becomes mprof__interactive_js, terminated. Lines that
# are nothing but a comment, and indentation, are for the reader of the source and are left out.
#   cmake -D "SOURCES=a.js;b.css" -D OUTPUT=assets.h -P embed.cmake
set(header "")
foreach(source ${SOURCES})
  file(READ ${source} text)
  cmake_path(GET source FILENAME name)
  string(REGEX REPLACE "[^a-z]" "_" name ${name})
  # [ and ; mean something to a CMake list, so no list is made of the lines
  string(REGEX REPLACE "\n +" "\n" text "\n${text}")
  string(REGEX REPLACE "\n//[^\n]*" "" text "${text}")
  string(REGEX REPLACE "\n/\\*[^*]*\\*/" "" text "${text}")
  string(REGEX REPLACE "\n\n+" "\n" text "${text}")
  string(REGEX REPLACE "^\n" "" text "${text}")
  string(FIND "${text}" "]]>" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${source}: ]]> would end the CDATA section it is put into")
  endif()
  string(HEX "${text}" bytes)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND header "static const unsigned char mprof__${name}[] = {\n${bytes}0x00};\n")
endforeach()
file(WRITE ${OUTPUT} "${header}")
