# Debian packages by CPack, one for each component of the installation: cmake --workflow --preset debian
set(MPROF_DEBIAN_VERSION ${PROJECT_VERSION}-1 CACHE STRING "The version of the Debian packages")
# Of the newest change, which the files of the packages have as their time.
set(MPROF_DEBIAN_TIME 1795824000)

# Who builds packages maintains them: DEBFULLNAME and DEBEMAIL, as for Debian's tools. The placeholder is no address.
set(MPROF_DEBIAN_MAINTAINER "the mprof authors <mprof@mprof.invalid>")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(MPROF_DEBIAN_MAINTAINER "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()

set(same "(= ${MPROF_DEBIAN_VERSION})")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME mprof)
# CPack would write it in front of each description.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_PACKAGE_CONTACT "${MPROF_DEBIAN_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_BINARY_DIR}/debian/at-packaging.cmake)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PACKAGE_VERSION ${MPROF_DEBIAN_VERSION})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/debian/at-packaging.cmake
  "if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})\n  set(ENV{SOURCE_DATE_EPOCH} ${MPROF_DEBIAN_TIME})\nendif()\n")

# Every package has the licence and the changes.
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${CMAKE_CURRENT_BINARY_DIR}/debian/changelog.Debian @ONLY)
execute_process(COMMAND gzip -9nf ${CMAKE_CURRENT_BINARY_DIR}/debian/changelog.Debian COMMAND_ERROR_IS_FATAL ANY)
set(mprof_debian_folder ${CMAKE_CURRENT_LIST_DIR})

# mprof_debian_package(NAME SECTION SUMMARY DESCRIPTION [FIELD VALUE]...)
function(mprof_debian_package name section summary description)
  string(TOUPPER ${name} key)
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_DESCRIPTION "${summary}\n${description}" PARENT_SCOPE)
  while(ARGN)
    list(POP_FRONT ARGN field value)
    set(CPACK_DEBIAN_${key}_PACKAGE_${field} "${value}" PARENT_SCOPE)
  endwhile()
  install(FILES ${mprof_debian_folder}/copyright ${PROJECT_BINARY_DIR}/debian/changelog.Debian.gz
    DESTINATION share/doc/${name} COMPONENT ${name})
endfunction()

# A shared library has besides a file that names its package to those that link with it, and makes the loader's cache.
function(mprof_debian_library name library summary description)
  mprof_debian_package(${name} libs ${summary} ${description})
  set(folder ${PROJECT_BINARY_DIR}/debian/${name})
  file(WRITE ${folder}/shlibs "${library} ${MPROF_SOVERSION} ${name} (>= ${PROJECT_VERSION})\n")
  file(WRITE ${folder}/triggers "activate-noawait ldconfig\n")
  string(TOUPPER ${name} key)
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA "${folder}/shlibs;${folder}/triggers" PARENT_SCOPE)
  foreach(field IN ITEMS PACKAGE_NAME PACKAGE_SECTION DESCRIPTION)
    set(CPACK_DEBIAN_${key}_${field} "${CPACK_DEBIAN_${key}_${field}}" PARENT_SCOPE)
  endforeach()
endfunction()

set(about "mprof records the memory of any program and all its processes\nover time, with the calls of its Python functions, and draws it.")

mprof_debian_package(mprof devel "memory of programs over time: recorder"
  "${about}\nThis package has the command: it records, and prints peaks, lists\nand comparisons."
  RECOMMENDS "mprof-plot, python3-mprof" SUGGESTS mprof-doc
  CONFLICTS "python3-memory-profiler (<< 0.61.0)" REPLACES "python3-memory-profiler (<< 0.61.0)")
set(components mprof)

if(MPROF_DRAW)
  mprof_debian_package(mprof-plot devel "memory of programs over time: pictures and reports"
    "${about}\nThis package has mprof plot and mprof report: PNG, SVG, PDF, HTML."
    DEPENDS "mprof ${same}" RECOMMENDS "fonts-inter | fonts-dejavu-core" ENHANCES mprof)
  mprof_debian_library(libmprof-render${MPROF_SOVERSION} libmprof-render "library that draws memory over time"
    "${about}\nThis package has the shared library that draws recordings.")
  mprof_debian_package(libmprof-render-dev libdevel "library that draws memory over time: development files"
    "${about}\nThis package has headers and archives of libmprof-render."
    DEPENDS "libmprof-render${MPROF_SOVERSION} ${same}, libmprof-dev ${same}, libpango1.0-dev, libcairo2-dev, libpng-dev, zlib1g-dev")
  list(APPEND components mprof-plot libmprof-render${MPROF_SOVERSION} libmprof-render-dev)
endif()

mprof_debian_library(libmprof${MPROF_SOVERSION} libmprof "library that reads and writes memory over time"
  "${about}\nThis package has the shared library for recordings.")
mprof_debian_package(libmprof-dev libdevel "library that reads and writes memory over time: development files"
  "${about}\nThis package has headers and archives of libmprof, and the header\nfor marks in C programs."
  DEPENDS "libmprof${MPROF_SOVERSION} ${same}, zlib1g-dev, libzstd-dev")
mprof_debian_package(mprof-doc doc "memory of programs over time: documents"
  "${about}\nThis package has the documents." ARCHITECTURE all SHLIBDEPS OFF)
list(APPEND components libmprof${MPROF_SOVERSION} libmprof-dev mprof-doc)

if(MPROF_AGENT)
  # Where Debian's Python looks for modules are links: the agent shows other Pythons the folder, where there is nothing else.
  set(links ${PROJECT_BINARY_DIR}/debian/dist-packages)
  file(REMOVE_RECURSE ${links})
  file(MAKE_DIRECTORY ${links}/memory_profiler-0.61.dist-info)
  foreach(name IN ITEMS memory_profiler mprof _mprof.abi3.so mprof-${PROJECT_VERSION}.dist-info)
    file(CREATE_LINK ../../mprof/python/${name} ${links}/${name} SYMBOLIC)
  endforeach()
  file(WRITE ${links}/memory_profiler-0.61.dist-info/METADATA
    "Metadata-Version: 2.1\nName: memory-profiler\nVersion: 0.61\nSummary: The interface of memory_profiler 0.61, by the modules of mprof\nRequires-Dist: mprof\n")
  install(DIRECTORY ${links} DESTINATION lib/python3 COMPONENT python3-mprof)
  mprof_debian_package(python3-mprof python "memory of programs over time: Python functions and modules"
    "${about}\nThis package has the modules memory_profiler and mprof, and what\nrecords the functions of Python programs."
    DEPENDS "mprof ${same}, python3" RECOMMENDS "libmprof-render${MPROF_SOVERSION} ${same}" SUGGESTS "python3-ipython, python3-pytest"
    PROVIDES "python3-memory-profiler (= 0.61.0)" CONFLICTS python3-memory-profiler REPLACES python3-memory-profiler)
  set(CPACK_DEBIAN_PYTHON3-MPROF_PACKAGE_CONTROL_EXTRA
    "${mprof_debian_folder}/postinst;${mprof_debian_folder}/prerm")
  list(APPEND components python3-mprof)
endif()
set(CPACK_COMPONENTS_ALL ${components})
foreach(name IN ITEMS mprof python3-mprof)
  install(FILES ${mprof_debian_folder}/${name}.lintian-overrides
    DESTINATION share/lintian/overrides RENAME ${name} COMPONENT ${name})
endforeach()

include(CPack)
