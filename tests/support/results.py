#!/usr/bin/python3
"""Summarises the JUnit files that CTest writes.

    results.py failed RESULTS.xml...         each failed test with the end of its output, for readers of
                                             the tail of a log
    results.py names RESULTS.xml...          only their names, in one line
    results.py skipped EXPECTED RESULTS.xml...
                                             each skipped test and its reason; exit code 1 if the file
                                             EXPECTED does not list one of them
"""

import collections
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

LINES = 60

# Output of run_unittest.py, and of cmocka.
SKIPS = (re.compile(r"^SKIPPED (?P<name>.*?): (?P<reason>.*)$", re.M),
         re.compile(r"^\[  SKIPPED \] (?P<name>test_\w+)$", re.M))


def cases(path):
    """(name, status, output) of each test of a file."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        yield case.get("name"), case.get("status"), case.findtext("system-out") or ""


def print_failed(paths):
    for path in paths:
        for name, status, output in cases(path):
            if status != "fail":
                continue
            lines = output.rstrip().splitlines()
            print(f"\n== failed: {name} ({path.stem}), "
                  f"the last {min(len(lines), LINES)} of {len(lines)} lines")
            print("\n".join(lines[-LINES:]), flush=True)


def skips(path):
    """(CTest's name, test, reason) of each skipped test of a file."""
    for name, _, output in cases(path):
        seen = set()
        for pattern in SKIPS:
            for match in pattern.finditer(output):
                if match["name"] not in seen:
                    seen.add(match["name"])
                    yield name, match["name"], match.groupdict().get("reason", "")


def expectations(path):
    """(CTest's name, test, reason) as patterns, one set per line; lines with # are comments."""
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield [re.compile(word) for word in line.split(maxsplit=2)]


def is_expected(skip, expected):
    return any(all(pattern.search(word) for pattern, word in zip(patterns, skip))
               for patterns in expected)


def print_skipped(expected_path, paths):
    expected = list(expectations(expected_path))
    unexpected = 0
    for path in paths:
        found = list(skips(path))
        print(f"== skipped: {len(found)} ({path.stem})")
        reasons = collections.defaultdict(list)
        for name, test, reason in found:
            known = is_expected((name, test, reason), expected)
            unexpected += not known
            reasons["" if known else "NOT EXPECTED: ", reason].append(f"{name} {test}")
        for (mark, reason), tests in sorted(reasons.items(), reverse=True):
            print(f"   {mark}{reason or 'no reason given'}: {', '.join(tests)}")
    return 1 if unexpected else 0


def main():
    command, *names = sys.argv[1:]
    paths = [path for path in map(pathlib.Path, names) if path.exists()]
    if command == "failed":
        print_failed(paths)
        return 0
    if command == "names":
        print(*(name for path in paths for name, status, _ in cases(path) if status == "fail"))
        return 0
    return print_skipped(paths[0], paths[1:])


if __name__ == "__main__":
    sys.exit(main())
