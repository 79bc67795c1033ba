"""Formats of results, each read by a program that is not ours, with names that could break out of its syntax."""

import collections
import html
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import junitparser
from prometheus_client.openmetrics import parser as openmetrics

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import FIXTURES, MPROF, SOURCE, TestCase  # noqa: E402

WRITER = pathlib.Path(MPROF).parent / "tests" / "unit" / "write-results"
SCHEMA = json.loads((SOURCE / "docs" / "schema" / "output.schema.json").read_text())
XSD = FIXTURES / "ci" / "junit.xsd"
MIB = 1048576

# Verdicts of the six limits of a subject that tests/unit/write_results.c writes.
FAILED, UNCLEAR, PASSED = 1, 2, 3
RESULTS = 6

HOSTILE = {
    "plain": b"importer",
    "white space": b"a b\tc",
    "newline": b"a\n::error::fake\nb",
    "carriage return": b"a\r##teamcity[x]",
    "workflow command": b"x::error file=a,line=1::y,z:%0A",
    "percent": b"100%25 %0A",
    "xml": b"</testcase>&amp;<![CDATA[x]]>\"'",
    "attachment": b"a]]|[[ATTACHMENT|/etc/passwd]]",
    "markdown": b"*a* _b_ [c](d) `e` | <img src=x onerror=y> @user #1 ~~s~~ $x$ \\",
    "fence": b"``` ```` `",
    "braces": b"{a='b',c=\"d\"}",
    "teamcity": b"|'[]|n ##teamcity[buildStatisticValue key='a' value='1']",
    "escape sequence": b"\x1b[31mred\x1b[0m\x07",
    "C1": b"a\xc2\x9b31m\xc2\x85b",
    "bidirectional": b"\xe2\x80\xaegnp.exe",
    "separators": b"a\xe2\x80\xa8b\xe2\x80\xa9c",
    "not UTF-8": b"a\xff\xfe\xc3b",
    "surrogate": b"\xed\xa0\x80",
    "not a character": b"a\xef\xbf\xbeb\xef\xbf\xbf",
    "other scripts": "größe 大小 \U0001f600".encode(),
    "long": b"n" * 5000,
    "long of others": "é大".encode() * 2000,
    "long of escapes": b"&%|'\n" * 1500,
    "cut and equal": b"n" * 5001,
    "spaces": b"   ",
    "dash": b"Benchmark-8",
    "brackets": b"test_a[param: 1, 2]",
    "comment": b"<!-- a -- b -->",
}


def write(format_name, *names, check=True):
    done = subprocess.run([WRITER, format_name, *names], capture_output=True, timeout=60)
    assert not check or done.returncode == 0, (format_name, names, done)
    return done.stdout


def text_of(name):
    return name.decode("utf-8", "replace")


def of_hostile(test):
    """Calls the test for each name alone, then for all at once."""
    def run(self):
        for title, name in HOSTILE.items():
            with self.subTest(title):
                test(self, [name])
        test(self, list(HOSTILE.values()))
    return run


class Formats(unittest.TestCase):
    def test_the_table_is_that_of_the_documents(self):
        listed = re.search(r"names\[\].*?formats\[\] = \{(.*?)\};|mprof__formats\[\] = \{(.*?)\};",
                           (SOURCE / "parse" / "formats" / "formats.c").read_text(), re.S)
        names = re.findall(r'\{"([a-z-]+)"', listed[0])
        self.assertEqual(names, ["text", "json", "junit", "markdown", "github", "gitlab-metrics",
                                 "github-benchmark", "bencher", "benchstat", "teamcity"])
        for name in names[1:]:
            with self.subTest(name):
                self.assertNotEqual(write(name, "a"), b"")
                write(name)  # of no results

    @of_hostile
    def test_no_format_lets_a_terminal_obey(self, names):
        for name in ("json", "junit", "markdown", "github", "gitlab-metrics", "github-benchmark", "bencher",
                     "benchstat", "teamcity"):
            text = write(name, *names).decode("utf-8")
            if name in ("json", "github-benchmark", "bencher"):
                continue  # data: see parse.json for what a terminal gets
            self.assertNotRegex(text, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", name)


class NoMemory(unittest.TestCase):
    """Each allocation fails once: the writer reports it, and never writes less and calls it done."""

    def test_each_format(self):
        preload = WRITER.parent / "fail-malloc.so"
        if not preload.exists():
            self.skipTest("no allocation can fail in this build")
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report"

            def run(name, nth):
                return subprocess.run([WRITER, name, "a", "b|c"], capture_output=True, env=dict(
                    os.environ, LD_PRELOAD=str(preload), MPROF_TEST_NTH=str(nth), MPROF_TEST_REPORT=str(report)))

            for name in ("json", "junit", "markdown", "github", "gitlab-metrics", "github-benchmark", "bencher", "benchstat",
                         "teamcity"):
                whole, count = run(name, 0).stdout, int(report.read_text())
                self.assertGreater(len(whole), 300)
                failed = 0
                for nth in range(1, count + 1, 1 + count // 80):
                    done = run(name, nth)
                    self.assertIn(done.returncode, (0, 1, -signal.SIGABRT), (name, nth))  # it aborts before it writes
                    if done.returncode == 0:
                        self.assertEqual(done.stdout, whole, (name, nth))
                    failed += done.returncode == 1
                self.assertGreater(failed, 1, name)


class Json(unittest.TestCase):
    @of_hostile
    def test_schema_and_text(self, names):
        output = write("json", *names)
        document = json.loads(output)
        definition = {"$ref": "#/definitions/mprof-check", "definitions": SCHEMA["definitions"]}
        jsonschema.Draft7Validator(definition).validate(document)
        jsonschema.Draft7Validator(SCHEMA).validate(document)
        by_jq = subprocess.run(["jq", "-c", "[.subjects[].name]"], input=output, capture_output=True, check=True)
        expected = [name.decode("utf-8", "replace") for name in names] + ["bad.dat"]
        # jq and Python count the bytes of a broken sequence differently from RFC 3629
        self.assertEqual([re.sub("\ufffd+", "\ufffd", name) for name in json.loads(by_jq.stdout)],
                         [re.sub("\ufffd+", "\ufffd", name) for name in expected])

    def test_values_are_in_bytes_and_seconds(self):
        subject = json.loads(write("json", "a"))["subjects"][0]
        values = {item["key"]: item for item in subject["results"]}
        self.assertEqual(subject["verdict"], "failed")
        self.assertEqual(values["max"]["measured"], round(463.9 * MIB))
        self.assertEqual(values["max"]["limit"], 420 * MIB)
        self.assertEqual(values["max"]["running"][0]["added_bytes"], round(205.3 * MIB))
        self.assertAlmostEqual(values["max-growth"]["interval"]["high"], 9.4 * MIB / 60, places=3)
        self.assertEqual(values["max-growth"]["unit"], "bytes/s")
        self.assertEqual(values["max-time"]["measured"], 8.76)
        self.assertIsNone(values["kind:pss"]["measured"])
        self.assertEqual(values["kind:uss"]["measured"], 0)

    def test_exit_codes(self):
        self.assertEqual(json.loads(write("json", "a"))["exit_code"], 1)
        self.assertEqual(json.loads(write("json", "--report-only", "a"))["exit_code"], 0)
        self.assertEqual(json.loads(write("json"))["exit_code"], 3)


class JUnit(unittest.TestCase):
    def check(self, text):
        done = subprocess.run(["xmllint", "--noout", "--schema", XSD, "-"], input=text, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr[-500:])
        suites = list(junitparser.JUnitXml.fromstring(text))
        self.assertEqual(len(suites), 1)
        suite = suites[0]
        cases = list(suite)
        self.assertEqual(suite.tests, len(cases))
        kinds = collections.Counter(type(case.result[0]).__name__ if case.result else "" for case in cases)
        self.assertEqual((suite.failures, suite.errors, suite.skipped),
                         (kinds["Failure"], kinds["Error"], kinds["Skipped"]))
        self.assertEqual(len({(case.classname, case.name) for case in cases}), len(cases))
        return cases

    @of_hostile
    def test_schema_counts_and_unique_names(self, names):
        cases = self.check(write("junit", *names))
        self.assertEqual(len(cases), RESULTS * len(names) + 1)
        if len(names) == 1 and len(names[0]) < 900:
            shown = re.sub("[\ufffe\uffff\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", "\ufffd", text_of(names[0]))
            self.assertEqual(re.sub("\ufffd+", "\ufffd", cases[0].classname), re.sub("\ufffd+", "\ufffd", shown))

    def test_problems_carry_the_story(self):
        cases = self.check(write("junit", "importer"))
        failure = cases[0].result[0]
        self.assertEqual(failure.message, "peak: 463.9 MiB, limit 420.0 MiB (+43.9 MiB, +10.5 %)")
        self.assertIn("at 7.64 s, running:\n  importer, running since 6.66 s, +205.3 MiB (baseline 142.2 MiB)\n"
                      "  compress in 2 processes, running since 7.00 s, +67.6 MiB", failure.text)
        self.assertIn("[[ATTACHMENT|importer]]", cases[0].system_out)
        self.assertEqual(cases[1].result[0].type, "inconclusive")
        self.assertEqual(cases[4].result[0].type, "not measured")
        self.assertEqual(cases[4].result[0].message,
                         "pss: not measured, limit 300.0 MiB; recorded without --memory pss")
        self.assertEqual(cases[-1].result[0].message, "is not a recording")
        self.assertAlmostEqual(sum(case.time for case in cases), 8.76)

    def test_report_only_fails_no_build(self):
        kinds = {type(case.result[0]).__name__ for case in self.check(write("junit", "--report-only", "a"))
                 if case.result}
        self.assertEqual(kinds, {"Skipped"})

    def test_a_hostile_file_is_no_attachment(self):
        text = write("junit", HOSTILE["attachment"])
        self.assertNotIn(b"[[ATTACHMENT|", re.sub(rb'classname="[^"]*"|file="[^"]*"|name="[^"]*"|>[^<]*</failure>',
                                                  b"", text))

    def test_equal_names_get_numbers(self):
        names = [case.classname + case.name for case in self.check(write("junit", "a", "a", "a"))]
        self.assertIn("apeak (3)", names)


COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\n\r]*)::([^\n\r]*)")


def unescape_github(text):
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


class GitHub(unittest.TestCase):
    @of_hostile
    def test_each_line_is_one_command(self, names):
        lines = write("github", *names).decode().split("\n")
        self.assertEqual(lines.pop(), "")
        for line in lines:
            match = COMMAND.fullmatch(line)
            self.assertTrue(match, line)
            for part in match.groups()[1:]:
                self.assertLessEqual(len(part.encode()), 4096)
                self.assertNotRegex(part, "%(?!0D|0A|3A|2C|25)")
        if len(names) == 1 and len(names[0]) < 400:
            title = unescape_github(COMMAND.fullmatch(lines[0])[2])
            readable = [c for c in text_of(names[0]) if c.isprintable() and c != "\ufffd"]
            self.assertEqual([c for c in title if c.isprintable() and c not in "\ufffd\ufffe\uffff"],
                             [c for c in readable if c not in "\ufffe\uffff"])

    def test_ten_of_a_type_and_a_count_of_the_rest(self):
        lines = write("github", *(f"s{i}" for i in range(30))).decode().splitlines()
        types = collections.Counter(COMMAND.fullmatch(line)[1] for line in lines)
        self.assertEqual(types, {"error": 10, "warning": 10, "notice": 1})
        self.assertIn("::error title=mprof::21 more like these", lines)
        # 60 inconclusive or not measured, and the file that could not be read
        self.assertIn("::warning title=mprof::52 more like these", lines)
        exact = write("github", *(f"s{i}" for i in range(10))).decode()
        self.assertEqual(exact.count("::error "), 10)
        self.assertNotIn("more like these", exact[:exact.index("::warning")])

    def test_report_only_has_no_errors(self):
        self.assertNotIn(b"::error", write("github", "--report-only", "a"))


class Markdown(unittest.TestCase):
    def render(self, text):
        done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough", "-e", "autolink"],
                              input=text, capture_output=True, check=True)
        return done.stdout.decode()

    @of_hostile
    def test_names_stay_text(self, names):
        page = self.render(write("markdown", *names))
        tags = set(re.findall(r"<(/?\w+)", page))
        self.assertLessEqual({tag.lstrip("/") for tag in tags},
                             {"h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "strong",
                              "details", "summary"}, page[:2000])
        self.assertEqual(page.count("<tr>"), len(names) * (RESULTS + 1))
        self.assertEqual(len(re.findall("<t[dh][ >]", page)), len(names) * (RESULTS + 1) * 5)
        self.assertEqual(page.count("<h4>"), len(names) + 1)

    def test_words(self):
        page = html.unescape(self.render(write("markdown", HOSTILE["markdown"])))
        self.assertIn(HOSTILE["markdown"].decode() + ", most a call added", page)
        self.assertIn("running since 6.66 s, +205.3 MiB (baseline 142.2 MiB)", page)
        raw = write("markdown", HOSTILE["markdown"]).decode()
        self.assertNotIn("@user", re.sub("`[^`]*`", "", raw))

    def test_size_is_limited(self):
        names = [f"subject {i}" for i in range(100)]
        whole = write("markdown", *names)
        for limit in (4096, 20000, 65536):
            part = write("markdown", "--limit", str(limit), *names)
            self.assertLessEqual(len(part), limit)
            self.assertRegex(part.decode(), r"\d+ more that did not pass had no room here")
            self.assertTrue(part.startswith(whole.split(b"\n")[0]))
        many = write("markdown", *(f"{i:0200d}" for i in range(2000)))
        self.assertLessEqual(len(many), 1048576)
        self.assertGreater(len(many), 900000)


class GitLabMetrics(unittest.TestCase):
    @of_hostile
    def test_openmetrics(self, names):
        text = write("gitlab-metrics", *names).decode()
        families = {family.name: family for family in openmetrics.text_string_to_metric_families(text)}
        self.assertEqual(set(families), {"mprof_peak_bytes", "mprof_duration_seconds", "mprof_growth_bytes_per_second",
                                         "mprof_function_added_bytes", "mprof_kind_peak_bytes"})
        self.assertEqual(len(families["mprof_peak_bytes"].samples), len(names))
        if len(names) == 1 and len(names[0]) < 900:
            label = families["mprof_peak_bytes"].samples[0].labels["subject"]
            self.assertEqual([c for c in label if c.isprintable() and c != "\ufffd"],
                             [c for c in text_of(names[0]) if c.isprintable() and c != "\ufffd"])

    def test_values_are_rounded(self):
        lines = write("gitlab-metrics", "a").decode().splitlines()
        self.assertIn('mprof_peak_bytes{subject="a"} 486000000', lines)
        self.assertIn('mprof_duration_seconds{subject="a"} 8.760', lines)
        self.assertIn('mprof_function_added_bytes{subject="a",function="a"} 41900000', lines)
        self.assertIn('mprof_kind_peak_bytes{subject="a",kind="uss"} 0.000', lines)
        self.assertEqual(lines[-1], "# EOF")


class Benchmarks(unittest.TestCase):
    @of_hostile
    def test_github_benchmark(self, names):
        items = json.loads(write("github-benchmark", *names))
        self.assertEqual(len({item["name"] for item in items}), 5 * len(names))
        for item in items:
            self.assertLessEqual({"name", "unit", "value"}, set(item))
            self.assertLessEqual(set(item), {"name", "unit", "value", "range", "extra"})
            self.assertIsInstance(item["value"], (int, float))
            self.assertIn(item["unit"], ("MiB", "MiB/min", "s"))
            if "range" in item:
                self.assertRegex(item["range"], r"^± \d+\.\d+$")

    @of_hostile
    def test_bencher(self, names):
        document = json.loads(write("bencher", *names))
        measures = 0
        for name, bench in document.items():
            self.assertLessEqual(len(name), 1024)
            for measure, value in bench.items():
                self.assertRegex(measure, r"^[a-z0-9-]{1,64}$")
                self.assertLessEqual({"value"}, set(value))
                self.assertLessEqual(set(value), {"value", "lower_value", "upper_value"})
                measures += 1
        self.assertEqual(measures, 5 * len(names))

    @of_hostile
    def test_benchstat(self, names):
        # The grammar of Go's benchmark format, golang.org/design/14313-benchmark-format.
        text = write("benchstat", *names).decode()
        number, units, results = r"[-+]?\d+(\.\d+)?", set(), 0
        for line in text.split("\n"):
            if line.startswith("Unit "):
                match = re.fullmatch(r"Unit (\S+)(?: [a-z]+=\S+)+", line)
                units.add(match[1])
                continue
            if not line:
                continue
            fields = line.split()
            self.assertRegex(line, rf"^Benchmark[^a-z\s]\S* [1-9]\d*(?: {number} \S+)+$")
            self.assertEqual(len(fields) % 2, 0)
            self.assertNotRegex(fields[0], r"-\d+$")
            self.assertLessEqual(set(fields[3::2]), units)
            results += 1
        self.assertEqual(results, 5 * len(names))

    def test_what_was_not_measured_is_left_out(self):
        for name in ("github-benchmark", "bencher", "benchstat", "gitlab-metrics"):
            self.assertNotIn(b"pss", write(name, "a"), name)
        items = {item["name"]: item["value"] for item in json.loads(write("github-benchmark", "a"))}
        self.assertEqual(items["a: peak"], 463.9)
        self.assertEqual(items["a: uss: peak of a kind of memory"], 0)
        self.assertEqual(json.loads(write("bencher", "a"))["a"]["peak-bytes"]["value"], round(463.9 * MIB))


class TeamCity(unittest.TestCase):
    VALUE = r"'(?:[^|'\[\]\n\r]|\|[|'\[\]nr])*'"

    @of_hostile
    def test_each_line_is_one_message(self, names):
        lines = write("teamcity", *names).decode().split("\n")
        self.assertEqual(lines.pop(), "")
        statistics = 0
        for line in lines:
            self.assertRegex(line, rf"^##teamcity\[(buildStatisticValue key={self.VALUE} value='-?\d+(\.\d+)?'|"
                                   rf"buildProblem description={self.VALUE})\]$")
            self.assertLessEqual(len(line), 4000)
            statistics += line.startswith("##teamcity[buildStatisticValue")
        self.assertEqual(statistics, 5 * len(names))
        keys = re.findall(rf"key=({self.VALUE})", "\n".join(lines))
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(len(lines) - statistics, 3 * len(names) + 1)

    def test_report_only_has_no_problems(self):
        self.assertNotIn(b"buildProblem", write("teamcity", "--report-only", "a"))


class Options(TestCase):
    """--format, --json and --color of `mprof check`, and what it does inside GitHub Actions."""

    def setUp(self):
        super().setUp()
        self.good = str(FIXTURES / "dat" / "nested.dat")  # 128.238 MiB

    def check(self, *arguments, limit="100MiB", expect=1, **environment):
        return self.run_mprof("check", self.good, "--max", limit, *arguments, expect=expect,
                              env=self.environment(**environment))

    def test_several_at_once(self):
        done = self.check("--format", "junit=out.xml", "--format", "json=out.json", "--format=bencher=b.json")
        self.assertIn("CROSSED", done.stdout)
        cases = list(list(junitparser.JUnitXml.fromfile(str(self.directory / "out.xml")))[0])
        self.assertEqual(len(cases), 1)
        document = json.loads((self.directory / "out.json").read_text())
        jsonschema.Draft7Validator(SCHEMA).validate(document)
        self.assertEqual(document["subjects"][0]["results"][0]["limit"], 100 * MIB)
        self.assertEqual(document["exit_code"], 1)
        self.assertEqual(len(json.loads((self.directory / "b.json").read_text())), 1)

    def test_standard_output_is_data(self):
        for arguments in (["--json"], ["--format", "json"], ["--format=json=-"]):
            with self.subTest(arguments):
                done = self.check(*arguments, GITHUB_ACTIONS="true")
                self.assertEqual(json.loads(done.stdout)["format"], "mprof-check")
                self.assertIn("::error title=", done.stderr)

    def test_two_formats_cannot_share_standard_output(self):
        done = self.check("--json", "--format", "junit", expect=2)
        self.assertEqual(done.stdout, "")
        self.assertIn("'json' and 'junit' cannot both go to standard output", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_wrong_values(self):
        for arguments, words in ((["--format", "xml"], "must be one of text, json, junit"),
                                 (["--format", "junit="], "needs the name of a file"),
                                 (["--format", "junit=out.xml.gz"], "--format writes plain text, not what 'out.xml.gz' ends in"),
                                 (["--format", "json=out.json.xz"], "--format writes plain text, not what 'out.json.xz' ends in"),
                                 (["--color", "blue"], "--color must be auto, always or never, not 'blue'")):
            done = self.check(*arguments, expect=2)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_a_file_that_cannot_be_written_is_no_pass(self):
        done = self.check("--format", "junit=/nowhere/out.xml", limit="1GiB", expect=3)
        self.assertIn("mprof: /nowhere/out.xml: cannot write: No such file or directory", done.stderr)
        self.assertIn("passed", done.stdout)
        done = self.check("--format", "junit=/dev/full", limit="1GiB", expect=3)
        self.assertIn("/dev/full: cannot write: No space left on device", done.stderr)
        self.check("--format", "junit=/dev/full", expect=1)

    def test_colours(self):
        self.assertNotIn("\x1b", self.check().stdout)
        self.assertIn("\x1b", self.check("--color", "always", NO_COLOR="1").stdout)
        for options, environment, coloured in (([], {}, True), ([], {"NO_COLOR": "1"}, False),
                                               ([], {"NO_COLOR": ""}, True), ([], {"TERM": "dumb"}, False),
                                               (["--color=never"], {}, False),
                                               (["--color=always"], {"NO_COLOR": "1"}, True)):
            with self.subTest(options=options, environment=environment):
                master, slave = pty.openpty()
                subprocess.run([MPROF, "check", self.good, "--max", "1MiB", *options], stdout=slave,
                               env=self.environment(**{"TERM": "xterm", **environment}), cwd=self.directory)
                os.close(slave)
                text = b""
                try:
                    while chunk := os.read(master, 65536):
                        text += chunk
                except OSError:  # all was read
                    pass
                os.close(master)
                self.assertIn(b"CROSSED", text)
                self.assertEqual(b"\x1b" in text, coloured)

    def test_a_colour_in_files_only_if_always(self):
        self.check("--format", "text=a", "--color", "always")
        self.check("--format", "text=b")
        self.assertIn("\x1b", (self.directory / "a").read_text())
        self.assertNotIn("\x1b", (self.directory / "b").read_text())

    def test_inside_github_actions(self):
        summary = self.directory / "summary.md"
        summary.write_text("# before\n")
        environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
        done = self.check(**environment)
        self.assertNotIn("::", done.stdout)
        self.assertEqual(len(re.findall("^::error ", done.stderr, re.M)), 1)
        text = summary.read_text()
        self.assertTrue(text.startswith("# before\n"))
        self.assertIn("**crossed**", text)
        self.check("--format", "github=g", "--format", "markdown=m", **environment)
        self.assertEqual(summary.read_text(), text)
        done = self.check(GITHUB_ACTIONS="false", GITHUB_STEP_SUMMARY=str(summary))
        self.assertEqual((done.stderr, summary.read_text()), ("", text))

    def test_a_full_summary_is_left_alone(self):
        summary = self.directory / "summary.md"
        for size, grows in ((1048576 - 1000, False), (1048576 - 5000, True)):
            summary.write_bytes(b"x" * size)
            done = self.check(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
            self.assertLessEqual(summary.stat().st_size, 1048576)
            self.assertEqual(summary.stat().st_size > size, grows)
            self.assertEqual("the summary is full" in done.stderr, not grows)

    def test_run_has_the_same_options(self):
        self.run_mprof("run", "-o", "x.dat", "--max", "1KiB", "--format", "junit=out.xml", "true", expect=1)
        self.assertEqual(list(junitparser.JUnitXml.fromfile(str(self.directory / "out.xml")))[0].failures, 1)
        done = self.run_mprof("run", "-o", "y.dat", "--format", "junit=out.xml", "true", expect=None)
        self.assertIn("--check needs a limit", done.stderr)


if __name__ == "__main__":
    unittest.main()
