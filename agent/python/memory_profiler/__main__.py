"""The command `python -m memory_profiler`; see _run."""

from memory_profiler._stdlib import StdlibImports


def _main():
    with StdlibImports():
        from memory_profiler._run import main
    main()


if __name__ == "__main__":
    _main()
