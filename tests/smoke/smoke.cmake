# Records a program, prints its peak and draws it: the path that everybody takes.
file(REMOVE ${DIRECTORY}/smoke.dat ${DIRECTORY}/smoke.svg)

# Runs mprof; sets `output` to what it printed.
macro(check)
  execute_process(COMMAND ${MPROF} ${ARGV} WORKING_DIRECTORY ${DIRECTORY}
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "mprof ${ARGV}: ${result}\n${output}")
  endif()
endmacro()

check(--version)
check(run -T 0.02 -o smoke.dat sleep 0.3)
check(peak smoke.dat)
if(NOT output MATCHES "smoke\\.dat\t[0-9]+\\.[0-9]+ MiB")
  message(FATAL_ERROR "mprof peak printed:\n${output}")
endif()
if(DRAW)
  check(plot -o smoke.svg smoke.dat)
  file(READ ${DIRECTORY}/smoke.svg picture)
  if(NOT picture MATCHES "</svg>")
    message(FATAL_ERROR "mprof plot wrote no whole picture")
  endif()
endif()
