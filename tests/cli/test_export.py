"""mprof export: values equal the recording's, and the tools that the formats are made for read them: protoc,
promtool and Prometheus, speedscope, csv and JSON readers."""

import base64
import collections
import contextlib
import csv
import datetime
import io
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import (FIXTURES, MPROF, SOURCE, Recording, TestCase, is_sanitized, own_line,  # noqa: E402
                        tiny_file_system, wait_until)
from browser import Browser  # noqa: E402
import npm  # noqa: E402

MIB = 1024 * 1024
START = 1700000000

# Perfetto's numbers of the fields that are written; the names are those of its documentation.
TRACE_SCHEMA = """
syntax = "proto2";
message Trace { repeated Packet packet = 1; }
message Packet {
  optional ClockSnapshot clock_snapshot = 6;
  optional uint64 timestamp = 8;
  optional uint32 sequence_id = 10;
  optional TrackEvent track_event = 11;
  optional Interned interned_data = 12;
  optional uint32 sequence_flags = 13;
  optional uint32 clock_id = 58;
  optional TrackDescriptor track_descriptor = 60;
}
message ClockSnapshot {
  message Clock { optional uint32 clock_id = 1; optional uint64 timestamp = 2; }
  repeated Clock clocks = 1;
  optional uint32 primary_trace_clock = 2;
}
message TrackDescriptor {
  optional uint64 uuid = 1;
  optional string name = 2;
  optional Process process = 3;
  optional Thread thread = 4;
  optional uint64 parent_uuid = 5;
  optional Counter counter = 8;
}
message Process { optional int32 pid = 1; optional string process_name = 6; }
message Thread { optional int32 pid = 1; optional int32 tid = 2; optional string thread_name = 5; }
message Counter { optional uint32 unit = 3; }
message TrackEvent {
  repeated Annotation debug_annotations = 4;
  optional uint32 type = 9;
  optional uint64 name_iid = 10;
  optional uint64 track_uuid = 11;
  optional int64 counter_value = 30;
}
message Annotation {
  optional bool bool_value = 2;
  optional uint64 uint_value = 3;
  optional int64 int_value = 4;
  optional string name = 10;
}
message Interned { repeated EventName event_names = 2; }
message EventName { optional uint64 iid = 1; optional string name = 2; }
"""


def wire(data):
    """A message as {field: [values]}: an own reader of the wire format."""
    fields, at = collections.defaultdict(list), 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        tag = varint()
        if tag & 7 == 0:
            fields[tag >> 3].append(varint())
        else:
            assert tag & 7 == 2, f"wire type {tag & 7}"
            size = varint()
            assert at + size <= len(data)
            fields[tag >> 3].append(data[at:at + size])
            at += size
    return fields


def check_schema(document):
    schema = json.loads((SOURCE / "docs" / "schema" / "output.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(document)


class Trace:
    """Counters and slices of a Perfetto trace, as its documentation describes them."""

    def __init__(self, data):
        self.tracks, self.counters, self.slices = {}, collections.defaultdict(list), []
        self.packets = [wire(packet) for packet in wire(data)[1]]
        names, opened = {}, collections.defaultdict(list)
        for packet in self.packets:
            sequence = packet[10][0]
            if packet.get(13, [0])[0] & 1:
                names = {key: name for key, name in names.items() if key[0] != sequence}
            for track in map(wire, packet.get(60, [])):
                self.tracks[track[1][0]] = track
            for interned in map(wire, packet.get(12, [])):
                for name in map(wire, interned[2]):
                    names[sequence, name[1][0]] = name[2][0].decode()
            for event in map(wire, packet.get(11, [])):
                assert packet[58] == [1], "not on the calendar's clock"
                time_us = packet[8][0] / 1000
                track = event[11][0]
                assert track in self.tracks, "an event of a track that was not described"
                if event[9] == [4]:
                    value = event[30][0]
                    self.counters[track].append((time_us, value - (1 << 64) * (value >> 63)))
                elif event[9] == [1]:
                    opened[track].append((names[sequence, event[10][0]], time_us))
                else:
                    name, start_us = opened[track].pop()
                    self.slices.append((name, self.process_of(track), start_us, time_us))
        assert not any(opened.values()), "slices that never end"

    def process_of(self, track):
        """Name of the process of a track; None: of none."""
        while 3 not in self.tracks[track]:
            if 5 not in self.tracks[track]:
                return None
            track = self.tracks[track][5][0]
        return wire(self.tracks[track][3][0])[6][0].decode()

    def counter(self, process, name):
        """The values of a counter, in bytes, by time."""
        found = [uuid for uuid in self.counters if self.process_of(uuid) == process
                 and self.tracks[uuid][2][0].decode() == name]
        assert len(found) == 1, f"{len(found)} counters {name!r} of {process!r}"
        return [value for _, value in sorted(self.counters[found[0]])]


def in_bytes(mib):
    return round(mib * MIB)


class Export(TestCase):
    def export(self, form, *files, expect=0, **options):
        done = self.run_mprof("export", "--to", form, "-o", f"out.{form}", *files, expect=expect,
                              **options)
        return (self.directory / f"out.{form}"), done

    def make(self, name="a.dat", text=None):
        """A tree with two processes, two lanes, kinds and a control group."""
        lines = [own_line("FACT", "host", "build-7"), own_line("FACT", "pid", "100"),
                 own_line("FACT", "format", "2"), own_line("FACT", "include-children", "no"),
                 own_line("PROC", 100, 1, f"{START}.000000", "python3 app.py --token=geheim"),
                 own_line("PROC", 101, 100, f"{START}.100000", "worker; \"one\"")]
        for i in range(20):
            time_s = f"{START + i * 0.1:.4f}"
            lines.append(f"MEM {10 + i:.6f} {time_s}\n")
            lines.append(f"CHLD 101 {5 + i / 2:.6f} {time_s}\n")
            lines.append(own_line("KINDS", 100, f"{START + i * 0.1:.6f}", f"pss={9 + i:.6f}"))
            lines.append(own_line("GROUP", f"{20 + i:.6f}", f"{START + i * 0.1:.6f}", "64.000000"))
        lines += [f"FUNC app.inner 10.000000 {START}.200000 14.000000 {START}.500000 1\n",
                  f"FUNC app.outer 10.000000 {START}.200000 16.000000 {START}.900000 0\n",
                  f"FUNC app.work 6.000000 {START}.300000 6.500000 {START}.700000 0 pid=101 lane=T-1\n",
                  f"FUNC app.work 6.500000 {START}.700000 6.000000 {START}.800000 0 pid=101 lane=T-1 open suspended=0.05 "
                  "sampled=0.005\n"]
        (self.directory / name).write_text(
            text or "CMDLINE python3 app.py --token=geheim\n" + "".join(lines))
        return name

    # ---- Perfetto ----

    def test_perfetto_has_the_recordings_values(self):
        path, _ = self.export("perfetto", self.make())
        recording, trace = Recording(self.directory / "a.dat"), Trace(path.read_bytes())
        main, worker = "python3 app.py --token=***", "worker; \"one\""
        self.assertEqual(trace.counter(main, "rss"), [in_bytes(mib) for mib, _ in recording.mem])
        self.assertEqual(trace.counter(worker, "rss"), [in_bytes(mib) for _, mib, _ in recording.chld])
        self.assertEqual(trace.counter(main, "pss"),
                         [in_bytes(kinds["pss"]) for _, _, kinds in recording.kinds])
        self.assertEqual(trace.counter(None, "control group limit of all processes"), [64 * MIB] * 20)
        expected = sorted((call.name, worker if call.pid == 101 else main,
                           round(call.enter_s * 1e6), round(call.exit_s * 1e6))
                          for call in recording.calls)
        self.assertEqual(sorted(trace.slices), expected)

    def test_protoc_decodes_a_trace(self):
        (self.directory / "trace.proto").write_text(TRACE_SCHEMA)
        path, _ = self.export("perfetto", self.make())
        done = subprocess.run(["protoc", "--decode=Trace", "trace.proto"], cwd=self.directory,
                              input=path.read_bytes(), capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        text = done.stdout.decode()
        self.assertIn('process_name: "python3 app.py --token=***"', text)
        for name, value in (("never_returned", "bool_value: true"), ("suspended_us", "uint_value: 50000"),
                            ("sampled_us", "uint_value: 5000"), ("enter_bytes", f"int_value: {10 * MIB}")):
            self.assertRegex(text, rf'{value}\s+name: "{name}"')
        self.assertIn('thread_name: "T-1"', text)
        self.assertIn("primary_trace_clock: 1", text)
        self.assertNotRegex(text, r"(?m)^\s*\d+: ", "a field that the schema has not")
        # protoc writes the same bytes from its own text
        again = subprocess.run(["protoc", "--encode=Trace", "trace.proto"], cwd=self.directory,
                               input=done.stdout, capture_output=True, check=True)
        self.assertEqual(len(again.stdout), path.stat().st_size)

    # ---- Chrome ----

    def test_chrome_has_the_recordings_values(self):
        path, _ = self.export("chrome", self.make())
        recording = Recording(self.directory / "a.dat")
        events = json.loads(path.read_text())["traceEvents"]
        names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
        self.assertEqual(names[100], "python3 app.py --token=***")
        counters = [(event["ts"], event["args"]["bytes"]) for event in events
                    if event["ph"] == "C" and event["pid"] == 100 and event["name"] == "rss"]
        self.assertEqual(counters, [(round(time_s * 1e6), in_bytes(mib)) for mib, time_s in recording.mem])
        calls = sorted((event["name"], event["pid"], event["ts"], event["dur"],
                        event["args"]["enter_bytes"], event["args"]["exit_bytes"])
                       for event in events if event["ph"] == "X")
        args = [event["args"] for event in events if event["ph"] == "X" and "never_returned" in event["args"]]
        self.assertEqual([(arg["suspended_s"], arg["sampled_s"]) for arg in args], [(0.05, 0.005)])
        self.assertEqual(calls, sorted(
            (call.name, call.pid, round(call.enter_s * 1e6), round((call.exit_s - call.enter_s) * 1e6),
             in_bytes(call.enter_mib), in_bytes(call.exit_mib)) for call in recording.calls))
        threads = {(event["pid"], event["tid"]): event["args"]["name"] for event in events
                   if event["name"] == "thread_name"}
        self.assertEqual({(event["name"], event["pid"], threads[event["pid"], event["tid"]])
                          for event in events if event["ph"] == "X"},
                         {(call.name, call.pid, call.lane or "main") for call in recording.calls})
        self.assertEqual({tid for (pid, tid), name in threads.items() if name == "main"}, {100})
        self.assertNotIn((101, 101), threads)

    # ---- tables ----

    def test_csv_has_the_recordings_values(self):
        path, _ = self.export("csv", self.make())
        recording = Recording(self.directory / "a.dat")
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
        self.assertTrue(path.read_bytes().endswith(b"\r\n"))
        self.assertEqual(list(rows[0])[:4], ["time", "process", "kind", "value"])
        worker = [row for row in rows if row["pid"] == "101"]
        self.assertEqual({row["process"] for row in worker}, {"worker; \"one\""})
        self.assertEqual([int(row["value"]) for row in worker],
                         [in_bytes(mib) for _, mib, _ in recording.chld])
        times = [datetime.datetime.fromisoformat(row["time"].replace("Z", "+00:00")) for row in rows]
        self.assertEqual(times, sorted(times))
        self.assertAlmostEqual(times[0].timestamp(), START)
        self.assertEqual({(row["host"], row["run"], row["recording"]) for row in rows},
                         {("build-7", "1", "a.dat")})

    def test_a_sum_is_not_the_main_process(self):
        """Without -M only the sum was recorded: nothing is known of the main process, or of any other, between its ends."""
        lines = ["CMDLINE make", "#FACT|format|2 nan nan", "#FACT|pid|100 nan nan", "#FACT|include-children|yes nan nan",
                 "#FACT|multiprocess|{} nan nan", *(f"#PROC|{100 + i}|{99 + i}|{START}.0|{name} nan nan" for i, name in enumerate(("make", "cc1"))),
                 *(f"MEM {50 + i}.000000 {START}.{i}000" for i in range(5))]
        for each, processes in (("no", {"all processes"}), ("yes", {"all processes", "make"})):
            (self.directory / "sum.dat").write_text("\n".join(lines).format(each) + "\n")
            rows = list(csv.DictReader(io.StringIO(self.run_mprof("export", "--to", "csv", "sum.dat").stdout)))
            self.assertEqual({row["process"] for row in rows}, processes)
            values = [row["value"] for row in rows if row["process"] == "all processes"]
            self.assertEqual(values, [str((50 + i) * MIB) for i in range(5)])

    def test_unix_times(self):
        self.make()
        done = self.run_mprof("export", "--to", "csv", "--time", "unix", "a.dat")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual(rows[-1]["time"], f"{START + 1}.900000")

    def test_json_has_the_recordings_values(self):
        path, _ = self.export("json", self.make())
        recording = Recording(self.directory / "a.dat")
        document = json.loads(path.read_text())
        check_schema(document)
        self.assertEqual((document["format"], document["version"], document["unreadable"]),
                         ("mprof-export", 1, []))
        item, = document["recordings"]
        self.assertEqual(item["command_line"], "python3 app.py --token=***")
        columns = item["samples"]["columns"]
        rows = [dict(zip(columns, row)) for row in item["samples"]["rows"]]
        mem = [row for row in rows if row["process"] == 0 and row["kind"] == "rss"]
        self.assertEqual([row["bytes"] for row in mem], [in_bytes(mib) for mib, _ in recording.mem])
        for row, (_, time_s) in zip(mem, recording.mem):
            self.assertAlmostEqual(item["started_s"] + row["at_s"], time_s, 4)
        self.assertEqual(item["processes"][0]["pid"], 100)
        calls = [dict(zip(item["calls"]["columns"], row)) for row in item["calls"]["rows"]]
        self.assertEqual(sorted((call["name"], call["lane"], call["is_open"]) for call in calls),
                         [("app.inner", "", False), ("app.outer", "", False),
                          ("app.work", "T-1", False), ("app.work", "T-1", True)])
        self.assertEqual([(call["suspended_s"], call["sampled_s"]) for call in calls if call["is_open"]],
                         [(0.05, 0.005)])

    # ---- OpenMetrics ----

    def test_openmetrics_is_strict(self):
        """Held against the reader of Prometheus' own Python client, which refuses what the standard forbids."""
        try:
            from prometheus_client.openmetrics import parser
        except ImportError:
            self.skipTest("python3-prometheus-client is not installed")
        # older releases compare the fractions of different seconds
        from prometheus_client import samples
        samples.Timestamp.__gt__ = lambda one, other: (one.sec, one.nsec) > (other.sec, other.nsec)
        path, _ = self.export("openmetrics", self.make(), self.make("b\\a\"d.dat"))
        families = {family.name: family for family in parser.text_string_to_metric_families(path.read_text())}
        recording = Recording(self.directory / "a.dat")
        memory = [sample for sample in families["mprof_memory_bytes"].samples
                  if sample.labels["recording"] == "a.dat"]
        self.assertEqual([(sample.value, round(float(sample.timestamp), 3)) for sample in memory],
                         [(in_bytes(mib), round(time_s, 3)) for mib, time_s in recording.mem])
        self.assertEqual(memory[0].labels, {"recording": "a.dat", "host": "build-7"})
        worker = families["mprof_process_memory_bytes"].samples[-1]
        self.assertEqual(worker.labels, {"recording": "b\\a\"d.dat", "host": "build-7", "pid": "101",
                                         "process": "worker; \"one\""})
        calls = [sample.value for sample in families["mprof_function_calls"].samples
                 if sample.labels == {"recording": "a.dat", "host": "build-7", "function": "app.work"}]
        self.assertEqual(calls, [1, 2])
        self.assertEqual(families["mprof_peak_bytes"].samples[0].value, in_bytes(max(recording.mem)[0]))

    def test_the_peak_is_that_of_the_samples(self):
        """Of a program whose MEM is the main process alone, as in --textfile."""
        self.make("m.dat", "CMDLINE x\n" + "".join([
            own_line("FACT", "pid", "100"), own_line("FACT", "include-children", "no"), f"MEM 3.0 {START}.0\n",
            own_line("PROC", 101, 100, f"{START}.0", "other"), f"CHLD 101 60.0 {START}.0\n",
            f"MEM 2.0 {START + 1}.0\n", f"CHLD 101 60.0 {START + 1}.0\n"]))
        text = self.export("openmetrics", "m.dat")[0].read_text()
        self.assertEqual(re.findall(r"(?m)^mprof_peak_bytes\{.*\} (\d+) ", text), [str(3 << 20)])

    def test_equal_labels_are_one_series(self):
        """A pid that was used again by the same program, and names that differ behind a NUL."""
        lines = [own_line("FACT", "pid", "100"), own_line("FACT", "include-children", "no"), f"MEM 1.0 {START}.0\n"]
        for at in (1, 4):
            lines += [own_line("PROC", 101, 100, f"{START + at}.0", "same"), f"CHLD 101 {at}.000000 {START + at}.0\n",
                      own_line("EXIT", 101, f"{START + at + 1}.0", "status", 0),
                      own_line("PROC", 101 + at, 100, f"{START + at}.0", "other"),
                      f"CHLD {101 + at} 2.000000 {START + at}.0\n",
                      f"FUNC m.f\\x00{at} 1.0 {START + at}.0 1.0 {START + at}.5 0 pid=100\n"]
        self.make("again.dat", "CMDLINE x\n" + "".join(lines))
        series = [line.rpartition("} ")[0] for line in
                  self.export("openmetrics", "again.dat")[0].read_text().splitlines() if not line.startswith("#")]
        blocks = [name for number, name in enumerate(series) if number == 0 or series[number - 1] != name]
        self.assertEqual(len(blocks), len(set(blocks)), blocks)
        self.assertEqual(sum('process="same"' in name for name in series), 2)

    @contextlib.contextmanager
    def prometheus(self, data):
        """Runs Prometheus on the loopback; yields a function that asks it: (query, time) -> result."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        (self.directory / "prometheus.yml").write_text("scrape_configs: []\n")
        server = subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={data}",
             "--storage.tsdb.retention.time=100y", f"--web.listen-address={address}"],
            cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def get(path):
            try:
                with urllib.request.urlopen(f"http://{address}{path}", timeout=20) as answer:
                    return answer.read()
            except OSError:
                return None

        def query(expression, time_s):
            text = get("/api/v1/query?" + urllib.parse.urlencode({"query": expression, "time": time_s}))
            result = json.loads(text)["data"]["result"]
            if "values" in next(iter(result), {}):
                return [(item["metric"], [(time_s, float(value)) for time_s, value in item["values"]])
                        for item in result]
            return [(item["metric"], float(item["value"][1])) for item in result]
        try:
            wait_until(lambda: server.poll() is not None or get("/-/ready"), "Prometheus is ready")
            yield query
        finally:
            server.kill()
            server.wait()

    def test_prometheus_answers_queries_on_a_back_filled_recording(self):
        if not shutil.which("promtool"):
            self.skipTest("prometheus is not installed")
        self.make()
        # each millisecond: Prometheus cuts 1.001 s to 1,000 ms, and refuses two values of one
        (self.directory / "fast.dat").write_text("CMDLINE fast\n" + "".join(
            f"MEM {100 + i % 7}.000000 {1 + i / 1000:.4f}\nMEM 100.500000 {1 + i / 1000 + 0.0001:.4f}\n"
            for i in range(5000)))
        path, _ = self.export("openmetrics", "a.dat", "fast.dat")
        done = subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", path, "data"],
                              cwd=self.directory, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        recording = Recording(self.directory / "a.dat")
        with self.prometheus("data") as query:
            end = START + 10
            (_, values), = query('mprof_memory_bytes{recording="fast.dat"}[20s]', 10)
            expected = {(round(1 + i / 1000, 3), max(in_bytes(100 + i % 7), in_bytes(100.5)))
                        for i in range(5000)}
            self.assertEqual(sorted(expected.symmetric_difference(values))[:5], [])
            self.assertEqual(query('max_over_time(mprof_memory_bytes{recording="fast.dat"}[20s])', 10),
                             [({"recording": "fast.dat"}, 106 * MIB)])
            for mib, time_s in recording.mem:
                self.assertEqual(query('mprof_memory_bytes{recording="a.dat"}', time_s)[0][1], in_bytes(mib))
            self.assertEqual(query("topk(1, max by (process) (max_over_time(mprof_process_memory_bytes"
                                   '{recording="a.dat"}[20s])))', end),
                             [({"process": "python3 app.py --token=***"}, 29 * MIB)])
            self.assertEqual(query('mprof_function_calls_total{function="app.work"}', end)[0][1], 2)
            self.assertAlmostEqual(query('mprof_function_seconds_total{function="app.outer"}', end)[0][1], 0.7)

    # ---- stacks ----

    def test_collapsed_stacks_by_time_and_growth(self):
        path, _ = self.export("collapsed", self.make())
        main, worker = "python3 app.py --token=***", "worker: \"one\";T-1"
        self.assertEqual(path.read_text().splitlines(), [
            f"{main};app.outer 400000", f"{main};app.outer;app.inner 300000", f"{worker};app.work 500000"])
        done = self.run_mprof("export", "--to", "collapsed", "--by", "growth", "a.dat")
        by_path = {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in done.stdout.splitlines()}
        document = json.loads(self.run_mprof("functions", "--json", "a.dat").stdout)["recordings"][0]
        own = {function["name"]: function["own"]["growth_bytes"] for function in document["functions"]}
        self.assertEqual(set(by_path), {"app.outer", "app.outer;app.inner", "app.work", "(outside of calls)"})
        self.assertEqual({path.split(";")[-1]: value for path, value in by_path.items()},
                         {**own, "(outside of calls)": document["outside"]["growth_bytes"]})

    def stacks(self):
        """Two threads whose stacks were sampled, and a call that was recorded as well."""
        lines = [own_line("FACT", "pid", "100"), own_line("FACT", "format", "2"), own_line("FACT", "include-children", "no"),
                 own_line("FACT", "stacks", "own"), own_line("PROC", 100, 1, f"{START}.000000", "app")]
        lines += [f"MEM {10 + i}.000000 {START + i}.0000\n" for i in range(5)]
        lines += [f"#FRAME|1|0|m.main|/x/m.py|10 nan nan\n", "#FRAME|2|1|m.load|/x/m.py|3 nan nan\n",
                  "#FRAME|3|1|m.a;b|\\e|0 nan nan\n",
                  f"#STACK|100|{START}.0|{START + 2}.0|\\e|2|20|2.0|3.0|0.0|13.0 nan nan\n",
                  f"#STACK|100|{START + 2}.0|{START + 4}.0|\\e|3|15|1.5|1.0|0.0|14.0 nan nan\n",
                  f"#STACK|100|{START + 2}.0|{START + 4}.0|\\e|0|5|0.5|0.0|0.0|14.0 nan nan\n",
                  f"#STACK|100|{START}.0|{START + 4}.0|T-1|1|40|4.0|0.0|0.0|14.0 nan nan\n",
                  f"FUNC m.load 10.0 {START}.5 13.0 {START + 2}.0 1 sampled=0.05\n"]
        # what a process had at its first sample is no stack
        lines.append(own_line("STACK", 100, f"{START}.000000", f"{START}.100000", "process memory", 0, 0, "0.000000",
                              "8.000000", "0.000000", "10.000000"))
        (self.directory / "stacks.dat").write_text("CMDLINE app\n" + "".join(lines))

    def test_sampled_stacks(self):
        self.stacks()
        self.assertEqual(self.export("collapsed", "stacks.dat")[0].read_text().splitlines(), [
            "app 500000", "app;m.main;m.load 2000000", "app;m.main;m.a:b 1500000", "app;T-1;m.main 4000000"])
        self.assertEqual(sorted(self.run_mprof("export", "--to", "collapsed", "--by", "growth",
                                               "stacks.dat").stdout.splitlines()),
                         [f"before sampling {8 * MIB}", f"m.main;m.a:b {MIB}", f"m.main;m.load {3 * MIB}"])
        half = self.run_mprof("export", "--to", "collapsed", "-w", "0,1", "stacks.dat").stdout
        self.assertEqual(half.splitlines(), ["app;m.main;m.load 1000000", "app;T-1;m.main 1000000"])
        document = json.loads(self.export("speedscope", "stacks.dat")[0].read_text())
        names = [frame["name"] for frame in document["shared"]["frames"]]
        self.assertIn({"name": "m.load", "file": "/x/m.py", "line": 3}, document["shared"]["frames"])
        main, thread = document["profiles"]
        self.assertEqual([[names[frame] for frame in sample] for sample in main["samples"]],
                         [["m.main", "m.load"], ["m.main", "m.a;b"], []])
        self.assertEqual((main["weights"], main["endValue"], main["unit"]), ([2, 1.5, 0.5], 4, "seconds"))
        self.assertEqual((thread["name"], thread["weights"]), ("app: T-1", [4]))

    def tangled(self):
        """Calls of one lane that overlap without nesting, begin or end together, or take no time."""
        calls = [("a", 0, 5), ("b", 3, 8), ("c", 3, 4), ("d", 4, 4), ("e", 5, 5), ("f", 8, 9), ("g", 8, 9), ("h", 0, 9)]
        text = "".join(f"FUNC m.{name} 1.0000 {START + begin}.0000 1.0000 {START + end}.0000\n"
                       for name, begin, end in calls)
        self.make("t.dat", f"CMDLINE x\nMEM 1.000000 {START}.0000\n{text}")
        return calls

    def test_more_calls_than_are_sorted_in_memory(self):
        with (self.directory / "calls.dat").open("w") as stream:
            stream.write(f"CMDLINE x\nMEM 1.0 {START}.0\n")
            stream.writelines(f"FUNC m.f{i % 7} 1.0 {START + (i * 7919 % 100000) / 10:.6f} 1.0 "
                              f"{START + (i * 7919 % 100000) / 10 + 0.05:.6f} 0\n" for i in range(100000))
        lines = self.export("collapsed", "calls.dat")[0].read_text().splitlines()
        self.assertEqual({line.split(";")[1].split()[0] for line in lines}, {f"m.f{i}" for i in range(7)})
        self.assertEqual(sum(int(line.split()[-1]) for line in lines), 100000 * 50000)

    def test_calls_that_overlap_get_tracks_of_their_own(self):
        calls = self.tangled()
        expected = sorted((f"m.{name}", begin, end) for name, begin, end in calls)
        trace = Trace(self.export("perfetto", "t.dat")[0].read_bytes())
        self.assertEqual(sorted((name, start / 1e6 - START, end / 1e6 - START)
                                for name, _, start, end in trace.slices), expected)
        document = json.loads(self.export("speedscope", "t.dat")[0].read_text())
        names = [frame["name"] for frame in document["shared"]["frames"]]
        found = []
        self.assertGreater(len(document["profiles"]), 1)
        for profile in document["profiles"]:
            opened, before = [], 0
            for event in profile["events"]:
                self.assertGreaterEqual(event["at"], before)
                before = event["at"]
                if event["type"] == "O":
                    opened.append((event["frame"], event["at"]))
                else:
                    frame, at = opened.pop()
                    self.assertEqual(frame, event["frame"])
                    found.append((names[frame], at, event["at"]))
            self.assertEqual(opened, [])
        self.assertEqual(sorted(found), expected)

    def test_speedscope_follows_the_schema_and_opens(self):
        place = npm.package("speedscope", "1.22.2") / "dist" / "release"
        schema = json.loads((place / "file-format-schema.json").read_text())
        self.make()
        self.tangled()
        self.stacks()
        files = []
        for number, options in enumerate((["speedscope"], ["speedscope", "--by", "growth"], ["collapsed"], ["chrome"])):
            name = f"{number}.json"
            self.run_mprof("export", "--to", *options, "-o", name, "a.dat", "t.dat", "stacks.dat")
            files.append(self.directory / name)
        for path in files[:2]:
            jsonschema.Draft7Validator(schema).validate(json.loads(path.read_text()))
        browser = Browser()
        self.addCleanup(browser.close)
        for path, shown in zip(files, ("python3 app.py", "growth of memory", "2.json", "main (tid 100)")):
            script = path.with_suffix(".js")
            text = base64.b64encode(path.read_bytes()).decode()
            script.write_text(f"speedscope.loadFileFromBase64({json.dumps(path.name)}, {json.dumps(text)})")
            browser.open("about:blank")
            browser.open(f"{(place / 'index.html').as_uri()}#localProfilePath={script}")
            wait_until(lambda: shown in browser.run("return document.title + document.body.innerText"),
                       f"speedscope shows {path.name} as {shown}", 30)

    # ---- input ----

    def test_several_files_runs_and_equal_pids(self):
        self.make()
        text = (self.directory / "a.dat").read_text()
        (self.directory / "two.dat").write_text(text + text.replace("17000000", "17000100"))
        trace = Trace(self.export("perfetto", "a.dat", "two.dat")[0].read_bytes())
        names = ["python3 app.py --token=***, a.dat", "python3 app.py --token=***, run 1 of 2, two.dat",
                 "python3 app.py --token=***, run 2 of 2, two.dat"]
        for name in names:
            self.assertEqual(len(trace.counter(name, "rss")), 20)
        pids = [wire(track[3][0])[1][0] for track in trace.tracks.values() if 3 in track]
        self.assertEqual(len(pids), len(set(pids)))
        self.assertEqual(sum(pid <= 1 << 22 for pid in pids), 2)
        rows = list(csv.DictReader(io.StringIO(self.run_mprof("export", "--to", "csv", "two.dat").stdout)))
        self.assertEqual(collections.Counter(row["time"] for row in rows)[rows[0]["time"]], 5)
        self.assertEqual({row["run"] for row in rows}, {"1", "2"})

    def test_a_tree_whose_samples_are_sums(self):
        """The main process has what the others leave."""
        lines = [own_line("FACT", "pid", "100"), own_line("FACT", "include-children", "yes"),
                 own_line("PROC", 100, 1, f"{START}.000000", "main"), own_line("PROC", 101, 100, f"{START}.0", "child")]
        for i in range(3):
            lines += [f"MEM {30 + i}.000000 {START + i}.0000\n", f"CHLD 101 {10 + i}.000000 {START + i}.0000\n"]
        self.make("sum.dat", "CMDLINE x\n" + "".join(lines))
        trace = Trace(self.export("perfetto", "sum.dat")[0].read_bytes())
        self.assertEqual(trace.counter(None, "rss of all processes"), [30 * MIB, 31 * MIB, 32 * MIB])
        self.assertEqual(trace.counter("main", "rss"), [20 * MIB] * 3)
        self.assertEqual(trace.counter("child", "rss"), [10 * MIB, 11 * MIB, 12 * MIB])

    def test_a_pid_that_was_used_again_is_another_process(self):
        lines = [own_line("FACT", "pid", "100"), own_line("FACT", "include-children", "no"), f"MEM 1.0 {START}.0\n"]
        for name, at in (("first", 1), ("second", 3)):
            lines += [own_line("PROC", 101, 100, f"{START + at}.0", name), f"CHLD 101 {at}.000000 {START + at}.0\n",
                      own_line("EXIT", 101, f"{START + at + 1}.0", "status", 0)]
        self.make("again.dat", "CMDLINE x\n" + "".join(lines))
        trace = Trace(self.export("perfetto", "again.dat")[0].read_bytes())
        self.assertEqual((trace.counter("first", "rss"), trace.counter("second", "rss")), ([MIB], [3 * MIB]))

    def test_upstreams_recordings(self):
        for path in sorted((FIXTURES / "dat").glob("*.dat")):
            recording = Recording(path)
            with self.subTest(path.name):
                trace = Trace(self.export("perfetto", path)[0].read_bytes())
                self.assertEqual(len(trace.slices), len(recording.calls))
                self.assertGreaterEqual(sum(map(len, trace.counters.values())), len(recording.mem))
                json.loads(self.export("speedscope", path)[0].read_text())

    def test_windows_cut_calls(self):
        self.make()
        rows = list(csv.DictReader(io.StringIO(
            self.run_mprof("export", "--to", "csv", "--time", "unix", "-w", "0.35,0.65", "a.dat").stdout)))
        self.assertEqual({row["time"] for row in rows}, {f"{START}.{i}00000" for i in (4, 5, 6)})
        path, _ = self.export("perfetto", "-w", "0.35,0.65", "a.dat")
        self.assertEqual(sorted((name, round(start - START * 1e6), round(end - START * 1e6))
                                for name, _, start, end in Trace(path.read_bytes()).slices),
                         [("app.inner", 350000, 500000), ("app.outer", 350000, 650000),
                          ("app.work", 350000, 650000)])
        done = self.run_mprof("export", "--to", "csv", "-w", "100,200", "a.dat", expect=1)
        self.assertRegex(done.stderr, r"^mprof: a\.dat: nothing was recorded from ")

    def test_numbers_pipes_and_the_newest(self):
        self.make("mprofile_20260101000000.dat")
        by_default = self.run_mprof("export", "--to", "csv").stdout
        self.assertEqual(self.run_mprof("export", "--to", "csv", "--", "-1").stdout, by_default)
        text = (self.directory / "mprofile_20260101000000.dat").read_text()
        with (self.directory / "mprofile_20260101000000.dat").open() as stream:
            piped = self.run_mprof("export", "--to", "csv", "-", stdin=stream).stdout
        self.assertEqual(piped.replace("<stdin>", "mprofile_20260101000000.dat"), by_default)
        piped = subprocess.run([MPROF, "export", "--to", "csv", "-"], input=text, capture_output=True, text=True,
                               check=True).stdout
        self.assertEqual(piped.replace("<stdin>", "mprofile_20260101000000.dat"), by_default)

    def test_a_merged_job(self):
        """Each process has the host, the rank and the pid that it had there."""
        for rank in range(2):
            self.make(f"{rank}.dat")
            path = self.directory / f"{rank}.dat"
            path.write_text(path.read_text().replace("build-7", f"node{rank}"))
        self.run_mprof("merge", "0.dat", "1.dat", "-o", "job.dat")
        rows = list(csv.DictReader(io.StringIO(self.run_mprof("export", "--to", "csv", "job.dat").stdout)))
        recording = Recording(self.directory / "0.dat")
        for rank in range(2):
            found = [int(row["value"]) for row in rows
                     if (row["host"], row["pid"], row["kind"]) == (f"node{rank}", "101", "rss")]
            self.assertEqual(found, [in_bytes(mib) for _, mib, _ in recording.chld])
        self.assertEqual({row["rank"] for row in rows if row["pid"]}, {"0", "1"})
        total = [int(row["value"]) for row in rows if row["process"] == "all processes" and row["kind"] == "rss"]
        self.assertEqual(max(total), 2 * (29 * MIB + in_bytes(14.5)))
        text = self.export("openmetrics", "job.dat")[0].read_text()
        self.assertRegex(text, r'(?m)^mprof_process_memory_bytes\{recording="job.dat",pid="101",'
                               r'process="node1/1 worker; \\"one\\"",rank="1",host="node1"\} ')
        trace = Trace(self.export("perfetto", "job.dat")[0].read_bytes())
        self.assertEqual(len(trace.counter("node0/0 python3 app.py --token=***", "rss")), 20)

    def test_compressed_recordings(self):
        self.make()
        plain = self.run_mprof("export", "--to", "csv", "a.dat").stdout
        subprocess.run(["gzip", "-k", "a.dat"], cwd=self.directory, check=True)
        packed = self.run_mprof("export", "--to", "csv", "a.dat.gz").stdout
        self.assertEqual(packed.replace("a.dat.gz", "a.dat"), plain)

    def test_torn_and_unreadable_files(self):
        self.make()
        with (self.directory / "a.dat").open("a") as stream:
            stream.write("MEM broken line\nMEM 12.3")
        (self.directory / "none.dat").write_text("hello\n")
        path, done = self.export("json", "a.dat", "none.dat", expect=1)
        self.assertIn("mprof: a.dat: 2 lines skipped: ", done.stderr)
        self.assertIn("mprof: none.dat: ", done.stderr)
        document = json.loads(path.read_text())
        check_schema(document)
        self.assertEqual([item["file"] for item in document["recordings"]], ["a.dat"])
        self.assertEqual(document["unreadable"][0]["file"], "none.dat")
        self.assertIn("2 lines skipped", document["recordings"][0]["warnings"][0])
        for form in ("csv", "perfetto", "openmetrics", "chrome", "speedscope", "collapsed"):
            path, _ = self.export(form, "none.dat", expect=1)
            self.assertFalse(path.exists())
            path, _ = self.export(form, "none.dat", "a.dat", expect=1)
            self.assertGreater(path.stat().st_size, 0)

    def test_secrets_are_in_no_format(self):
        self.make()
        for form in ("csv", "perfetto", "openmetrics", "chrome", "speedscope", "collapsed", "json"):
            path, _ = self.export(form, "a.dat")
            self.assertNotIn(b"geheim", path.read_bytes(), form)
            self.assertIn(b"***", path.read_bytes(), form)

    def test_secrets_of_merged_recordings(self):
        """Their facts have argument vectors, where ranks have different ones."""
        for rank in range(2):
            self.run_mprof("run", "-q", "-T", "0.02", "-o", f"{rank}.dat", "sh", "-c", "sleep 0.1", f"x{rank}",
                           "--password", f"geheim{rank}", f"--token=geheim{rank}")
        self.run_mprof("merge", "0.dat", "1.dat", "-o", "job.dat")
        self.assertIn(b"geheim1", (self.directory / "job.dat").read_bytes())
        for form in ("csv", "perfetto", "openmetrics", "chrome", "json"):
            self.assertNotIn(b"geheim", self.export(form, "job.dat")[0].read_bytes(), form)
        self.run_mprof("report", "-o", "r.json", "-o", "r.html", "job.dat")
        for name in ("r.json", "r.html"):
            self.assertNotIn(b"geheim", (self.directory / name).read_bytes(), name)

    def test_a_directory_stands_for_its_recordings(self):
        (self.directory / "job").mkdir()
        for name in ("job/2.dat", "job/10.dat"):
            self.make(name)
        rows = csv.DictReader(io.StringIO(self.run_mprof("export", "--to", "csv", "job").stdout))
        self.assertEqual(list(dict.fromkeys(row["recording"] for row in rows)), ["job/2.dat", "job/10.dat"])

    def test_logs_of_other_tools_and_times_without_a_date(self):
        (self.directory / "psrecord.txt").write_text(
            "# Elapsed time   CPU (%)     Real (MB)   Virtual (MB)\n"
            "       0.000        0.000       10.000       20.000\n"
            "       1.000        0.000       12.000       20.000\n")
        path, done = self.export("csv", "psrecord.txt")
        self.assertEqual([row["time"] for row in csv.DictReader(path.read_text().splitlines())],
                         ["0.000000", "1.000000"])
        self.assertEqual(done.stderr, "mprof: psrecord.txt: its times count from an unknown moment, so those in the "
                                      "output are no dates\n")
        _, done = self.export("chrome", "psrecord.txt")
        self.assertEqual(done.stderr, "")
        path, _ = self.export("json", "psrecord.txt")
        self.assertIsNone(json.loads(path.read_text())["recordings"][0]["started_s"])

    def test_no_calls_are_said_in_one_line(self):
        self.make("m.dat", f"CMDLINE x\nMEM 1.0 {START}.0\n")
        _, done = self.export("collapsed", "m.dat")
        self.assertRegex(done.stderr, r"^mprof: no calls were recorded, .*collapsed.*\n$")
        _, done = self.export("csv", "m.dat")
        self.assertEqual(done.stderr, "")

    def test_command_lines_that_cannot_be_used(self):
        self.make()
        for options, reason in ((["--to", "excel"], "--to must be one of perfetto, chrome, "),
                                ([], "say what to write, as in --to csv"),
                                (["-o", "x.txt"], "say what to write"),
                                (["--to", "csv", "--by", "size"], "--by must be time or growth, not 'size'"),
                                (["--to", "csv", "--time", "local"], "--time must be iso or unix"),
                                (["--to", "json", "--time", "unix"], "--time is for csv, not for json"),
                                (["-o", "x.om", "--time", "iso"], "--time is for csv, not for openmetrics"),
                                (["--to", "csv", "--by", "growth"], "--by is for speedscope and collapsed, not for csv"),
                                (["--by", "time", "--to", "perfetto"], "--by is for speedscope and collapsed, not for perfetto"),
                                (["--to", "csv", "-w", "x"], "--window must be FROM,TO")):
            done = self.run_mprof("export", *options, "a.dat", expect=2)
            self.assertIn(reason, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)

    # ---- output ----

    def test_the_name_of_the_output_says_the_format(self):
        self.make()
        for name, begin in (("x.csv", b"time,"), ("x.folded", b"python3"), ("x.om", b"# TYPE"),
                            ("x.speedscope.json", b'{"$schema"'), ("x.trace.json", b'{"displayTimeUnit"'),
                            ("x.json", b'{"format"'), ("x.pftrace", b"\n")):
            self.run_mprof("export", "-o", name, "a.dat")
            self.assertTrue((self.directory / name).read_bytes().startswith(begin), name)

    def test_names_of_compressed_files(self):
        self.make()
        for name in ("x.csv", "x.om", "x.pftrace", "x.json"):
            self.run_mprof("export", "-o", name, "a.dat")
            plain = (self.directory / name).read_bytes()
            self.run_mprof("export", "-o", name + ".gz", "a.dat")
            self.assertEqual(gzip.decompress((self.directory / (name + ".gz")).read_bytes()), plain, name)
            self.run_mprof("export", "-o", name + ".zst", "a.dat")
            self.assertEqual(subprocess.run(["zstd", "-dc", name + ".zst"], cwd=self.directory, capture_output=True,
                                            check=True).stdout, plain, name)
        self.assertIn(".xz is not written", self.run_mprof("export", "-o", "x.csv.xz", "a.dat", expect=2).stderr)
        self.run_mprof("export", "--to", "csv", "-o", "full.gz", "a.dat")
        self.assertEqual(gzip.decompress((self.directory / "full.gz").read_bytes()), (self.directory / "x.csv").read_bytes())

    def test_a_recording_is_not_replaced_by_its_own_export(self):
        before = (self.directory / self.make()).read_text()
        (self.directory / "link.csv").symlink_to("a.dat")
        for output in ("a.dat", "link.csv"):
            done = self.run_mprof("export", "--to", "csv", "-o", output, "a.dat", expect=2)
            self.assertEqual(done.stderr, "mprof: a.dat: is the recording: the output must be another file\n")
            self.assertEqual((self.directory / "a.dat").read_text(), before)

    def test_an_older_output_stays_until_the_new_one_is_complete(self):
        self.make()
        place = self.directory / "place"
        with tiny_file_system(place, 65536):
            output = place / "x.csv"
            output.write_text("before\n")
            output.chmod(0o640)
            lines = "".join(f"MEM 1.000000 {START + i}.0000\n" for i in range(20000))
            self.make("long.dat", "CMDLINE x\n" + lines)
            for form in ("csv", "perfetto", "openmetrics", "json", "chrome"):
                done = self.run_mprof("export", "--to", form, "-o", output, "long.dat", expect=1)
                self.assertEqual(done.stderr, f"mprof: {output}: cannot write: No space left on device\n")
                self.assertEqual(output.read_text(), "before\n")
                self.assertEqual([path.name for path in place.iterdir()], ["x.csv"])
            self.run_mprof("export", "-o", output, "a.dat")
            self.assertTrue(output.read_text().startswith("time,"))
            self.assertEqual(output.stat().st_mode & 0o777, 0o640)
            self.assertEqual([path.name for path in place.iterdir()], ["x.csv"])

    def test_full_disks_and_closed_pipes(self):
        self.make()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([MPROF, "export", "--to", "csv", "a.dat"], cwd=self.directory, stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "mprof: cannot write to standard output: No space left on device\n"))
        lines = "".join(f"MEM 1.000000 {START + i}.0000\n" for i in range(20000))
        self.make("long.dat", "CMDLINE x\n" + lines)
        writer = subprocess.Popen([MPROF, "export", "--to", "csv", "long.dat"], cwd=self.directory,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        writer.stdout.read(10)
        writer.stdout.close()
        self.assertEqual(writer.wait(60), -signal.SIGPIPE)
        self.assertEqual(writer.stderr.read(), b"")
        writer.stderr.close()

    def test_a_full_disk_for_temporary_files(self):
        place = self.directory / "place"
        lines = [f"MEM 1.000000 {START + i % 1000}.0000\n" for i in range(200000)]
        self.make("long.dat", "CMDLINE x\n" + "".join(lines))
        with tiny_file_system(place, 65536):
            done = self.run_mprof("export", "--to", "csv", "-o", "x.csv", "long.dat", expect=1,
                                  env=self.environment(TMPDIR=str(place)))
            self.assertRegex(done.stderr, r"^mprof: long\.dat: cannot sort in a temporary file, in TMPDIR or /tmp: "
                                          r"No space left on device\n$")
        self.assertFalse((self.directory / "x.csv").exists())

    # ---- size ----

    def test_any_length_in_little_memory(self):
        """More samples than are sorted in memory, in no order: within 32 MiB of addresses, and sorted."""
        count = 300000
        times = [START + i / 1000 for i in range(count)]
        random.Random(7).shuffle(times)
        with (self.directory / "long.dat").open("w") as stream:
            stream.write("CMDLINE x\n")
            stream.writelines(f"MEM {time_s % 1000:.6f} {time_s:.4f}\n" for time_s in times)
        limit = [] if is_sanitized() else ["prlimit", f"--as={32 * MIB}"]
        for form in ("csv", "openmetrics", "json", "perfetto", "chrome"):
            subprocess.run([*limit, MPROF, "export", "--to", form, "-o", f"long.{form}", "long.dat"],
                           cwd=self.directory, check=True)
        with (self.directory / "long.csv").open(newline="") as stream:
            rows = [(row["time"], int(row["value"])) for row in csv.DictReader(stream)]
        expected = [in_bytes(round(time_s % 1000, 6)) for time_s in sorted(times)]
        self.assertTrue([value for _, value in rows] == expected, "values by time")
        self.assertTrue(rows == sorted(rows, key=lambda row: row[0]), "times in order")


if __name__ == "__main__":
    unittest.main()
