"""mprof export: values equal the recording's, and the tools that the formats are made for read them: protoc,
promtool and Prometheus, speedscope, csv and JSON readers."""

import collections
import csv
import datetime
import io
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import (FIXTURES, MPROF, SOURCE, Recording, TestCase, own_line,  # noqa: E402
                        tiny_file_system)

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
                  f"FUNC app.work 6.500000 {START}.700000 6.000000 {START}.800000 0 pid=101 lane=T-1 open\n"]
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
        self.assertEqual(calls, sorted(
            (call.name, call.pid, round(call.enter_s * 1e6), round((call.exit_s - call.enter_s) * 1e6),
             in_bytes(call.enter_mib), in_bytes(call.exit_mib)) for call in recording.calls))

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

    def test_unix_times(self):
        self.make()
        done = self.run_mprof("export", "--to", "csv", "--time", "unix", "a.dat")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual(rows[-1]["time"], f"{START + 1}.900000")

    def test_json_has_the_recordings_values(self):
        path, _ = self.export("json", self.make())
        recording = Recording(self.directory / "a.dat")
        document = json.loads(path.read_text())
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


if __name__ == "__main__":
    unittest.main()
