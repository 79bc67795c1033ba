"""What the libraries export is the committed lists symbols-*.txt, and the public headers compile alone in C and
C++. After a change of the interface: test_symbols.py --write."""

import pathlib
import subprocess
import sys
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


class Symbols(TestCase):
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
        includes = [f"-I{folder}" for folder in sorted({header.parent.parent for header in HEADERS})]
        for header in HEADERS:
            for compiler, language, standard in (("cc", "c", "c11"), ("c++", "c++", "c++17")):
                with self.subTest(header=header.name, standard=standard):
                    done = subprocess.run(
                        [compiler, "-x", language, f"-std={standard}", *WARNINGS, *includes, "-fsyntax-only", "-"],
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
        includes = [f"-I{folder}" for folder in sorted({header.parent.parent for header in HEADERS})]
        for compiler, language, standard in (("cc", "c", "c11"), ("c++", "c++", "c++17")):
            with self.subTest(standard=standard):
                done = subprocess.run([compiler, "-x", language, f"-std={standard}", *WARNINGS, *includes,
                                       "-fsyntax-only", "-"], input=text, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    if "--write" in sys.argv:
        for list_name, built in LIBRARIES.items():
            (HERE / list_name).write_text("\n".join(exported(BUILD / built[0])) + "\n")
    else:
        unittest.main()
