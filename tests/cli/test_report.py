"""mprof report: the numbers of JSON, page and summary against an independent reader; files that appear as a whole;
names that may hold anything; sizes."""

import html
import html.parser
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import (DEADLINE_S, FIXTURES, MPROF, SOURCE, Recording, TestCase, is_sanitized, own_line,  # noqa: E402
                        tiny_file_system, wait_until)

try:
    import jsonschema
except ImportError:
    jsonschema = None

NESTED = FIXTURES / "dat" / "nested.dat"
CHILDREN = FIXTURES / "dat" / "article-gunicorn-CM.dat"
SUMMARY_MAX = 1048576
MIB = 1048576

HOSTILE = [
    "<script>window.hacked=1</script>", "]]></script><script>window.hacked=2</script>", "\"><img src=x onerror=window.hacked=3>",
    "' onmouseover='window.hacked=4", "</td></table><h1>x", "&lt;b&gt;", "{{name}}", "{{#rows}}", "| a | b |", "`code`", "[a](http://x)",
    "![a](http://x)", "@everyone", "#1", "```", "<!--", "-->", "\u202egnp.exe", "\u2066a\u2069", "مرحبا", "\x1b[31mred", "a\x07b", "x\x7fy",
    "</code></summary></details>", "www.example.org", "a@example.org", "https://example.org", "$x$", "~~a~~", "**b**", "<details>", "\\", "%0A::error::x", "数据", "é", "javascript:alert(1)",
]


class Tags(html.parser.HTMLParser):
    """Start tags with their attributes, text, and end tags that have no start."""

    VOID = {"meta", "link", "input", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.starts, self.wrong, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.starts.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.starts.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append((tag, self.open[-3:]))
        else:
            self.open.pop()

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)


def parsed(text):
    tags = Tags()
    tags.feed(text)
    tags.close()
    return tags


def plain_recording(index=0, samples=60, functions=2):
    lines = [f"CMDLINE python3 job{index}.py"]
    lines += [f"MEM {50 + 40 * abs((i * (index + 3)) % 20 - 10) / 10:.6f} {1000 + i / 10:.4f}" for i in range(samples)]
    lines += [f"FUNC job.step{k} 50.0000 {1000 + k:.4f} {60 + k:.4f} {1000.8 + k:.4f} 0" for k in range(functions)]
    return "\n".join(lines) + "\n"


class Report(TestCase):
    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    def report(self, *arguments, kind="json", **options):
        """What is written of these recordings: the text, or the data of JSON."""
        path = self.directory / f"out.{kind}"
        self.run_mprof("report", "-o", path, *arguments, **options)
        text = path.read_text()
        return json.loads(text) if kind == "json" else text

    def hostile(self):
        lines = ["CMDLINE " + " ".join(HOSTILE)]
        lines += [f"MEM {50 + i} {1000 + i}" for i in range(40)]
        text = "\n".join(lines) + "\n"
        for i, name in enumerate(HOSTILE):
            text += own_line("PROC", 100 + i, 1, f"{1000 + i % 30}.000000", name)
            name = name.replace("\\", "\\\\").encode("utf-8", "surrogateescape")
            name = b"".join(b"\\x%02x" % byte if byte < 33 or byte == 127 else bytes([byte]) for byte in name)
            text += f"FUNC {name.decode('utf-8', 'surrogateescape')} 50 {1001 + i % 30} 60 {1001.5 + i % 30} 0 pid={100 + i}\n"
        return self.write("hostile.dat", text)

    # ---- numbers ----

    def test_numbers_are_those_of_the_recording(self):
        recording = Recording(NESTED)
        data = self.report(NESTED)
        self.assertEqual((data["format"], data["version"], data["unreadable"]), ("mprof-report", 1, []))
        only, = data["recordings"]
        self.assertEqual(only["samples"], len(recording.mem))
        self.assertEqual(only["command_line"], recording.command_line)
        calls = {}
        for call in recording.calls:
            calls.setdefault(call.name, []).append(call)
        self.assertEqual({one["name"] for one in only["functions"]}, set(calls))
        for function in only["functions"]:
            own = calls[function["name"]]
            with self.subTest(function=function["name"]):
                self.assertEqual(function["calls"], sum(call.count for call in own))
                def highest(call):
                    return max([mib for mib, at in recording.mem if call.enter_s <= at <= call.exit_s]
                               + [value for other in recording.calls for value, at in
                                  ((other.enter_mib, other.enter_s), (other.exit_mib, other.exit_s)) if call.enter_s <= at <= call.exit_s])
                self.assertAlmostEqual(function["most_added_bytes"] / MIB,
                                       max(highest(call) - call.enter_mib for call in own), places=3)
                self.assertAlmostEqual(function["longest_s"], max(call.exit_s - call.enter_s for call in own), places=4)
        values = [mib for mib, _ in recording.mem] + [value for call in recording.calls for value in (call.enter_mib, call.exit_mib)]
        self.assertEqual(only["peak"]["bytes"], round(max(values) * MIB))
        self.assertEqual(max(only["curve"]["highest_bytes"]), round(max(mib for mib, _ in recording.mem) * MIB))

    def test_page_and_summary_have_the_numbers_of_json(self):
        for path in (NESTED, CHILDREN):
            only, = self.report(path)["recordings"]
            peak = only["peak"]["bytes"] / MIB
            for kind in ("html", "md"):
                text = self.report(path, kind=kind).replace("&#95;", "_").replace("\u00a0", " ")
                with self.subTest(path=path.name, kind=kind):
                    self.assertIn(f"{peak:.1f} MiB", text)
                    for function in only["functions"]:
                        self.assertIn(f"+{function['most_added_bytes'] / MIB:.1f}".replace("+-", "\u2212").replace("+0.0", ""), text)
                        self.assertIn(function["label"], text)

    def test_processes_older_than_the_first_sample_were_there_at_the_start(self):
        """JSON has the number. How long one without samples lasted is unknown until it ends."""
        lines = ["CMDLINE x", *(f"MEM 1{i} {1000 + i / 10:.1f}" for i in range(20)),
                 own_line("PROC", 7, 1, "999.980000", "older"), own_line("PROC", 8, 7, "1000.500000", "younger"),
                 own_line("EXIT", 8, "1001.250000", "status", 0)]
        path = self.write("attached.dat", "\n".join(lines[:21]) + "\n" + "".join(lines[21:]))
        only, = self.report(path)["recordings"]
        numbers = {one["name"]: (one["started_s"], one["duration_s"]) for one in only["processes"]}
        self.assertEqual(numbers["older"][0], -0.02)
        self.assertEqual(numbers["younger"], (0.5, 0.75))
        page = html.unescape(self.report(path, kind="html"))
        rows = {name: re.findall(r"<td[^>]*>([^<]*)<", row) for name in numbers
                for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.S) if name in row}
        summary = self.report(path, kind="md")
        self.assertNotIn("\u2212", summary)
        cells = {name: [cell.strip() for cell in row.split("|")] for name in numbers
                 for row in summary.splitlines() if f"<code>{name}</code>" in row}
        heads = next([cell.strip() for cell in line.split("|")] for line in summary.splitlines() if "started" in line)
        column = heads.index("started,\u00a0s")
        self.assertEqual([cells[name][column] for name in ("older", "younger")], ["0.00", "0.50"])
        self.assertIn("0.00", rows["older"])
        self.assertNotIn("\u22120.02", rows["older"])

    def test_how_long_a_process_without_samples_lasts_is_unknown_until_it_ends(self):
        lines = [f"MEM 1{i} {1000 + i / 10:.1f}\nCHLD 8 5 {1000 + i / 10:.1f}\n" for i in range(20)]
        text = "CMDLINE x\n" + "".join(lines) + own_line("PROC", 7, 1, "1000.000000", "x") + own_line("PROC", 9, 7, "1000.500000", "y")
        only, = self.report(self.write("a.dat", text))["recordings"]
        lasted = {one["pid"]: one["duration_s"] for one in only["processes"]}
        self.assertIsNone(lasted[9])
        self.assertEqual(lasted[8], 1.9)

    @unittest.skipUnless(jsonschema, "python3-jsonschema is not installed")
    def test_json_follows_its_schema(self):
        schema = json.loads((SOURCE / "docs" / "schema" / "report.schema.json").read_text())
        folder = SOURCE / "docs" / "schema"
        results = json.loads((folder / "output.schema.json").read_text())
        resolver = jsonschema.RefResolver(folder.as_uri() + "/report.schema.json", schema,
                                          store={folder.as_uri() + "/output.schema.json": results})
        checker = jsonschema.Draft7Validator(schema, resolver=resolver)
        checker.check_schema(schema)
        limits = ["--max=100MiB", "--max-growth=1MiB/min", "--max-time=1s", "--kind=pss:1MiB", "--func=fit:1MiB",
                  f"--baseline={FIXTURES / 'dat'}"]
        inputs = [*sorted((FIXTURES / "dat").glob("*.dat")), self.hostile()]
        data = self.report(*inputs)
        self.assertGreater(len(data["recordings"]), 10)
        checker.validate(data)
        checked = self.report(*limits, *inputs)
        checker.validate(checked)
        self.assertGreater(sum(len(one["limits"]) for one in checked["recordings"]), 40)
        data["recordings"][0]["peak"]["bytes"] = "much"
        self.assertFalse(checker.is_valid(data))

    def test_json_is_ascii_and_keeps_names(self):
        path = self.hostile()
        self.run_mprof("report", "-o", "out.json", path)
        text = (self.directory / "out.json").read_bytes()
        self.assertTrue(text.isascii())
        self.assertNotRegex(text, rb"[\x00-\x09\x0b-\x1f]")
        only, = json.loads(text)["recordings"]
        names = {one["name"] for one in only["functions"]}
        for name in HOSTILE:
            self.assertIn(name, names)

    def test_cards_have_whole_durations(self):
        lines = "CMDLINE x\n" + "".join(f"MEM {50 + i % 7} {1000 + i}\n" for i in range(201))
        text = self.report(self.write("minutes.dat", lines), kind="html")
        self.assertRegex(text, r'<dt>Duration</dt><dd class="big">3\u00a0min\u00a020\u00a0s</dd>')
        self.assertRegex(text, r'<dt>Peak</dt><dd class="big">56\.0 <small>MiB</small></dd>')

    def test_runs_of_a_file_are_recordings(self):
        data = self.report(FIXTURES / "dat" / "appended-runs.dat")
        names = [one["name"] for one in data["recordings"]]
        self.assertGreater(len(names), 1)
        self.assertEqual(names[1], "appended-runs, run 2")

    def test_recordings_of_one_name_are_told_apart_by_their_folder(self):
        paths = [self.write(f"{folder}/same.dat", plain_recording()) for folder in ("a", "b")]
        data = self.report(*paths, self.write("other.dat", plain_recording()))
        self.assertEqual([one["name"] for one in data["recordings"]], [str(paths[0])[:-4], str(paths[1])[:-4], "other"])

    def test_a_directory_is_all_its_recordings_in_order(self):
        for name in ("r10.dat", "r9.dat", "r1.dat"):
            self.write(f"all/{name}", plain_recording())
        self.write("all/notes.txt", "no recording")
        data = self.report(self.directory / "all")
        self.assertEqual([one["name"] for one in data["recordings"]], ["r1", "r9", "r10"])

    def test_secrets_are_masked_although_they_were_recorded(self):
        path = self.write("secret.dat", "CMDLINE tool --token abc123 --url https://u:hunter2@host/x\n"
                          + "".join(f"MEM {i} {1000 + i}\n" for i in range(1, 9)) + own_line("FACT", "note", "password=hunter2"))
        for kind in ("json", "html", "md"):
            with self.subTest(kind=kind):
                text = json.dumps(self.report(path)) if kind == "json" else self.report(path, kind=kind)
                self.assertFalse([word for word in ("abc123", "hunter2") if word in text])
                self.assertRegex(text, r"token (\*\*\*|(&#42;){3})")

    # ---- limits ----

    def test_verdicts_are_those_of_check(self):
        limits = ["--max=100MiB", "--max-child=100MiB", "--max-time=30s", "--kind=pss:300MiB", "--func=fit:20MiB", "--max-growth=1MiB/min"]
        only, = self.report(*limits, NESTED)["recordings"]
        printed = self.run_mprof("check", *limits, NESTED, expect=1).stdout
        lines = [re.sub(" +", " ", line.strip()) for line in printed.split("\n")]
        self.assertEqual(only["verdict"], "failed")
        self.assertEqual(len(only["limits"]), len(limits))
        for one in only["limits"]:
            word = one["verdict"].replace("failed", "CROSSED")
            value = "" if one["measured"] is None else f" {one['measured'] / MIB:.1f} MiB" if one["unit"] == "bytes" else f" {one['measured']:.2f} s"
            with self.subTest(limit=one["key"]):
                self.assertTrue([line for line in lines if line.startswith(f"{word} {one['name']}{value}")], printed)
        measured = {one["key"]: one["measured"] for one in only["limits"]}
        most, = (one["most_added_bytes"] for one in only["functions"] if one["label"] == "fit")
        self.assertEqual(measured["func:fit"], most)
        self.assertEqual(measured["max"], only["peak"]["bytes"])
        for kind in ("html", "md"):
            text = "".join(parsed(self.report(*limits, NESTED, kind=kind)).text).replace("\u00a0", " ")
            with self.subTest(kind=kind):
                self.assertIn("peak 128.2 MiB, 28.2 MiB over the limit of 100.0 MiB", text)
                self.assertIn("At the peak, 0.24 s after the start, ", text)
                self.assertRegex(text, r"\w+ had run for [\d.]+ m?s and added [\d.]+ MiB")
                self.assertRegex(text, "recorded without --memory pss")

    def test_limits_come_from_the_config(self):
        self.write("mprof.ini", "[nested]\nmax = 100MiB\n[other]\nmax = 1GiB\n")
        data = self.report(NESTED, self.write("other.dat", plain_recording(1)), self.write("third.dat", plain_recording(2)))
        self.assertEqual([one.get("verdict") for one in data["recordings"]], ["failed", "passed", None])
        text = self.report(NESTED, "other.dat", "third.dat", kind="html")
        self.assertIn("1 of 3 recordings crossed a limit", text)
        self.write("mprof.ini", "nonsense\n")
        done = self.run_mprof("report", NESTED, expect=2)
        self.assertIn("mprof.ini:1:", done.stderr)

    def test_the_headline_is_the_highest_memory_known(self):
        """A peak between two samples is no smaller for that."""
        lines = ["CMDLINE x", "#FACT|pid|7 nan nan", "#PROC|7|1|1000.000000|x nan nan", *(f"MEM {50 + i} {1000 + i / 10:.1f}" for i in range(20)),
                 "FUNC m.f 50 1000.1 69 1001.9 0"]
        path = self.write("a.dat", "\n".join(lines) + "\n")
        for exact, headline, sentence in ((None, "Peak 69.0 MiB", "At the peak,"), (69.01, "Peak 69.0 MiB", "At the peak,"),
                                          (123.5, "Peak 123.5 MiB, 69.0 MiB sampled", "At the highest sample,")):
            with self.subTest(exact=exact):
                more = own_line("PEAK", 7, exact, "1001.950000") if exact else ""
                path.write_text("\n".join(lines) + "\n" + more)
                for kind in ("md", "html"):
                    text = html.unescape(self.report(path, kind=kind)).replace("\u00a0", " ")
                    self.assertRegex(text, rf"(?:</code> |<h1[^>]*>){headline}(?:\n|</h1>)")
                    self.assertIn(sentence, text)

    def test_what_differs_from_a_baseline(self):
        for i in range(5):
            self.write(f"good/run{i}.dat", plain_recording(1))
        more = plain_recording(1).replace("FUNC job.step1 50.0000 1001.0000 61.0000", "FUNC job.step1 50.0000 1001.0000 161.0000")
        self.assertNotEqual(more, plain_recording(1))
        path = self.write("now.dat", more)
        only, = self.report("--baseline=good", path)["recordings"]
        self.assertEqual(only["baseline"]["run_count"], 5)
        peak = next(one for one in only["baseline"]["changes"] if one["name"] == "peak")
        before, = self.report("good/run1.dat")["recordings"]
        self.assertEqual((peak["before"], peak["now"]), (before["peak"]["bytes"], only["peak"]["bytes"]))
        steps = {one["label"]: one for one in only["functions"]}
        old = {one["label"]: one for one in before["functions"]}
        self.assertEqual(steps["step1"]["baseline_most_added_bytes"], old["step1"]["most_added_bytes"])
        self.assertGreater(steps["step1"]["most_added_bytes"], old["step1"]["most_added_bytes"] + 50 * MIB)
        for kind in ("html", "md"):
            text = "".join(parsed(self.report("--baseline=good", path, kind=kind)).text)
            with self.subTest(kind=kind):
                self.assertRegex(text, "(?i)against the baseline")
                self.assertIn("in the baseline, MiB", text.replace("\u00a0", " "))
        self.assertNotIn("baseline", self.report(path)["recordings"][0])

    def test_the_worst_is_the_first_to_look_at(self):
        for i in range(8):
            self.write(f"r{i}.dat", plain_recording(i) + f"MEM {110 + i * 20} 1006.5\n")
        self.write("mprof.ini", "".join(f"[r{i}]\nmax = {100 if i % 2 else 1000}MiB\n" for i in range(8)))
        text = self.report(*[f"r{i}.dat" for i in range(8)], kind="html")
        attention = re.search(r'<ul class="att">(.*?)</ul>', text, re.S)[1]
        self.assertEqual(re.findall(r"<a [^>]*>(r\d)</a>", attention), ["r7", "r5", "r3", "r1"])

    def test_a_killed_program_may_have_needed_more(self):
        text = "CMDLINE x\n" + "".join(f"MEM {50 + i} {1000 + i / 10}\n" for i in range(20))
        path = self.write("killed.dat", text + own_line("FACT", "pid", 7) + own_line("PROC", 7, 1, "1000.000000", "x")
                          + own_line("EXIT", 7, "1002.000000", "signal", 9))
        only, = self.report(path)["recordings"]
        self.assertTrue(only["peak"]["is_lower_bound"])
        for kind in ("html", "md"):
            self.assertRegex(self.report(path, kind=kind).replace("\u00a0", " ").replace("&#58;", ":"),
                             r"The program was killed by signal 9 after [\d.]+ s: it may have needed more\.")

    # ---- names ----

    def test_hostile_names_are_text_in_the_page(self):
        text = self.report(self.hostile(), "--title", HOSTILE[0], kind="html")
        tags = parsed(text)
        self.assertEqual(tags.wrong, [])
        self.assertEqual(tags.open, [])
        self.assertEqual(sum(tag == "script" for tag, _ in tags.starts), 2)
        self.assertEqual({tag for tag, _ in tags.starts} & {"img", "iframe", "object", "embed", "form", "base"}, set())
        for tag, attributes in tags.starts:
            self.assertFalse([name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes))
        shown = "".join(tags.text)
        for name in ("<script>window.hacked=1</script>", "{{name}}", "' onmouseover='window.hacked=4"):
            self.assertIn(name, shown)
        self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066\u2067]")

    def test_hostile_names_are_text_in_the_summary(self):
        text = self.report(self.hostile(), kind="md")
        self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066\u2067]")
        ours = re.sub(r"```mermaid\n.*?\n```", "", text, flags=re.S)
        self.assertEqual(set(re.findall(r"</?[a-zA-Z]+", ours)),
                         {"<code", "</code", "<details", "</details", "<summary", "</summary", "<sub", "</sub"})
        tags = parsed(ours)
        self.assertEqual((tags.wrong, tags.open), ([], []))
        for sign in "`[@$~":
            self.assertNotIn(sign, ours)
        columns = 0
        for line in ours.split("\n"):  # every row of a table has its columns
            columns = (columns or line.count("|")) if line.startswith("|") else 0
            if columns:
                self.assertEqual(line.count("|"), columns, line)

    @unittest.skipUnless(shutil.which("cmark-gfm"), "cmark-gfm is not installed")
    def test_the_summary_as_github_reads_it(self):
        text = self.report(self.hostile(), kind="md")
        done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist"],
                              input=text, capture_output=True, text=True, check=True)
        tags = parsed(done.stdout)
        self.assertEqual((tags.wrong, tags.open), ([], []))
        self.assertEqual({tag for tag, _ in tags.starts}, {
            "h3", "p", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "sub"})
        self.assertEqual({name for _, attributes in tags.starts for name in attributes}, {"align", "class"})
        shown = "".join(tags.text)
        for name in HOSTILE:
            if name.isprintable() and name.isascii() and "." not in name:
                with self.subTest(name=name):
                    self.assertIn(name, shown.replace("\u200b", ""))
        self.assertNotRegex(shown, r"@\w")  # sites notify people who are mentioned

    def test_names_of_a_hundred_thousand_letters(self):
        name = "n" * 50000 + "\u202e" + "m" * 50000
        path = self.write("long.dat", f"CMDLINE {name}\n" + "".join(f"MEM {i} {1000 + i}\n" for i in range(1, 9))
                          + f"FUNC {name} 1 1001 2 1002 0\n" + own_line("PROC", 5, 1, "1000.000000", name))
        only, = self.report(path)["recordings"]
        self.assertEqual(len(only["functions"][0]["name"]), 100001)
        for kind in ("html", "md"):
            text = self.report(path, kind=kind)
            with self.subTest(kind=kind):
                self.assertLess(max(map(len, re.findall("n+", text))), 3000)
                self.assertRegex(text, "n\u2026m|n\u2026\ufffd?m")
        self.assertLess(len(self.report(path, kind="html")), 400_000)

    # ---- files ----

    def test_standard_input_is_a_recording(self):
        with open(NESTED, "rb") as source:
            self.run_mprof("report", "-o", "in.json", "-", stdin=source)
        only, = json.loads((self.directory / "in.json").read_text())["recordings"]
        self.assertEqual(only["samples"], len(Recording(NESTED).mem))
        with open(NESTED, "rb") as source:
            done = self.run_mprof("report", "--max=1GiB", "-o", "in.html", "-", stdin=source, expect=1)
        self.assertIn("limits need a recording in a file", done.stderr)

    def test_several_files_at_once(self):
        done = self.run_mprof("report", "-o", "a.html", "-o", "a.md", "-o", "a.json", NESTED)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertEqual(sorted(path.name for path in self.directory.glob("a.*")), ["a.html", "a.json", "a.md"])
        done = self.run_mprof("report", "--format", "md", "-o", "-", NESTED)
        self.assertEqual(done.stdout, (self.directory / "a.md").read_text())

    def test_the_page_says_how_to_make_it_again(self):
        shutil.copy(NESTED, self.directory / "a b.dat")
        text = self.report("a b.dat", "--max=1GiB", "-t", "it's", kind="html")
        command = html.unescape(re.search(r"<footer>.*?<code>(.*?)</code>", text)[1])
        (self.directory / "out.html").unlink()
        subprocess.run(command.replace("mprof", f"'{MPROF}'", 1), shell=True, cwd=self.directory, check=True)
        self.assertEqual((self.directory / "out.html").read_text(), text)

    def test_default_is_a_page_here(self):
        shutil.copy(NESTED, self.directory / "mprofile_20260101120000.dat")
        self.run_mprof("report")
        self.assertTrue((self.directory / "report.html").read_text().startswith("<!doctype html>"))

    def test_wrong_options(self):
        for arguments, reason in ((["-o", "x.txt"], "the name must end in .html, .md or .json, or --format name the format, not 'x.txt'"),
                                  (["--format", "pdf"], "--format must be one of html, md, json, not 'pdf'"),
                                  (["-o", "a.html", "-o", "b.html"], "-o must name one page at most, and 2 were given"),
                                  (["--max", "much"], "--max: "),
                                  (["--pages=yes", "--format=html", "-o", "-"], "--pages=yes needs a file for -o"),
                                  (["--pages", "maybe"], "--pages must be one of auto, yes, no, not 'maybe'")):
            with self.subTest(arguments=arguments):
                done = self.run_mprof("report", *arguments, NESTED, expect=2)
                self.assertIn(reason, done.stderr)

    def test_what_cannot_be_read_is_named_and_the_rest_is_there(self):
        bad = self.write("bad.dat", "this is no recording\n")
        self.run_mprof("report", "-o", "out.json", "-o", "out.html", "-o", "out.md", bad, NESTED, "missing.dat", expect=1)
        data = json.loads((self.directory / "out.json").read_text())
        self.assertEqual([one["name"] for one in data["recordings"]], ["nested"])
        self.assertEqual([one["file"] for one in data["unreadable"]], [str(bad)])
        for kind in ("html", "md"):
            self.assertIn(data["unreadable"][0]["reason"].split(";")[0][:20], (self.directory / f"out.{kind}").read_text())

    def test_a_full_disk_leaves_the_older_file(self):
        place = self.directory / "tiny"
        with tiny_file_system(place, 65536):
            self.write("tiny/r.html", "old")
            done = self.run_mprof("report", "-o", "tiny/r.html", NESTED, expect=1)
            self.assertIn("tiny/r.html: cannot write: No space left on device", done.stderr)
            self.assertEqual([path.name for path in place.iterdir()], ["r.html"])
            self.assertEqual((place / "r.html").read_text(), "old")
            done = self.run_mprof("report", "--pages=yes", "-o", "tiny/r.html", NESTED, expect=1)
            self.assertEqual([path.name for path in place.iterdir()], ["r.html"])

    def test_an_interruption_leaves_nothing(self):
        for i in range(30):
            self.write(f"all/r{i}.dat", plain_recording(i, 2000, 20))
        place = self.directory / "out"
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pages in ("yes", "no"):
                for delay_s in (0.02, 0.1, 0.25):
                    shutil.rmtree(place, ignore_errors=True)
                    place.mkdir()
                    process = subprocess.Popen([MPROF, "report", f"--pages={pages}", "-o", "out/r.html", "all"],
                                               cwd=self.directory, stderr=subprocess.DEVNULL)
                    time.sleep(delay_s)
                    process.send_signal(number)
                    process.wait(DEADLINE_S)
                    with self.subTest(number=number, pages=pages, delay_s=delay_s):
                        def names():
                            return {path.name for path in place.iterdir()}
                        # the child that puts the folder in place outlives its parent
                        wait_until(lambda: names() <= {"r.html", "r-pages"}, "no temporary folder")
                        left = names()
                        if "r.html" in left:
                            self.assertTrue((place / "r.html").read_text().endswith("</html>\n"))
                        if "r-pages" in left:
                            self.assertEqual(len(list((place / "r-pages").iterdir())), 30)

    # ---- many ----

    def test_an_index_has_pages_beside_it(self):
        for i in range(65):
            self.write(f"all/r{i}.dat", plain_recording(i))
        text = self.report("all", kind="html")
        pages = self.directory / "out-pages"
        self.assertEqual(len(list(pages.iterdir())), 65)
        links = set(re.findall(r'href="(out-pages/\d+\.html)"', text))
        self.assertEqual(len(links), 65)
        for link in sorted(links)[:3]:
            page = (self.directory / link).read_text()
            self.assertIn('href="../out.html"', page)
            self.assertEqual(parsed(page).wrong, [])
        self.assertEqual(stat.S_IMODE(pages.stat().st_mode), 0o777 & ~umask())
        # again, with fewer: no page of the older report stays
        self.report(*[f"all/r{i}.dat" for i in range(3)], "--pages=yes", kind="html")
        self.assertEqual(sorted(path.name for path in pages.iterdir()), ["0001.html", "0002.html", "0003.html"])
        self.assertEqual([path.name for path in self.directory.iterdir() if "mprof-" in path.name], [])

    def test_an_overview_has_groups(self):
        for name in ("tests/a.py::test_x[1]", "tests/a.py::test_y", "tests/b.py::test_x"):
            self.write(f"r{len(list(self.directory.iterdir()))}.dat", plain_recording(len(name)) + own_line("FACT", "test", name))
        text = self.report(*sorted(self.directory.glob("r*.dat")), kind="html")
        self.assertEqual(sorted(re.findall(r'<h3 class="group"><bdi>(.*?)</bdi> <span>(\d)</span>', text)), [("tests/a.py", "2"), ("tests/b.py", "1")])
        self.assertEqual(sorted(re.findall(r'<span class="tn"><bdi>(.*?)</bdi>', text)), ["test_x", "test_x[1]", "test_y"])
        text = self.report(*sorted(self.directory.glob("r[01].dat")), kind="html")
        self.assertNotIn('class="group"', text)

    def test_a_folder_of_somebody_else_is_left_alone(self):
        self.write("out-pages/precious.txt", "mine")
        done = self.run_mprof("report", "--pages=yes", "-o", "out.html", NESTED, expect=1)
        self.assertIn("out-pages: this folder has other files than pages of a report", done.stderr)
        self.assertEqual([path.name for path in (self.directory / "out-pages").iterdir()], ["precious.txt"])
        self.assertFalse((self.directory / "out.html").exists())

    def test_a_name_of_any_signs_is_a_link(self):
        self.run_mprof("report", "--pages=yes", "-o", "a b#?%\"'<.html", NESTED)
        text = (self.directory / "a b#?%\"'<.html").read_text()
        link, = set(re.findall(r'href="([^"]*0001\.html)"', text))
        self.assertEqual(link, "a%20b%23%3F%25%22%27%3C-pages/0001.html")

    def test_a_summary_fits(self):
        lines = ["CMDLINE x"] + [f"MEM {50 + i % 9} {1000 + i}" for i in range(50)]
        name = "_" * 200  # each letter is a reference of five
        lines += [f"FUNC m.{name}{k} 50 {1000 + k % 40} 60 {1000.5 + k % 40} 0" for k in range(1200)]
        many = self.write("many.dat", "\n".join(lines) + "\n")
        text = self.report(many, kind="md")
        self.assertLessEqual(len(text.encode()), SUMMARY_MAX)
        self.assertIn("more functions with less are left out here.", text)
        self.assertIn("mermaid", text)

    def test_a_summary_of_many_recordings_fits(self):
        for i in range(300):
            self.write(f"all/{'_' * 190}{i}.dat", plain_recording(i, 12, 1))
        for i in range(12):
            lines = ["CMDLINE x"] + [f"MEM {50 + k} {1000 + k}" for k in range(20)]
            lines += [f"FUNC m.{'_' * 200}{k} 50 {1000 + k % 19} 60 {1000.5 + k % 19} 0" for k in range(300)]
            self.write(f"all/big{i}.dat", "\n".join(lines) + "\n")
        text = self.report("all", kind="md")
        self.assertLessEqual(len(text.encode()), SUMMARY_MAX)
        self.assertIn("big11", text)

    @unittest.skipIf(is_sanitized(), "a sanitizer takes time and memory of its own")
    def test_fifty_recordings_are_small_and_quick(self):
        for i in range(50):
            self.write(f"all/r{i}.dat", plain_recording(i, 3000, 600))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        text = self.report("all", kind="html")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertLess(len(text.encode()), 10_000_000)
        # a ratio, since machines differ: fifty pictures by themselves
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        self.run_mprof("plot", "--each", "-j1", "-o", self.directory / "svg", "all")
        plots = resource.getrusage(resource.RUSAGE_CHILDREN)
        drawn = plots.ru_utime + plots.ru_stime - after.ru_utime - after.ru_stime
        self.assertLess(used, 3 * drawn + 0.5)


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


if __name__ == "__main__":
    unittest.main()
