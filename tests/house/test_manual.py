"""The manual says what the program does: every command has its page, every option of --help is in
it, and none that is not."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import MPROF, SOURCE  # noqa: E402

MANUAL = SOURCE / "docs" / "man"

# Told once, in mprof.1.
SHARED = {"--help", "--usage", "--version"}


def help_text(*command):
    done = subprocess.run([MPROF, *command, "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{command} --help: {done.returncode} {done.stderr}"
    return done.stdout


def commands():
    return re.findall(r"^  (\w+)\s{2,}\S", help_text(), re.M)


def options_of_help(command):
    """{long option: short option or None} of a command's --help."""
    found = re.findall(r"^\s{1,8}(?:(-\w|-\?), )?\s*(--[\w-]+)", help_text(command), re.M)
    return {long: short or None for short, long in found}


def options_of_page(path):
    """The same, of the list items of a page."""
    found = {}
    for item in re.findall(r"^\.It (Fl .+)$", path.read_text(), re.M):
        flags = re.findall(r"(?:Fl |, )(-?[\w-]+)", item)
        long = next("-" + flag for flag in flags if flag.startswith("-"))
        found[long] = next(("-" + flag for flag in flags if not flag.startswith("-")), None)
    return found


class Manual(unittest.TestCase):
    def test_every_command_has_a_page_and_every_page_a_command(self):
        pages = {path.stem for path in MANUAL.glob("*.1")}
        self.assertEqual(pages, {"mprof"} | {f"mprof-{command}" for command in commands()})

    def test_options_are_those_of_help(self):
        for command in commands():
            page = options_of_page(MANUAL / f"mprof-{command}.1")
            listed = {long: short for long, short in options_of_help(command).items()
                    if long not in SHARED}
            with self.subTest(command=command):
                if command == "attach":
                    # It takes those of run; the page lists those that apply.
                    self.assertLessEqual(page.items(), listed.items())
                else:
                    self.assertEqual(page, listed)

    def test_shared_options_are_told_once(self):
        self.assertLessEqual(options_of_page(MANUAL / "mprof.1").keys(), SHARED)
        for command in commands():
            with self.subTest(command=command):
                self.assertLessEqual({"--help", "--version"}, options_of_help(command).keys())

    def test_the_command_table_of_the_manual(self):
        page = (MANUAL / "mprof.1").read_text()
        self.assertEqual(re.findall(r"^\.It Cm (\w+)", page, re.M), commands())

    def test_pages_are_well_formed(self):
        tool = shutil.which("mandoc")
        if not tool:
            self.skipTest("mandoc is not installed")
        for path in sorted(MANUAL.glob("*.[135]")):
            with self.subTest(page=path.name):
                done = subprocess.run([tool, "-T", "lint", "-W", "warning", str(path)],
                                      capture_output=True, text=True)
                self.assertEqual(done.stdout + done.stderr, "")
                self.assertEqual(done.returncode, 0)

    def test_every_record_is_in_the_page_of_the_format(self):
        described = (SOURCE / "docs" / "dat-format.md").read_text()
        page = (MANUAL / "mprof-dat.5").read_text()
        words = set(re.findall(r"^#([A-Z]+)\|", described, re.M)) | {"CMDLINE", "MEM", "CHLD", "FUNC"}
        self.assertGreater(len(words), 10)
        self.assertEqual(set(re.findall(r"^\.It Li #?([A-Z]+)", page, re.M)), words)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "example.dat")
            example = re.search(r"^\.Bd [^\n]*\n(CMDLINE.*?)^\.Ed$", page, re.S | re.M)[1]
            path.write_text(example.replace("\\e", "\\"))
            done = subprocess.run([MPROF, "peak", path], capture_output=True, text=True)
            self.assertEqual((done.stdout, done.stderr), (f"{path}\t31.250 MiB\n", ""))

    def test_functions_of_the_library_are_declared(self):
        page = (MANUAL / "libmprof.3").read_text()
        functions = re.findall(r'^\.Ft (.+)\n\.Fn (\w+) (".+")$', page, re.M)
        self.assertGreater(len(functions), 10)
        for kind, name, parameters in functions:
            header = page[:page.index(f".Fn {name} ")].rsplit(".In ", 1)[1].split()[0]
            text = " ".join(next(SOURCE.glob(f"*/include/{header}")).read_text().split())
            listed = ", ".join(re.findall('"(.+?)"', parameters))
            wanted = f"{kind} {name}({listed});".replace("* ", "*")
            with self.subTest(function=name):
                self.assertIn(wanted, text)

    def test_every_function_of_the_library_is_listed_under_its_header(self):
        page = (MANUAL / "libmprof.3").read_text().partition(".Sh INTERFACE\n")[2].partition("\n.Sh ")[0]
        exported = {name for path in (SOURCE / "tests/install").glob("symbols-*.txt") for name in path.read_text().split()}
        self.assertEqual(sorted(re.findall(r"^\.Fn (\w+)", page, re.M)), sorted(exported))
        items = re.findall(r"^\.It In (\S+)\n(.*?)(?=^\.It|^\.El)", page, re.S | re.M)
        self.assertEqual(sorted(header for header, _ in items),
                         sorted(f"mprof/{path.name}" for path in SOURCE.glob("*/include/mprof/*.h") if path.name != "mark.h"))
        for header, item in items:
            text = next(SOURCE.glob(f"*/include/{header}")).read_text()
            for name in re.findall(r"^\.Fn (\w+)", item, re.M):
                self.assertRegex(text, rf"\b{name}\(", header)

    def test_options_in_documents_exist(self):
        """Of commands in running text; tests/documents runs those of blocks."""
        options = {command: options_of_help(command).keys() | {"--own-agent"} for command in commands()}
        checked = 0
        for path in sorted([*SOURCE.glob("*.md"), *(SOURCE / "docs").glob("*.md")]):
            for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", path.read_text()):
                for command, rest in re.findall(r"\bmprof ([a-z]+)((?: [^|;&>]*)?)", code):
                    if command == "run":  # what follows the program is its own
                        rest = re.match(r"(?: -\S+(?: [^\s-]\S*)?)*", rest)[0]
                    for option in re.findall(r"(?<![\w-])--[a-z][\w-]+", rest):
                        checked += 1
                        with self.subTest(file=path.name, code=code):
                            self.assertIn(option, options[command])
        self.assertGreater(checked, 30)

    def test_links_between_documents_lead_somewhere(self):
        checked = 0
        for path in sorted([*SOURCE.glob("*.md"), *(SOURCE / "docs").rglob("*.md")]):
            for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
                if re.match(r"https?:", target):
                    continue
                checked += 1
                with self.subTest(file=str(path.relative_to(SOURCE)), link=target):
                    self.assertTrue((path.parent / target).exists())
        self.assertGreater(checked, 5)


if __name__ == "__main__":
    unittest.main()
