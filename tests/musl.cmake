# Builds against musl with Debian's musl-gcc (package musl-tools):
#   cmake -DCMAKE_TOOLCHAIN_FILE=tests/musl.cmake -DMPROF_MUSL_PREFIX=PREFIX ...
# PREFIX has what Debian has for glibc alone: argp, jansson, zlib, libzstd, Python's headers. tests/musl makes it.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MPROF_MUSL_PREFIX)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER musl-gcc)

# The kernel's headers: musl-gcc does not search the folder that has glibc's, too.
execute_process(COMMAND gcc -print-multiarch OUTPUT_VARIABLE multiarch OUTPUT_STRIP_TRAILING_WHITESPACE)
set(kernel_headers ${CMAKE_BINARY_DIR}/kernel-headers)
if(NOT EXISTS ${kernel_headers}/asm/unistd.h)
  file(MAKE_DIRECTORY ${kernel_headers})
  file(CREATE_LINK /usr/include/linux ${kernel_headers}/linux SYMBOLIC)
  file(CREATE_LINK /usr/include/asm-generic ${kernel_headers}/asm-generic SYMBOLIC)
  file(CREATE_LINK /usr/include/${multiarch}/asm ${kernel_headers}/asm SYMBOLIC)
endif()
set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES ${kernel_headers})

set(CMAKE_FIND_ROOT_PATH ${MPROF_MUSL_PREFIX})
set(CMAKE_PREFIX_PATH /)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${MPROF_MUSL_PREFIX}/lib/pkgconfig)
if(NOT EXISTS ${MPROF_MUSL_PREFIX}/lib/pkgconfig/cairo.pc)
  set(MPROF_DRAW OFF)
endif()
