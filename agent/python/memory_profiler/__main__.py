"""python -m memory_profiler"""

from memory_profiler._run import main

if __name__ == "__main__":
    main()
