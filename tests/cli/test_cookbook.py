"""Every snippet of docs/ci.md is run: extracted under its name, by the tool it is for. Each has to pass within its limit, and
to fail where the program needs more."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import DEADLINE_S, MPROF, SOURCE, Recording, TestCase  # noqa: E402

DOCUMENT = (SOURCE / "docs" / "ci.md").read_text()
SNIPPETS = {test: (name, text) for name, test, text in re.findall(
    r"<!-- file: (\S+), test: (\w+) -->\n```\w+\n(.*?)```\n", DOCUMENT, re.S)}

# Needs 40 MiB, or what the file says.
IMPORTER = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    int mib = 0;
    if (!file || fscanf(file, "%d", &mib) != 1) {
        return 9;
    }
    volatile char *block = malloc((size_t)mib << 20);
    memset((char *)block, 1, (size_t)mib << 20);
    usleep(150000);
    return block[mib] == 1 ? 0 : 8;
}
"""


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, f"{', '.join(missing)} is not installed")


class Cookbook(TestCase):
    def setUp(self):
        super().setUp()
        self.path = f"{pathlib.Path(MPROF).parent}:{os.environ['PATH']}"
        (self.directory / "importer.c").write_text(IMPORTER)
        subprocess.run(["cc", "-o", "importer", "importer.c"], cwd=self.directory, check=True)
        self.orders(40)

    def orders(self, mib):
        (self.directory / "orders.csv").write_text(f"{mib}\n")

    def put(self, test, limit=None):
        """Writes the snippet under its name; returns its text. limit: in place of the one of the document."""
        name, text = SNIPPETS[test]
        if limit:
            self.assertIn("500MiB", text)
            text = text.replace("500MiB", limit)
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return text

    def do(self, *command, expect=0, **environment):
        done = subprocess.run([str(part) for part in command], cwd=self.directory, capture_output=True, text=True,
                              env=self.environment(PATH=self.path, **environment), timeout=DEADLINE_S)
        if expect == "failure":
            self.assertNotEqual(done.returncode, 0, done.stdout + done.stderr)
        else:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def shell(self, script, expect=0, **environment):
        return self.do("bash", "-e", "-o", "pipefail", "-c", script, expect=expect, **environment)

    def test_every_snippet_has_a_test(self):
        tests = {name[len("test_"):] for name in dir(self) if name.startswith("test_")}
        self.assertLessEqual(set(SNIPPETS), tests)
        blocks = re.findall(r"^```(\w+)$", DOCUMENT, re.M)
        self.assertEqual(len(blocks), len(SNIPPETS) + 1)  # the first one, without a name
        formats = re.findall(r"^\| `([a-z-]+)` \|", DOCUMENT, re.M)
        self.assertEqual(formats, re.findall(r'\{"([a-z-]+)",', (SOURCE / "parse/formats/formats.c").read_text()))

    def test_the_first_command(self):
        script = re.search(r"```sh\n(.*?)```", DOCUMENT, re.S)[1]
        self.shell(script)
        self.shell(script.replace("500MiB", "20MiB"), expect=1)
        (self.directory / "orders.csv").unlink()
        self.shell(script, expect=9)

    def test_ini(self):
        self.put("ini")
        self.assertIn("peak", self.shell("mprof run -q --check -o importer.dat ./importer orders.csv", expect=3))
        self.put("ini", "20MiB")
        self.shell("mprof run -q --check -o importer.dat ./importer orders.csv", expect=1)

    def test_baseline(self):
        self.put("baseline")
        self.do("sh", "memory.sh", expect="failure")
        self.do("sh", "memory.sh", "update")
        self.do("sh", "memory.sh")
        self.orders(50)
        self.do("sh", "memory.sh", expect=1)

    def run_action(self, inputs, expect):
        """The steps of docs/ci/action.yml as a runner executes them."""
        action = yaml.safe_load((SOURCE / "docs" / "ci" / "action.yml").read_text())
        self.assertEqual(action["runs"]["using"], "composite")
        values = {name: given.get("default") for name, given in action["inputs"].items()}
        self.assertLessEqual(set(inputs), set(values))
        values.update(inputs)
        codes = []
        for step in action["runs"]["steps"]:
            if "uses" in step:
                self.assertTrue((self.directory / step["with"]["path"].replace("${{ inputs.name }}", values["name"])).is_dir())
                continue
            self.assertNotIn("${{", step["run"])
            self.assertEqual(step["shell"], "bash")
            if codes and codes[-1] != 0 and step.get("if") != "always()":
                continue
            environment = {name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: values[match[1]], value)
                           for name, value in step["env"].items()}
            done = subprocess.run(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
                                  cwd=self.directory, capture_output=True, text=True, timeout=DEADLINE_S,
                                  env=self.environment(PATH=self.path, GITHUB_ACTIONS="true", **environment,
                                                       GITHUB_STEP_SUMMARY=str(self.directory / "summary.md")))
            codes.append(done.returncode)
        self.assertEqual(codes, [expect, 0], done.stderr)

    def test_workflow(self):
        workflow = yaml.safe_load(self.put("workflow"))
        steps = workflow["jobs"]["memory"]["steps"]
        inputs = next(step["with"] for step in steps if step.get("uses") == "./.github/actions/memory")
        inputs["limits"] = inputs["limits"].replace(" --max-growth 50MiB/min", "")  # 150 ms are too short to judge it
        self.run_action(inputs, 0)
        self.run_action({**inputs, "limits": "--max 20MiB", "name": "small"}, 1)
        self.assertIn("**crossed**", (self.directory / "summary.md").read_text())
        self.assertEqual({path.name for path in (self.directory / "memory-small").iterdir()},
                         {"small.dat", "junit.xml", "results.json", "report.html"})
        self.run_action({"command": "echo \"$(id)\" > proof; ./importer 'orders.csv'", "limits": "--max 1GiB"}, 0)
        self.assertTrue((self.directory / "proof").exists())

    def test_step(self):
        (step,) = yaml.safe_load(self.put("step"))
        self.assertIn("::notice", self.shell(step["run"], GITHUB_ACTIONS="true"))

    def test_gitlab(self):
        self.put("make")
        job = yaml.safe_load(self.put("gitlab"))["memory"]
        self.shell("\n".join(job["script"]))
        self.shell("\n".join(job["after_script"]))
        for name in (*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()):
            self.assertGreater((self.directory / name).stat().st_size, 50, name)

    def test_jenkins(self):
        text = self.put("jenkins")
        for script in re.findall(r"^\s+sh '(.*)'$", text, re.M):
            self.shell(script)
        for name in re.findall(r"[\w.]+\.(?:dat|xml)", text[text.index("always"):]):
            self.assertTrue((self.directory / name).is_file(), name)

    def test_shell(self):
        self.put("shell")
        self.do("sh", "check-memory.sh")
        self.put("shell", "20MiB")
        self.do("sh", "check-memory.sh", expect=1)
        self.assertIn("**crossed**", (self.directory / "memory.md").read_text())

    @needs("make")
    def test_make(self):
        self.put("make")
        self.do("make", "check-memory")
        self.put("make", "20MiB")
        self.assertIn("CROSSED", self.do("make", "check-memory", expect=2))

    @needs("cmake", "ctest")
    def test_ctest(self):
        for limit, expect in (("500MiB", 0), ("20MiB", 8)):
            self.put("ctest", limit)
            self.do("cmake", "-S", ".", "-B", "b")
            self.do("cmake", "--build", "b")
            self.do("ctest", "--test-dir", "b", "--output-on-failure", expect=expect)
        self.assertGreater(max(mib for mib, _ in Recording(self.directory / "b" / "orders.dat").mem), 39)

    @needs("meson", "ninja")
    def test_meson(self):
        for limit, expect in (("500MiB", 0), ("20MiB", 1)):
            self.put("meson", limit)
            self.do("meson", "setup", "--wipe" if (self.directory / "b").exists() else "b", *(["b"] if (
                self.directory / "b").exists() else []))
            self.do("meson", "test", "-C", "b", "--setup", "memory", expect=expect)

    @needs("cargo")
    def test_cargo(self):
        (self.directory / "Cargo.toml").write_text('[package]\nname = "importer"\nversion = "0.1.0"\nedition = "2021"\n')
        (self.directory / "src").mkdir()
        (self.directory / "src" / "main.rs").write_text(
            "fn main() {}\n#[test]\nfn block() { let b = vec![1u8; 40 << 20]; "
            "std::thread::sleep(std::time::Duration::from_millis(150)); assert_eq!(b[7], 1); }\n")
        self.put("cargo")
        home = os.path.expanduser("~")
        self.do("cargo", "test", "--offline", HOME=home)
        self.put("cargo", "20MiB")
        self.assertIn("CROSSED", self.do("cargo", "test", "--offline", expect="failure", HOME=home))

    @needs("go")
    def test_go(self):
        (self.directory / "go.mod").write_text("module importer\n\ngo 1.19\n")
        (self.directory / "block_test.go").write_text('''package importer

import (
\t"testing"
\t"time"
)

func TestBlock(t *testing.T) {
\tblock := make([]byte, 40<<20)
\tfor i := range block {
\t\tblock[i] = 1
\t}
\ttime.Sleep(150 * time.Millisecond)
\tif block[7] != 1 {
\t\tt.Fail()
\t}
}
''')
        (self.directory / "importer.c").unlink()
        cache = {"GOCACHE": str(self.directory / "cache"), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
        self.put("go")
        self.do("sh", "memory-go.sh", **cache)
        self.put("go", "20MiB")
        self.assertIn("CROSSED", self.do("sh", "memory-go.sh", expect="failure", **cache))

    @needs("npm", "node")
    def test_npm(self):
        (self.directory / "test.js").write_text("Buffer.alloc(80 << 20, 1);\n")
        self.put("npm")
        self.do("npm", "run", "test:memory")
        self.put("npm", "20MiB")
        self.do("npm", "run", "test:memory", expect="failure")


if __name__ == "__main__":
    unittest.main()
