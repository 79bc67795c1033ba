# Writes text files as a header of C arrays that end in a 0 byte. Comment lines and indentation are left out.
#   cmake -D "FILES=page.html;page.css" -D OUTPUT=assets.h -P embed.cmake
# page.html becomes mprof__page_html. The script and the style sheet of an interactive SVG, the script also without spaces
# around operators and braces, which none of its strings may contain:
#   cmake -D "PARTS=a.js;b.js" -D START=c.js -D STYLE=d.css -D OUTPUT=assets.h -P embed.cmake
# The parts are the body of one function, makeLiving(root), which gives a picture its tooltips, zoom and keys; START calls it.

function(shorten variable source)
  # no list of lines: [ and ; have a meaning in CMake lists
  string(REGEX REPLACE "\n +" "\n" short "\n${${variable}}")
  string(REGEX REPLACE " +// [^\n]*\n" "\n" short "${short}")
  string(REGEX REPLACE "\n//[^\n]*" "" short "${short}")
  string(REGEX REPLACE "\n/\\*[^*]*\\*/" "" short "${short}")
  string(REGEX REPLACE "\n\n+" "\n" short "${short}")
  string(REGEX REPLACE "^\n" "" short "${short}")
  string(FIND "${short}" "]]>" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${source}: must not contain ]]>, which ends its CDATA section")
  endif()
  set(${variable} "${short}" PARENT_SCOPE)
endfunction()

function(array name text)
  string(HEX "${text}" bytes)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  set(header "${header}static const unsigned char ${name}[] = {\n${bytes}0x00};\n" PARENT_SCOPE)
endfunction()

set(header "")
foreach(source ${FILES})
  file(READ ${source} text)
  if(NOT source MATCHES "\\.md$") # where blank lines have a meaning
    shorten(text ${source})
  endif()
  cmake_path(GET source FILENAME name)
  string(REGEX REPLACE "[^a-z]" "_" name ${name})
  array(mprof__${name} "${text}")
endforeach()
if(NOT PARTS)
  file(WRITE ${OUTPUT} "${header}")
  return()
endif()

set(script "(function () {\n'use strict';\nfunction makeLiving(root) {\n")
foreach(source ${PARTS})
  file(READ ${source} text)
  shorten(text ${source})
  foreach(operator = => === !== && || + - * / < > <= >= ? :)
    string(REPLACE " ${operator} " "${operator}" text "${text}")
  endforeach()
  string(REPLACE ") {" "){" text "${text}")
  string(REPLACE "{ " "{" text "${text}")
  string(REPLACE " }" "}" text "${text}")
  cmake_path(GET source FILENAME name)
  foreach(part tree members) # only some pictures need these
    if(name STREQUAL "${part}.js")
      string(LENGTH "${script}" ${part}_begin)
      string(LENGTH "${text}" ${part}_size)
    endif()
  endforeach()
  string(APPEND script "${text}")
endforeach()
file(READ ${START} text)
shorten(text ${START})
string(APPEND script "}\n${text}})();\n")
array(mprof__script "${script}")
string(APPEND header "enum { MPROF__TREE_BEGIN = ${tree_begin}, MPROF__TREE_SIZE = ${tree_size},\n"
                     "MPROF__MEMBERS_BEGIN = ${members_begin}, MPROF__MEMBERS_SIZE = ${members_size} };\n")
file(READ ${STYLE} text)
shorten(text ${STYLE})
array(mprof__interactive_css "${text}")
file(WRITE ${OUTPUT} "${header}")
