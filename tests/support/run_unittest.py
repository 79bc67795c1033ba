#!/usr/bin/python3
"""Runs a unittest script and reports skips: a line `SKIPPED name: reason` for each skipped test, and exit
code 77 if all were skipped, so that CTest does not count them as passed.

    run_unittest.py SCRIPT [ARG...]
"""

import os
import runpy
import sys
import unittest

ALL_SKIPPED = 77


class Result(unittest.TextTestResult):
    skips = []
    ran = 0

    def startTest(self, test):
        super().startTest(test)
        Result.ran += 1

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        Result.skips.append((test.id().removeprefix("__main__."), reason))


def main():
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    unittest.TextTestRunner.resultclass = Result
    code = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    for name, reason in Result.skips:
        print(f"SKIPPED {name}: {' '.join(str(reason).split())}", flush=True)
    # 5: unittest of Python 3.12 and later, if all tests were skipped
    if code in (0, 5) and Result.skips and len(Result.skips) >= Result.ran:
        code = ALL_SKIPPED
    sys.exit(code)


if __name__ == "__main__":
    main()
