"""The house: which folder may know which, where things lie, how the source looks, what never
stands in it."""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import SOURCE  # noqa: E402

ROOMS = ("parse", "record", "agent", "render")

# Who may include whose headers; a single header of a room by its path.
ARROWS = {
    "parse": {"parse"},
    "record": {"record", "parse", "agent/events/wire.h", "agent/noop_profile_text.h"},
    "render": {"render", "parse"},
    # The agent compiles containers of parse/ that need libc only.
    "agent": {"agent", "parse/array.h", "parse/number_map.h"},
    # One file of the Python package reads recordings.
    "agent/lines/recording_reader.c": {"agent", "parse"},
    "mprof.c": {"parse/commands/command.h", "record/command.h"},
}

# The folders of a room, from the top down: a file may include headers of its own folder and of those
# below it. "" is the room itself.
FLOORS = {
    "parse": ["commands", "export", "import", "formats", "check", "merge", ""],
    "record": ["top", "", "session", "stacks", "inject", "launch", "calls", "output", "processes", "terminal",
               "kernel"],
    "render": ["", "report", "svg", "draw", "figure"],
    "agent": ["entry", "lines", "functions", "events", "memory", ""],
}

# Headers that only drawing may see: recording needs libc alone.
DRAWING = re.compile(r"^(cairo|pango|png|glib|hb|fontconfig|freetype|ft2)")

TOP_LEVEL = {
    ".ci", ".clang-format", ".editorconfig", ".git-blame-ignore-revs", ".gitattributes", ".gitignore",
    "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "agent", "docs", "fixtures",
    "mprof.c", "parse", "pyproject.toml", "record", "render", "tests",
}

# Places of one particular machine; written so that this file does not hold them itself.
MACHINE = re.compile(r"(?<![\w.~}])/(?:roo[t]|wor[k]|tmp/w[t]|tmp/tree[s]|hom[e]/\w+)(?:/|\b)")


@functools.lru_cache
def tracked():
    """Files of the project, relative to its root: git's, or all where this is no checkout."""
    done = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=SOURCE,
                          capture_output=True, text=True)
    if done.returncode == 0:
        names = [name for name in done.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*")
                 if path.is_file() and path.relative_to(SOURCE).parts[0] != "build"]
    return [pathlib.Path(name) for name in names if (SOURCE / name).is_file()]


def sources():
    return [path for path in tracked() if path.suffix in (".c", ".h")]


def includes(path):
    """(spelled, path in the project or None) of each #include of a file."""
    text = (SOURCE / path).read_text()
    for mark, name in re.findall(r'^\s*#\s*include\s*([<"])([^">]+)[>"]', text, re.M):
        candidates = [path.parent / name, pathlib.Path(name)] if mark == '"' else []
        candidates += [pathlib.Path(room, "include", name) for room in ROOMS]
        found = next((pathlib.Path(os.path.normpath(candidate)) for candidate in candidates
                      if (SOURCE / candidate).is_file()), None)
        yield name, found


class House(unittest.TestCase):
    def test_arrows_between_rooms_run_one_way(self):
        checked = 0
        for path in sources():
            room = path.as_posix() if path.as_posix() in ARROWS else path.parts[0]
            for name, target in includes(path):
                if room not in ARROWS or target is None:
                    continue
                checked += 1
                with self.subTest(file=str(path), include=name):
                    self.assertTrue(target.parts[0] in ARROWS[room]
                                    or target.as_posix() in ARROWS[room],
                                    f"{room} must not know {target}")
        self.assertGreater(checked, 5)

    def test_arrows_within_a_room_run_downwards(self):
        checked = 0
        for path in sources():
            if path.parts[0] not in FLOORS:
                continue
            floors = FLOORS[path.parts[0]]
            folder = "/".join(path.parts[1:-1])
            if folder.startswith("include"):
                continue
            with self.subTest(file=str(path)):
                self.assertIn(folder, floors, "a folder that no floor plan shows")
            for name, target in includes(path):
                if target is None or target.parts[0] != path.parts[0] or "include" in target.parts:
                    continue
                checked += 1
                below = "/".join(target.parts[1:-1])
                with self.subTest(file=str(path), include=name):
                    self.assertGreaterEqual(floors.index(below), floors.index(folder),
                                            f"{folder or path.parts[0]} must not know {below}")
        self.assertGreater(checked, 100)

    def test_pointers_are_tested_as_truth_values(self):
        # `if (!p)`, `if (p)`; `p != NULL` only where the answer is returned or stored.
        for path in sources():
            if path.parts[0] == "fixtures":
                continue
            for number, line in enumerate((SOURCE / path).read_text().split("\n"), 1):
                with self.subTest(file=str(path), line=number):
                    self.assertNotIn("== NULL", line)
                    if "!= NULL" in line:
                        self.assertRegex(line, r"return |[^=!<>]=[^=]|, .* != NULL|assert|^ +\S.* != NULL")

    def test_words_are_plain(self):
        # What docs/glossary.md has a plain word for: report, write, say, record.
        riddles = re.compile(r"\b(tells|tell of|tells of|told of|has it that|is to be|are to be|"
                             r"there is news|beside which|nobody has)\b", re.I)
        for path in tracked():
            if path.suffix not in (".c", ".h", ".md", ".py", ".pyi", ".1", ".3") \
                    or path == pathlib.Path("tests/house/test_source.py"):
                continue
            for number, line in enumerate((SOURCE / path).read_text().split("\n"), 1):
                found = riddles.search(line)
                if found:
                    with self.subTest(file=str(path), line=number):
                        self.fail(f"{found[0]}: {line.strip()[:100]}")

    def test_drawing_libraries_are_known_to_drawing_only(self):
        for path in sources():
            if path.parts[0] in ("render", "tests", "docs"):  # docs: programs of others
                continue
            for name, _ in includes(path):
                with self.subTest(file=str(path)):
                    self.assertNotRegex(name, DRAWING)

    def test_libraries_never_print_or_exit(self):
        # Commands do; _exit in a child that could not become the program is no exit of ours.
        commands = re.search(r"add_library\(mprof-command STATIC([^)]*)\)",
                             (SOURCE / "parse" / "CMakeLists.txt").read_text())[1].split()
        speaks = re.compile(r"(?<![\w_])(printf|puts|putchar|perror|exit|abort|quick_exit|getopt\w*|"
                            r"argp_\w+)\s*\(|\b(stderr|stdout)\b")
        for path in sources():
            if path.parts[0] not in ROOMS or re.search(r"(^|_)command(_|$)", path.stem) or path.stem == "main":
                continue
            if path.parts[0] == "parse" and "/".join(path.parts[1:]) in commands:
                continue
            text = (SOURCE / path).read_text()
            text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.S)
            for number, line in enumerate(text.split("\n"), 1):
                with self.subTest(file=str(path), line=number):
                    self.assertNotRegex(line, speaks)

    def test_nothing_lies_at_the_top_that_does_not_belong_there(self):
        self.assertEqual({path.parts[0] for path in tracked()} - TOP_LEVEL, set())

    def test_no_place_of_one_machine_is_named(self):
        for path in tracked():
            try:
                text = (SOURCE / path).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            for number, line in enumerate(text.split("\n"), 1):
                if MACHINE.search(line):
                    with self.subTest(file=str(path), line=number):
                        self.fail(line.strip()[:120])

    def test_layout_is_that_of_clang_format(self):
        tool = next(filter(None, map(shutil.which, ("clang-format-16", "clang-format"))), None)
        if not tool:
            self.skipTest("clang-format is not installed")
        version = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
        if " 16." not in version:
            self.skipTest(f"another version decides otherwise: {version.strip()}")
        files = [str(path) for path in sources() if path.parts[0] != "fixtures"]
        done = subprocess.run([tool, "--dry-run", "-Werror", *files], cwd=SOURCE,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:4000])

    def test_public_headers_stand_alone(self):
        headers = [path for path in tracked()
                   if len(path.parts) > 2 and path.parts[1] == "include" and path.suffix == ".h"]
        self.assertGreater(len(headers), 3)
        with tempfile.TemporaryDirectory() as directory:
            unit = pathlib.Path(directory, "unit.c")
            for header in headers:
                name = "/".join(header.parts[2:])
                # Twice: the guard holds. Nothing else: the header brings what it needs.
                unit.write_text(f"#include <{name}>\n#include <{name}>\nint unit;\n")
                flags = [f"-I{SOURCE / room / 'include'}" for room in ROOMS]
                for compiler in (["cc", "-std=c11"], ["c++", "-x", "c++", "-std=c++11"]):
                    if not shutil.which(compiler[0]):
                        continue
                    done = subprocess.run([*compiler, "-Wall", "-Wextra", "-pedantic", "-Werror",
                                           *flags, "-c", str(unit), "-o", os.devnull],
                                          capture_output=True, text=True)
                    with self.subTest(header=name, compiler=compiler[0]):
                        self.assertEqual(done.returncode, 0, done.stderr)

    def test_public_headers_declare_nothing_but_mprof(self):
        for path in tracked():
            if len(path.parts) < 3 or path.parts[1] != "include" or path.suffix != ".h":
                continue
            text = re.sub(r"/\*.*?\*/", "", (SOURCE / path).read_text(), flags=re.S)
            names = re.findall(r"^(?!typedef|#|\s|\})[\w\s\*]*?\b(\w+)\(", text, re.M)
            names += re.findall(r"^#define\s+(\w+)", text, re.M)
            for name in names:
                with self.subTest(header=str(path), name=name):
                    self.assertRegex(name, r"^(mprof_(?!_)|MPROF_)")

    def test_packages_are_chosen_by_what_a_release_has(self):
        script = """
            set -euo pipefail
            . tests/packages.sh
            packages_is_installed() { [ "$1" = here ]; }
            apt-cache() {
                case $2 in
                    new | plain) printf '%s:\\n  Candidate: 1.0\\n' "$2"; seq 100000 ;; # more than a pipe takes
                    old) printf '%s:\\n  Candidate: (none)\\n' "$2" ;;
                esac
            }
            mapfile -t missing < <(packages_missing plain here 'old|here' 'old|new' 'gone|' lost)
            packages_choose "${missing[@]}"
        """
        done = subprocess.run(["bash", "-c", script], cwd=SOURCE, capture_output=True, text=True, check=True)
        # what must be there is asked for, so that apt-get says that it is missing
        self.assertEqual(done.stdout.split(), ["plain", "new", "lost"])
        self.assertEqual(done.stderr, "optional packages that this release does not have: gone \n")

    def test_python_files_compile_without_a_warning(self):
        # which newer Pythons print, into what is compared
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for path in tracked():
                if path.suffix in (".py", ".pyi"):
                    with self.subTest(file=str(path)):
                        compile((SOURCE / path).read_text(), str(path), "exec")

    def test_the_fuzzer_knows_the_words_of_the_format(self):
        """Records, fields, and words with a meaning of docs/dat-format.md; each STACK with as many fields as there may be."""
        text = (SOURCE / "docs" / "dat-format.md").read_text()
        dictionary = (SOURCE / "fixtures" / "corpus" / "dat.dict").read_text()
        entries = [re.fullmatch(r'"((?:[^"\\]|\\.)*)"', line)[1] for line in dictionary.splitlines()]
        known = [re.sub(r"\\(x[0-9a-f]{2}|.)", lambda escape: chr(int(escape[1][1:], 16)) if len(escape[1]) > 1 else escape[1], entry)
                 for entry in entries]
        grammar = "".join(re.findall(r"^```\n(.*?)^```", text, re.M | re.S)[:2])
        records = re.findall(r"^#?[A-Z]+[| ]", grammar, re.M)
        self.assertGreater(len(records), 12)
        kinds = re.findall(r"`(\w+)`", re.search(r"- The kinds: (.*?)An absent", text, re.S)[1])
        words = {*records, *re.findall(r"\b[a-z]+=", grammar), "status", "signal", "oom", "unknown", "open", "least", "max",
                 *(f"{kind}=" for kind in kinds if kind != "backend"),
                 *(lane.replace(" ", "\\x20") for lane in re.findall(r"`((?:native|ended) threads|process memory)`", text))}
        self.assertGreater(len(words), 30)
        self.assertEqual(sorted(word for word in words if not any(word in entry for entry in known)), [])
        stack = re.search(r"^#STACK\|(.*) nan nan$", grammar, re.M)[1]
        lines = [entry for entry in known if entry.startswith("#STACK|") and entry.endswith("\n")]
        self.assertEqual({line.count("|") for line in lines}, {stack.split("[")[0].count("|") + 1, stack.count("|") + 1})

    def test_decisions_are_indexed_by_their_titles(self):
        folder = SOURCE / "docs" / "decisions"
        index = (folder / "README.md").read_text()
        decisions = sorted(path for path in folder.glob("[0-9]*.md"))
        self.assertGreater(len(decisions), 20)
        for path in decisions:
            number, _, title = path.read_text().split("\n")[0].removeprefix("# ").partition(": ")
            with self.subTest(decision=path.name):
                self.assertEqual(path.name[:5], number + "-")
                self.assertIn(f"- [{number}]({path.name}) {title}\n", index)
        self.assertEqual(index.count("\n- ["), len(decisions))
        numbers = [path.name[:4] for path in decisions]
        self.assertEqual(sorted(set(numbers)), numbers, "a number is used twice")

    def test_scripts_can_be_run(self):
        for name in ("tests/run", "tests/matrix", "docs/demo", ".ci/run"):
            with self.subTest(script=name):
                self.assertTrue(os.access(SOURCE / name, os.X_OK), f"{name} is not executable")
                subprocess.run(["bash", "-n", name], cwd=SOURCE, check=True)


if __name__ == "__main__":
    unittest.main()
