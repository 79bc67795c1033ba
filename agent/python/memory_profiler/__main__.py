"""python -m memory_profiler"""

from memory_profiler._ground import Ground


def _main():
    with Ground():
        from memory_profiler._run import main
    main()


if __name__ == "__main__":
    _main()
