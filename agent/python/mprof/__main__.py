"""The command `python -m mprof`."""

from mprof import main

if __name__ == "__main__":
    main()
