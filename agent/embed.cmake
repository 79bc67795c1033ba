# Writes a text file as a C header with a terminated array: pickling.py becomes mprof__pickling_py.
#   cmake -D SOURCE=pickling.py -D OUTPUT=pickling_source.h -P embed.cmake
cmake_path(GET SOURCE FILENAME name)
string(REGEX REPLACE "[^a-z]" "_" name ${name})
file(READ ${SOURCE} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "static const unsigned char mprof__${name}[] = {\n${bytes}0x00};\n")
