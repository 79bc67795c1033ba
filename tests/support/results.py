#!/usr/bin/python3
"""Summarises the JUnit files that CTest writes.

    results.py failed RESULTS.xml...         each failed test with the end of its output, for readers of
                                             the tail of a log
    results.py names RESULTS.xml...          only their names, in one line
    results.py skipped EXPECTED RESULTS.xml...
                                             each skipped test and its reason; exit code 1 if the file
                                             EXPECTED does not list one of them
    results.py allowed LIST PLACE RESULTS.xml...
                                             how many tests passed, were skipped, and failed as LIST allows at
                                             PLACE; exit code 1 if others failed, or none ran. Of a test that
                                             ran twice, the second time counts
    results.py others LIST PLACE RESULTS.xml...
                                             only the names of those others, in one line
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

# Tests that failed, in the same outputs.
FAILURES = (re.compile(r"^(?:FAIL|ERROR): (?P<name>\w+) \(__main__\.(?P<suite>\w+)", re.M),
            re.compile(r"^\[  FAILED  \] (?P<name>\w+)$", re.M))


def cases(path):
    """(name, status, output) of each test of a file."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        status, skipped = case.get("status"), case.find("skipped")
        if status == "notrun" and (skipped is None or not skipped.get("message", "").startswith("SKIP")):
            status = "fail"  # its program is missing
        yield case.get("name"), status, case.findtext("system-out") or ""


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


def failures(output):
    """The tests that failed within one of CTest's; `-` if it names none: a crash, or its time was over."""
    found = {".".join(filter(None, (match.groupdict().get("suite"), match["name"])))
             for pattern in FAILURES for match in pattern.finditer(output)}
    return sorted(found) or ["-"]


def sort_failures(list_path, place, paths):
    """(counts by status, listed failures, other failures), each failure as (CTest's name, test)."""
    allowed = [[re.compile(word) for word in line.split(maxsplit=3)[:3]] for line in list_path.read_text().splitlines()
               if line.strip() and not line.startswith("#")]
    latest = {name: (status, output) for path in paths for name, status, output in cases(path)}
    counts, listed, others = collections.Counter(status for status, _ in latest.values()), [], []
    for name, (status, output) in latest.items():
        for test in failures(output) if status == "fail" else ():
            is_listed = any(all(pattern.fullmatch(word) for pattern, word in zip(patterns, (place, name, test)))
                            for patterns in allowed)
            (listed if is_listed else others).append((name, test))
    return counts, listed, others


def print_allowed(list_path, place, paths):
    counts, listed, others = sort_failures(list_path, place, paths)
    names = {name for name, _ in listed} - {name for name, _ in others}
    print(f"   {counts['run']} passed, {counts['notrun']} skipped, {len(names)} failed as listed "
          f"({len(listed)} tests within them)")
    for name, test in others:
        print(f"   NOT LISTED: {name} {test}")
    return 1 if others or not counts else 0


def main():
    command, *names = sys.argv[1:]
    paths = [path for path in map(pathlib.Path, names) if path.exists()]
    if command == "failed":
        print_failed(paths)
        return 0
    if command == "names":
        print(*(name for path in paths for name, status, _ in cases(path) if status == "fail"))
        return 0
    if command == "allowed":
        return print_allowed(pathlib.Path(names[0]), names[1], paths[1:])
    if command == "others":
        print(*sorted({name for name, _ in sort_failures(pathlib.Path(names[0]), names[1], paths[1:])[2]}))
        return 0
    return print_skipped(paths[0], paths[1:])


if __name__ == "__main__":
    sys.exit(main())
