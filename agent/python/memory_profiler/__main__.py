"""python -m memory_profiler"""

import os
import sys


def _import_main():
    """Our main(). `python -m` has put the working directory first in the path: a json.py that lies
    there is the program's, not ours, and the program is to get it, not Python's."""
    if getattr(sys.flags, "safe_path", False):
        from memory_profiler._run import main
        return main
    here, path = sys.path[0], list(sys.path)
    known = set(sys.modules)
    del sys.path[0]
    try:
        from memory_profiler._run import main
    finally:
        sys.path[:] = path
    for name in set(sys.modules) - known:
        place = os.path.join(here, name)
        if os.path.exists(place + ".py") or os.path.isdir(place):
            del sys.modules[name]
    return main


if __name__ == "__main__":
    _import_main()()
