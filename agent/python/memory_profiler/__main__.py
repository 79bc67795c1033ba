"""python -m memory_profiler"""

from memory_profiler._ground import Ground

if __name__ == "__main__":
    ground = Ground()
    from memory_profiler._run import main
    main(ground)
