"""What the libraries export is the committed lists symbols-*.txt, the sizes and members of public structs and the values of
public constants are those of layout.txt, and the public headers compile alone in C and C++. After a change of the interface:
test_symbols.py --write. It refuses a layout with which programs that were built before would not run, unless
MPROF_SOVERSION was raised, too."""

import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import MPROF, SOURCE, TestCase  # noqa: E402

BUILD = pathlib.Path(MPROF).parent
HERE = pathlib.Path(__file__).resolve().parent
HEADERS = sorted(SOURCE.glob("*/include/mprof/*.h"))
# The shared libmprof-render contains libmprof.
LIBRARIES = {"symbols-mprof.txt": ("parse/libmprof.a", "libmprof.so"),
             "symbols-mprof-render.txt": ("libmprof-render.so",)}
WARNINGS = ("-pedantic", "-Wall", "-Wextra", "-Werror")


def exported(library):
    """The symbols that a library defines for others, sorted."""
    which = ["--dyn-syms"] if library.suffix == ".so" else ["--syms"]
    text = subprocess.run(["readelf", "-W", *which, library], capture_output=True, text=True, check=True).stdout
    names = set()
    for words in map(str.split, text.splitlines()):
        if len(words) == 8 and words[4] in ("GLOBAL", "WEAK") and words[5] in ("DEFAULT", "PROTECTED") \
                and words[6] not in ("UND", "ABS"):
            names.add(words[7].split("@")[0])
    return sorted(names)


INCLUDES = [f"-I{folder}" for folder in sorted({header.parent.parent for header in HEADERS})]


def declared():
    """The public structs with their members, and the constants of enumerations; not how many of these there are."""
    structs, constants = {}, []
    for header in HEADERS:
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        for body, name in re.findall(r"typedef struct \w+ \{([^{}]*)\}\s*(\w+)\s*;", text):
            members = structs[name] = []
            for declaration in filter(str.strip, body.split(";")):
                if pointer := re.search(r"\(\s*\*\s*(\w+)\s*\)", declaration):
                    members.append(pointer[1])
                else:
                    members += [re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*$", one.strip())[1] for one in declaration.split(",")]
        for body in re.findall(r"enum(?: \w+)? \{([^{}]*)\}", text):
            constants += [name for name in re.findall(r"\b(MPROF_\w+)\s*(?:=[^,]*)?(?:,|$)", body) if not name.endswith("_COUNT")]
    return structs, constants


def layout(directory):
    """As {name: number}: MPROF_SOVERSION, the size of each struct, the place of each member, the value of each constant."""
    structs, constants = declared()
    lines = ['say("MPROF_SOVERSION", MPROF_SOVERSION);']
    for name, members in structs.items():
        lines.append(f'say("{name}", sizeof({name}));')
        lines += [f'say("{name}.{member}", offsetof({name}, {member}));' for member in members]
    lines += [f'say("{name}", (long){name});' for name in constants]
    text = "\n".join(["#include <stddef.h>", "#include <stdio.h>", *(f"#include <mprof/{header.name}>" for header in HEADERS),
                      "static void say(const char *name, long value) { printf(\"%s %ld\\n\", name, value); }",
                      "int main(void) {", *lines, "}"])
    program = pathlib.Path(directory, "layout")
    subprocess.run(["cc", "-x", "c", "-std=c11", *INCLUDES, "-o", program, "-"], input=text, text=True, check=True)
    return dict(read_layout(subprocess.run([program], capture_output=True, text=True, check=True).stdout))


def read_layout(text):
    return {name: int(value) for name, value in map(str.split, text.splitlines())}


def breaks(before, now):
    """What earlier programs would find elsewhere. Structs that begin with their size may become longer."""
    return [f"{name} {value} -> {now.get(name)}" for name, value in before.items()
            if now.get(name) != value and not (f"{name}.size" in before and now.get(name, 0) > value)]


class Symbols(TestCase):
    @unittest.skipUnless(struct.calcsize("P") == 8, "layout.txt is that of 64 bits")
    def test_layout_of_structs(self):
        """A struct that becomes longer, a member that moves, a constant that changes: they need another MPROF_SOVERSION."""
        now, listed = layout(self.directory), read_layout((HERE / "layout.txt").read_text())
        self.assertGreater(len(now), 300)
        self.assertIn("mprof_tick.kinds_mib", now)
        self.assertEqual(breaks(listed, now), [], "see docs/embedding.md, Versions")
        self.assertEqual(now, listed, "additions are written by test_symbols.py --write")

    def test_what_breaks_earlier_programs(self):
        before = {"a": 24, "a.size": 0, "a.x": 8, "b": 16, "b.x": 0, "KIND": 2}
        for change, found in (({}, []), ({"a": 32, "a.y": 24}, []), ({"c": 8, "KIND_2": 3}, []), ({"b": 24}, ["b 16 -> 24"]),
                              ({"a.x": 16}, ["a.x 8 -> 16"]), ({"KIND": 3}, ["KIND 2 -> 3"]), ({"a": 16}, ["a 24 -> 16"])):
            self.assertEqual(breaks(before, {**before, **change}), found)
        self.assertEqual(breaks(before, {name: value for name, value in before.items() if name != "b.x"}), ["b.x 0 -> None"])

    def test_exported_symbols(self):
        for name, files in LIBRARIES.items():
            for library in (BUILD / file for file in files):
                if library.exists() or library.suffix == ".a" or "render" in library.name:
                    with self.subTest(library=library.name):
                        self.assertEqual(exported(library), (HERE / name).read_text().split())

    def test_names_of_exported_symbols(self):
        for name in LIBRARIES:
            for symbol in (HERE / name).read_text().split():
                with self.subTest(symbol=symbol):
                    self.assertRegex(symbol, r"\Amprof_[a-z]\w*\Z")

    def test_shared_library_has_a_version(self):
        text = subprocess.run(["readelf", "-d", BUILD / "libmprof-render.so"], capture_output=True, text=True,
                              check=True).stdout
        self.assertIn("[libmprof-render.so.0]", text)

    def test_headers_compile_alone(self):
        self.assertGreater(len(HEADERS), 10)
        for header in HEADERS:
            for compiler, language, standard in (("cc", "c", "c11"), ("c++", "c++", "c++17")):
                with self.subTest(header=header.name, standard=standard):
                    done = subprocess.run(
                        [compiler, "-x", language, f"-std={standard}", *WARNINGS, *INCLUDES, "-fsyntax-only", "-"],
                        input=f"#include <mprof/{header.name}>\n#include <mprof/{header.name}>\nint unused;\n",
                        capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_options_begin_with_init_in_both_languages(self):
        """The INIT macros, too, which -fsyntax-only of a header does not expand."""
        text = "\n".join(f"#include <mprof/{header.name}>" for header in HEADERS) + """
        int main(void)
        {
            mprof_figure_options figure = MPROF_FIGURE_OPTIONS_INIT;
            mprof_draw_options draw = MPROF_DRAW_OPTIONS_INIT;
            mprof_profiles_options profiles = MPROF_PROFILES_OPTIONS_INIT;
            mprof_style style = MPROF_STYLE_INIT;
            mprof_error error = MPROF_ERROR_INIT;
            draw.style = &style;
            return figure.size == 0 || draw.size == 0 || profiles.size == 0 || error.status != MPROF_OK;
        }
        """
        for compiler, language, standard in (("cc", "c", "c11"), ("c++", "c++", "c++17")):
            with self.subTest(standard=standard):
                done = subprocess.run([compiler, "-x", language, f"-std={standard}", *WARNINGS, *INCLUDES,
                                       "-fsyntax-only", "-"], input=text, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    if "--write" in sys.argv:
        for list_name, built in LIBRARIES.items():
            (HERE / list_name).write_text("\n".join(exported(BUILD / built[0])) + "\n")
        with tempfile.TemporaryDirectory() as scratch:
            found = layout(scratch)
        earlier = read_layout((HERE / "layout.txt").read_text()) if (HERE / "layout.txt").exists() else {}
        wrong = breaks(earlier, found) if earlier.get("MPROF_SOVERSION") == found["MPROF_SOVERSION"] else []
        if wrong:
            sys.exit("raise MPROF_SOVERSION: " + ", ".join(wrong))
        (HERE / "layout.txt").write_text("".join(f"{name} {value}\n" for name, value in found.items()))
    else:
        unittest.main()
