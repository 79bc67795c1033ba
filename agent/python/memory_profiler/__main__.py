"""python -m memory_profiler"""

from memory_profiler._ground import Ground


def _main():
    ground = Ground()
    from memory_profiler._run import main
    main(ground)


if __name__ == "__main__":
    _main()
