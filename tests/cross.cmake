# Builds for another architecture with Debian's cross compilers. The headers and libraries are those of a Debian
# tree of that architecture:
#   cmake -DCMAKE_TOOLCHAIN_FILE=tests/cross.cmake -DMPROF_CROSS=aarch64 -DCMAKE_SYSROOT=TREE ...
# tests/cross makes such a tree, builds, and runs tests in it.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MPROF_CROSS)
set(CMAKE_SYSTEM_NAME Linux)
if(MPROF_CROSS STREQUAL "aarch64")
  set(triplet aarch64-linux-gnu)
elseif(MPROF_CROSS STREQUAL "armhf")
  set(triplet arm-linux-gnueabihf)
elseif(MPROF_CROSS STREQUAL "i386")
  set(triplet i686-linux-gnu)
else()
  message(FATAL_ERROR "MPROF_CROSS must be aarch64, armhf or i386, not '${MPROF_CROSS}'")
endif()
set(CMAKE_SYSTEM_PROCESSOR ${MPROF_CROSS})
set(CMAKE_C_COMPILER ${triplet}-gcc)

set(CMAKE_FIND_ROOT_PATH ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Debian names the folder of its libraries for i386 by an older processor than the compiler.
string(REPLACE i686 i386 folder ${triplet})
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${CMAKE_SYSROOT}/usr/lib/${folder}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)
