#!/usr/bin/python3
"""Adds up the counts that instrumented processes wrote (.gcda), and prints lines and branches by room.

    coverage_report.py BUILD --prepare            makes the folders for the counts of each test
    coverage_report.py BUILD [--files] [--uncovered]

Each test has its own folder of counts, BUILD/counts/TEST, because a process that is killed while it writes leaves a
damaged file: such a file is left out, and counted. gcov reads the sums."""

import argparse
import array
import collections
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("parse", "record", "agent", "render")

# Percent that must be reached, of all rooms together.
LINES_GOAL = 92
BRANCHES_GOAL = 80
# Each line of these must be executed: what reads files of strangers, and what writes text safely.
WHOLE = ("parse/line.c", "parse/reader.c", "parse/escape.c", "parse/plain_text.c", "render/svg/xml.c",
         "parse/import/con_duct.c", "parse/import/fields.c", "parse/import/importer.c", "parse/import/massif.c",
         "parse/import/pidstat.c", "parse/import/prmon.c", "parse/import/psrecord.c", "record/stacks/code_lines.c")

# gcc's gcov-io.h
MAGIC = 0x67636461
FUNCTION = 0x01000000
COUNTERS = 0x01A10000
OBJECT_SUMMARY = 0xA1000000


class Damaged(Exception):
    pass


class Counts:
    """The contents of one .gcda file: its head, and for each function its identity and counters."""

    def __init__(self, data):
        self.runs = 0
        self.functions = {}  # identity -> [counter]
        try:
            self.read(data)
        except struct.error as error:
            raise Damaged(str(error))

    def read(self, data):
        magic, version, self.stamp = struct.unpack_from("<III", data)
        if magic != MAGIC:
            raise Damaged("not a file of counts")
        self.version = version
        major = ((version >> 24) - ord("A")) * 10 + ((version >> 16 & 255) - ord("0"))
        self.unit = unit = 1 if major >= 12 else 4  # of lengths
        at = 12
        self.checksum = None
        if struct.unpack_from("<I", data, at)[0] != OBJECT_SUMMARY:
            self.checksum, = struct.unpack_from("<I", data, at)
            at += 4
        identity = None
        while at < len(data):
            tag, = struct.unpack_from("<I", data, at)
            if tag == 0:
                return
            length, = struct.unpack_from("<i", data, at + 4)
            at += 8
            body = data[at:at + max(length, 0) * unit]
            if len(body) != max(length, 0) * unit:
                break
            at += len(body)
            if tag == OBJECT_SUMMARY:
                self.runs, self.sum_max = struct.unpack("<II", body)
            elif tag == FUNCTION:
                identity = body
            elif tag == COUNTERS and identity:
                # a negative length: this many zeros are not stored
                self.functions[identity] = (array.array("q", body) if length >= 0
                                            else array.array("q", bytes(-length * unit)))
            else:
                raise Damaged(f"unknown record {tag:#x}")
        raise Damaged("torn")

    def add(self, other):
        if (other.stamp, other.version) != (self.stamp, self.version):
            raise Damaged("of another build")
        if any(len(self.functions.get(name, counters)) != len(counters)
               for name, counters in other.functions.items()):
            raise Damaged("of another build")
        self.runs += other.runs
        for name, counters in other.functions.items():
            mine = self.functions.setdefault(name, array.array("q", bytes(8 * len(counters))))
            for index, value in enumerate(counters):
                mine[index] += value

    def write(self, path):
        unit = self.unit
        words = [MAGIC, self.version, self.stamp] + ([] if self.checksum is None else [self.checksum])
        pieces = [struct.pack(f"<{len(words)}I", *words),
                  struct.pack("<IIII", OBJECT_SUMMARY, 8 // unit, self.runs, self.sum_max)]
        for name, counters in self.functions.items():
            pieces += [struct.pack("<II", FUNCTION, len(name) // unit), name,
                       struct.pack("<II", COUNTERS, 8 * len(counters) // unit), counters.tobytes()]
        path.write_bytes(b"".join(pieces) + bytes(4))


def prepare(build):
    """gcc's runtime would make folders that other users may not write to; some tests have such processes."""
    done = subprocess.run(["ctest", "-N"], cwd=build, stdout=subprocess.PIPE, text=True, check=True)
    tests = re.findall(r"^ *Test +#\d+: (\S+)$", done.stdout, re.M)
    folders = {path.parent for path in build.rglob("*.gcno")}
    old = os.umask(0)
    for test in tests:
        for folder in folders:
            (build / "counts" / test / folder.relative_to("/")).mkdir(parents=True, exist_ok=True)
    os.umask(old)


def collect_elsewhere(build):
    """Moves counts of processes with an environment of their own, which are next to the objects, to the others."""
    counts = build / "counts"
    number = len(list(counts.glob("elsewhere-*")))
    for path in build.rglob("*.gcda"):
        if not {counts, build / "sums"} & set(path.parents):
            place = counts / f"elsewhere-{number}" / path.relative_to("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, place)


def add_up(build):
    """Fills BUILD/sums with the sum of all counts of each object, and the object's notes, as gcov expects them. Returns
    the number of damaged files."""
    counts, sums = build / "counts", {}
    damaged = 0
    for path in sorted(counts.rglob("*.gcda")):
        place = pathlib.Path("/", *path.relative_to(counts).parts[1:])
        try:
            found = Counts(path.read_bytes())
            notes = place.with_suffix(".gcno")
            if not notes.exists() or struct.unpack("<I", notes.read_bytes()[8:12])[0] != found.stamp:
                raise Damaged("of another build")
            if place in sums:
                sums[place].add(found)
            else:
                sums[place] = found
        except Damaged:
            damaged += 1
    shutil.rmtree(build / "sums", ignore_errors=True)
    for notes in list(build.rglob("*.gcno")):
        # the tests' own sources are not counted
        if not notes.is_relative_to(build / "tests"):
            copy = build / "sums" / notes.relative_to(build)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(notes, copy)
    for place, total in sums.items():
        copy = build / "sums" / place.relative_to(build)
        if copy.with_suffix(".gcno").exists():
            total.write(copy)
    return damaged


class File:
    def __init__(self):
        self.lines = collections.Counter()
        self.branches = {}  # line -> [count]


def read_gcov(build):
    """{path in the project: File}"""
    notes = sorted((build / "sums").rglob("*.gcno"))
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *map(str, notes)],
                          cwd=build / "sums", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit(f"coverage_report.py: gcov failed with exit code {done.returncode}")
    files = collections.defaultdict(File)
    for text in done.stdout.decode().splitlines():
        for found in json.loads(text)["files"]:
            path = pathlib.Path(found["file"])
            if SOURCE not in path.parents or build in path.parents:
                continue
            file = files[str(path.relative_to(SOURCE))]
            for line in found["lines"]:
                number = line["line_number"]
                file.lines[number] += line["count"]
                taken = [branch["count"] for branch in line["branches"]]
                known = file.branches.get(number, [])
                if len(taken) == len(known):
                    taken = [one + other for one, other in zip(taken, known)]
                if len(taken) >= len(known):
                    file.branches[number] = taken
    return files


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


class Figures:
    def __init__(self, files):
        self.lines = sum(len(file.lines) for file in files)
        self.executed = sum(count > 0 for file in files for count in file.lines.values())
        self.branches = sum(len(counts) for file in files for counts in file.branches.values())
        self.taken = sum(count > 0 for file in files for counts in file.branches.values() for count in counts)

    def row(self, name):
        # rounded down: a goal is not reached by rounding
        return (f"{name:34} {int(percent(self.executed, self.lines) * 10) / 10:6.1f} % {self.executed:6}/{self.lines:<6}"
                f" {int(percent(self.taken, self.branches) * 10) / 10:6.1f} % {self.taken:6}/{self.branches:<6}")


def print_uncovered(name, file):
    text = (SOURCE / name).read_text().split("\n")
    for number in sorted(file.lines):
        missing = [n for n, count in enumerate(file.branches.get(number, [])) if count == 0]
        if file.lines[number] == 0:
            print(f"{name}:{number}: not executed: {text[number - 1].strip()}")
        elif missing:
            print(f"{name}:{number}: {len(missing)} of {len(file.branches[number])} branches not taken: "
                  f"{text[number - 1].strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--uncovered", action="store_true")
    options = parser.parse_args()
    build = options.build.resolve()
    if options.prepare:
        return prepare(build)
    collect_elsewhere(build)
    damaged = add_up(build)
    files = read_gcov(build)
    files = {name: file for name, file in files.items() if name.split("/")[0] in (*ROOMS, "mprof.c")}
    if options.uncovered:
        for name in sorted(files):
            print_uncovered(name, files[name])
    print(f"{'':34} {'lines':^22} {'branches':^22}")
    if options.files:
        for name in sorted(files):
            print(Figures([files[name]]).row(name))
    for room in ROOMS:
        print(Figures([file for name, file in files.items() if name.startswith(room + "/")]).row(room + "/"))
    total = Figures(list(files.values()))
    print(total.row("all"))
    whole = Figures([files[name] for name in WHOLE])
    print(whole.row("parser and escapers"))
    if damaged:
        print(f"left out: {damaged} files of counts, from earlier builds or damaged by the end of a process")
    failed = [name for name, is_reached in (
        (f"{LINES_GOAL} % of lines", percent(total.executed, total.lines) >= LINES_GOAL),
        (f"{BRANCHES_GOAL} % of branches", percent(total.taken, total.branches) >= BRANCHES_GOAL),
        ("all lines of " + ", ".join(WHOLE), whole.executed == whole.lines)) if not is_reached]
    for goal in failed:
        print(f"not reached: {goal}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
