# Instruments what links mprof_build: MPROF_COVERAGE. Counts are written at the end of a process. So that few are lost,
# they are also written before each exec and _exit, and so that a killed process can damage only those of one
# test, each test has its own folder for them: tests/support/coverage_report.py adds them up.
set(coverage_dir ${PROJECT_SOURCE_DIR}/tests/support/coverage)
target_compile_options(mprof_build INTERFACE
  --coverage -fprofile-update=atomic -fprofile-abs-path -fno-builtin-execve -fno-builtin-execv)
target_link_options(mprof_build INTERFACE
  --coverage -Wl,--wrap=_exit,--wrap=raise,--wrap=execve,--wrap=execv,-u,mprof__coverage_flush)

add_library(mprof-coverage STATIC ${coverage_dir}/flush.c)
target_compile_definitions(mprof-coverage PRIVATE _GNU_SOURCE)
target_link_libraries(mprof_build INTERFACE $<BUILD_INTERFACE:mprof-coverage>)

# The shim needs libc then, and passes the counts of all objects of its process on.
function(mprof_cover_shim target exec_source)
  target_sources(${target} PRIVATE ${coverage_dir}/shim.c)
  set_source_files_properties(${coverage_dir}/shim.c PROPERTIES COMPILE_OPTIONS -fno-profile-arcs)
  set_property(SOURCE ${exec_source} APPEND PROPERTY COMPILE_OPTIONS -include ${coverage_dir}/exec.h)
endfunction()
