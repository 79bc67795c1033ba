"""python -m mprof"""

from mprof import main

main()
