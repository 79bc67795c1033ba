"""--json of peak, list and top: the schema of docs/schema, jq as another reader, and the numbers of the
files themselves. Every command of docs/json.md is run."""

import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import unittest

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import FIXTURES, MPROF, SOURCE, Recording, TestCase, own_line, python  # noqa: E402

SCHEMA = json.loads((SOURCE / "docs" / "schema" / "output.schema.json").read_text())
MIB = 1024 * 1024
HOSTILE = b"a\x1b[31m \xff \xc2\x9b31m \xe2\x80\xae\"\\ \x01"


def check_schema(document):
    """Against its own definition, so that a failure names the member."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    definition = {"$ref": f"#/definitions/{document['format']}", "definitions": SCHEMA["definitions"]}
    jsonschema.Draft7Validator(definition).validate(document)
    jsonschema.Draft7Validator(SCHEMA).validate(document)


class Json(TestCase):
    def document(self, *arguments, expect=0, **options):
        done = self.run_mprof(*arguments, "--json", expect=expect, **options)
        document = json.loads(done.stdout)
        check_schema(document)
        by_jq = subprocess.run(["jq", "-c", "."], input=done.stdout, capture_output=True, text=True, check=True)
        self.assertEqual(json.loads(by_jq.stdout), document)
        return document

    @staticmethod
    def bytes_of(mib):
        """Six decimals of a MiB are almost a byte, and kernels count in KiB."""
        size, whole = round(mib * MIB), round(mib * 1024) * 1024
        return whole if abs(size - whole) <= 1 else size

    def test_peaks_are_those_of_the_files(self):
        files = sorted((FIXTURES / "dat").glob("*.dat"))
        document = self.document("peak", *map(str, files))
        for path, item in zip(files, document["recordings"], strict=True):
            recording = Recording(path)
            with self.subTest(path.name):
                self.assertEqual(item["file"], str(path))
                self.assertEqual(item["peak_bytes"], self.bytes_of(max(mib for mib, _ in recording.mem)))
                children = {}
                for pid, mib, _ in recording.chld:
                    children[pid] = max(children.get(pid, 0), self.bytes_of(mib))
                self.assertEqual({process["pid"]: process["peak_bytes"] for process in item["processes"]
                                  if process["peak_bytes"] is not None}, children)
                self.assertEqual(sum(run["samples"] for run in item["runs"]), len(recording.mem))

    def test_functions(self):
        item = self.document("functions", FIXTURES / "dat" / "nested.dat")["recordings"][0]
        calls = Recording(FIXTURES / "dat" / "nested.dat").calls
        self.assertEqual({function["name"]: function["calls"] for function in item["functions"]},
                         {name: sum(call.name == name for call in calls) for name in {call.name for call in calls}})
        document = self.document("functions", "none.dat", expect=1)
        self.assertIn("none.dat", document["recordings"][0]["file"])

    def test_kernel_marks_kinds_and_the_control_group(self):
        burst = "import time; time.sleep(0.3); b = bytearray(80 << 20); del b; time.sleep(0.1)"
        self.run_mprof("run", "-M", "-T", "20", "--memory", "pss", "-o", "x.dat", python(), "-c", burst)
        item = self.document("peak", "x.dat")["recordings"][0]
        self.assertGreater(item["kinds"]["pss"], 0)
        self.assertFalse(item["kernel_peak_is_lower_bound"])
        self.assertGreater(item["kernel_peak_bytes"], 80 * MIB)
        self.assertLess(item["peak_bytes"], 80 * MIB)

    def test_processes_of_a_recording(self):
        self.run_mprof("run", "-M", "-T", "0.02", "--memory", "pss", "-o", "x.dat", "sh", "-c",
                       "sleep 0.5; true")
        item = self.document("peak", "x.dat")["recordings"][0]
        process = next(process for process in item["processes"] if process["name"] == "sleep")
        self.assertGreater(process["peak_bytes"], 0)
        self.assertGreater(process["kinds"]["pss"], 0)

    def test_a_function(self):
        path = str(FIXTURES / "dat" / "nested.dat")
        item = self.document("peak", "-f", "__main__.nowhere", path)["recordings"][0]
        self.assertIsNone(item["peak_bytes"])
        self.assertFalse(item["function_was_called"])
        name = Recording(path).calls[0].name
        item = self.document("peak", "-f", name, path)["recordings"][0]
        self.assertEqual(item["function"], name)
        self.assertTrue(item["function_was_called"])
        self.assertGreater(item["peak_bytes"], MIB)

    def test_unreadable_files_are_items_with_a_reason(self):
        (self.directory / "bad.dat").write_bytes(b"")
        good = str(FIXTURES / "dat" / "nested.dat")
        document = self.document("peak", "bad.dat", good, expect=1)
        self.assertEqual(document["recordings"][0], {"file": "bad.dat", "error": "is empty"})
        self.assertIsNone(document["recordings"][1]["error"])
        document = self.document("peak", "missing.dat", "-7", good, expect=1)
        self.assertEqual([(item["file"], bool(item["error"])) for item in document["recordings"]],
                         [(good, False), ("missing.dat", True), ("-7", True)])

    def test_nothing_to_read_is_an_empty_list(self):
        self.assertEqual(self.document("list")["recordings"], [])
        self.assertEqual(self.document("peak", expect=1)["recordings"], [])

    def test_list_has_every_run_and_every_number(self):
        shutil.copy(FIXTURES / "dat" / "appended-runs.dat", self.directory / "mprofile_20260101000000.dat")
        (self.directory / "mprofile_20260102000000.dat").write_bytes(b"nonsense\n" * 9)
        shutil.copy(FIXTURES / "dat" / "nested.dat", self.directory / "mprofile_20260103000000.dat")
        items = self.document("list")["recordings"]
        self.assertEqual([item["number"] for item in items], [0, 1, 2])
        runs = items[0]["runs"]
        self.assertGreater(len(runs), 1)
        self.assertEqual([run["number"] for run in runs], list(range(1, len(runs) + 1)))
        self.assertEqual(items[1]["runs"], [])
        self.assertIn("not a recording", items[1]["error"])
        whole = Recording(FIXTURES / "dat" / "nested.dat")
        self.assertAlmostEqual(items[2]["runs"][0]["duration_s"], whole.mem[-1][1] - whole.mem[0][1], places=3)

    def test_hostile_text_is_data(self):
        (self.directory / "x.dat").write_bytes(
            b"CMDLINE " + HOSTILE + b"\nMEM 5.0 1795330000.0\nCHLD 7 2.0 1795330000.0\n" +
            own_line("PROC", 7, 1, "1795330000.0", HOSTILE.decode("utf-8", "surrogateescape")).encode())
        shown = HOSTILE.decode("utf-8", "replace")
        item = self.document("peak", "x.dat")["recordings"][0]
        self.assertEqual(item["processes"][0]["name"], shown)
        self.assertEqual(item["runs"][0]["command_line"], shown)
        name = os.fsdecode(b"f\xff.dat")
        os.rename(self.directory / "x.dat", self.directory / name)
        self.assertEqual(self.document("peak", name)["recordings"][0]["file"], "f\ufffd.dat")

    def test_a_terminal_gets_ascii(self):
        (self.directory / "x.dat").write_bytes(b"CMDLINE " + HOSTILE + b"\nMEM 5.0 1795330000.0\n")
        master, slave = pty.openpty()
        subprocess.run([MPROF, "peak", "--json", "x.dat"], cwd=self.directory, stdout=slave, check=True)
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 65536):
                text += part
        except OSError:
            pass
        os.close(master)
        self.assertRegex(text.decode("ascii"), r"^[\x20-\x7e\r\n]+$")
        self.assertEqual(json.loads(text)["recordings"][0]["runs"][0]["command_line"],
                         HOSTILE.decode("utf-8", "replace"))

    def test_numbers_do_not_depend_on_the_locale(self):
        env = dict(os.environ, LC_ALL="de_DE.UTF-8")
        document = self.document("list", env=env, cwd=FIXTURES / "dat")
        self.assertEqual(document["recordings"], [])
        self.document("peak", str(FIXTURES / "dat" / "nested.dat"), env=env)

    def test_top_of_a_process_and_of_a_file(self):
        process = self.start("python3", "-c", "import time; b = bytearray(30 << 20); time.sleep(60)")
        document = self.document("top", "--once", str(process.pid))
        self.assertEqual(document["state"], "running")
        self.assertEqual(document["running_count"], 1)
        row = document["processes"][0]
        self.assertEqual(row["pid"], process.pid)
        self.assertIsNone(row["end"])
        self.assertEqual(row["memory_bytes"], document["memory_bytes"])
        self.run_mprof("run", "-M", "-o", "x.dat", "sh", "-c", "sh -c 'sleep 0.3; exit 7'; true")
        document = self.document("top", "x.dat")
        self.assertEqual(document["state"], "not recording")
        ends = [row["end"] for row in document["processes"]]
        self.assertIn({"cause": "status", "value": 0}, ends)
        if {"cause": "unknown", "value": None} not in ends:  # the kernel reports those of others
            self.assertIn({"cause": "status", "value": 7}, ends)
        self.assertEqual(document["running_count"], 0)

    def test_top_prints_a_line_for_each_update(self):
        process = self.start("sleep", "60")
        done = self.run_mprof("top", "--json", "-n", "3", "-T", "0.05", str(process.pid))
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            check_schema(json.loads(line))

    def test_a_full_device_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            for command in (["peak"], ["top", "--once"]):
                done = subprocess.run([MPROF, *command, "--json", str(FIXTURES / "dat" / "nested.dat")],
                                      stdout=full, stderr=subprocess.PIPE, text=True)
                self.assertEqual(done.returncode, 1, command)
                self.assertIn("cannot write to standard output", done.stderr)


class Document(TestCase):
    """The commands of docs/json.md."""

    def test_commands_run(self):
        shutil.copy(FIXTURES / "dat" / "article-gunicorn-M.dat", self.directory / "mprofile_20260101000000.dat")
        for name in ("service.dat", "before.dat", "now.dat"):
            shutil.copy(FIXTURES / "dat" / "nested.dat", self.directory / name)
        env = dict(os.environ, PATH=f"{pathlib.Path(MPROF).parent}:{os.environ['PATH']}")
        process = self.start("sleep", "60")
        blocks = re.findall(r"```sh\n(.*?)```", (SOURCE / "docs" / "json.md").read_text(), re.S)
        self.assertGreater(len(blocks), 3)
        for block in blocks:
            script = block.replace("4711", str(process.pid)).replace("-n 60", "-n 2 -T 0.1")
            with self.subTest(script):
                done = subprocess.run(["bash", "-ec", script], cwd=self.directory, env=env,
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                if "select" not in script:
                    self.assertRegex(done.stdout, r"\d")


if __name__ == "__main__":
    unittest.main()
