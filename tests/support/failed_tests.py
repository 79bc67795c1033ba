#!/usr/bin/python3
"""Prints, for every test that failed according to the JUnit files given, its name and the end of what
it said: where only the tail of a log is shown, that is what has to be in it.

    failed_tests.py RESULTS.xml...
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

LINES = 60


def failed(path):
    """(name, output) of each test of that file that has failed."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.get("status") == "fail" or case.find("failure") is not None:
            yield case.get("name"), case.findtext("system-out") or ""


def main():
    for path in map(pathlib.Path, sys.argv[1:]):
        for name, output in failed(path) if path.exists() else ():
            lines = output.rstrip().splitlines()
            print(f"\n== failed: {name} ({path.stem}), "
                  f"the last {min(len(lines), LINES)} of {len(lines)} lines")
            print("\n".join(lines[-LINES:]), flush=True)


if __name__ == "__main__":
    main()
