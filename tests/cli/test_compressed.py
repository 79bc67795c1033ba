"""Compressed recordings: every command reads them as it reads the text, and a recorder that writes one loses no
more than a plain one."""

import gzip
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from mprof_test import FIXTURES, MPROF, Recording, TestCase, is_sanitized, wait_until  # noqa: E402

DATA = FIXTURES / "dat"
T0 = 1795330000


def zstd(data, *options):
    return subprocess.run(["zstd", "-q", "-c", *options], input=data, capture_output=True, check=True).stdout


def halves(data, pack):
    """Two members, cut within a line."""
    middle = len(data) // 2 + 3
    return pack(data[:middle]) + pack(data[middle:])


PACKED = {
    "gz": gzip.compress,
    "two members.gz": lambda data: halves(data, gzip.compress),
    "padded.gz": lambda data: gzip.compress(data) + bytes(512),
    "zst": zstd,
    "two frames.zst": lambda data: halves(data, zstd),
    "fast.zst": lambda data: zstd(data, "--fast=5", "--no-check"),
    "skippable.zst": lambda data: b"\x5a\x2a\x4d\x18\x03\0\0\0abc" + zstd(data),
}


def unpack(path):
    """The text of a recording that may have been cut off."""
    command = ["zstd", "-dcq"] if str(path).endswith(".zst") else ["gzip", "-dcq"]
    return subprocess.run([*command, path], capture_output=True).stdout.decode()


@unittest.skipUnless(shutil.which("zstd"), "zstd is not installed")
class Compressed(TestCase):
    def samples(self, count=20000):
        """A long recording, that packs badly: several blocks."""
        state, lines = 12345, ["CMDLINE python x.py\n"]
        for i in range(count):
            state = state * 1103515245 + 12345 & 0x7fffffff
            lines.append(f"MEM {state % 4096}.{state % 999983:06d} {T0 + i}.{state % 9973:04d}\n")
        return "".join(lines).encode()

    def put(self, name, data):
        (self.directory / name).write_bytes(data)
        return name

    # ---- reading ----

    def said(self, name, *command, **how):
        """What a command prints, whatever the file is called."""
        done = self.run_mprof(*command, name, **how)
        return (done.stdout + done.stderr).replace(name, "NAME").replace(name.split(".dat")[0], "NAME")

    def test_commands_read_the_same(self):
        for fixture in ("example", "appended-runs"):
            data = (DATA / f"{fixture}.dat").read_bytes()
            text = self.put("x.dat", data)
            commands = [("peak",), ("check", "--max=1GiB"),
                        ("report", "--format=md", "-o", "-"), ("peak", "--json")]
            expected = [self.said(text, *command, expect=None) for command in commands]
            few = commands[:1]
            self.run_mprof("plot", "-o", "x.svg", "-t", "title", text)
            picture = (self.directory / "x.svg").read_text().replace("x.dat", "NAME")
            for kind, pack in PACKED.items():
                with self.subTest(fixture=fixture, kind=kind):
                    name = self.put(f"x.dat.{kind.split('.')[-1]}", pack(data))
                    chosen = commands if kind in ("gz", "zst") else few
                    self.assertEqual([self.said(name, *command, expect=None) for command in chosen],
                                     expected[:len(chosen)])
                    if kind not in ("gz", "zst"):
                        continue
                    self.run_mprof("plot", "-o", "y.svg", "-t", "title", name)
                    self.assertEqual((self.directory / "y.svg").read_text().replace(name, "NAME"), picture)

    def test_the_content_decides_not_the_name(self):
        plain = self.put("x.dat.zst", (DATA / "example.dat").read_bytes())
        packed = self.put("y.dat", zstd((DATA / "example.dat").read_bytes()))
        self.assertEqual(self.said(plain, "peak"), self.said(packed, "peak"))

    def test_pipes(self):
        """A file with several runs is read more than once."""
        data = (DATA / "appended-runs.dat").read_bytes()
        outputs = set()
        for kind in ("gz", "zst"):
            path = self.put(f"p.{kind}", PACKED[kind](data))
            for arguments in (["peak", "-"], ["plot", "-o", f"{kind}.png", "-"]):
                with open(self.directory / path, "rb") as file:
                    pipe = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
                    done = self.run_mprof(*arguments, stdin=pipe.stdout)
                    pipe.stdout.close()
                    pipe.wait()
                    outputs.add((arguments[0], done.stdout.replace(f"{kind}.png", "")))
        self.assertEqual(len(outputs), 2, outputs)
        self.assertEqual((self.directory / "gz.png").read_bytes(), (self.directory / "zst.png").read_bytes())

    def test_a_run_is_not_unpacked_again_for_the_next_one(self):
        """Each run is read several times; without the parts that are kept this took 20 times as long."""
        runs = "".join(f"CMDLINE run {i}\n" + "".join(f"MEM 1.5 {T0 + 100 * i + k}\n" for k in range(90))
                       for i in range(1000)).encode()
        seconds = {}
        for suffix, pack in (("", bytes), (".gz", lambda data: gzip.compress(data, 1))):
            name = self.put(f"runs.dat{suffix}", pack(runs))
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            self.run_mprof("plot", "-w", "1,80", "-o", f"runs{suffix}.png", name)
            seconds[suffix] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        self.assertLess(seconds[".gz"], 6 * max(seconds[""], 0.05))

    def test_merged(self):
        """Compressed files in, and out."""
        for suffix, pack in (("", bytes), (".gz", gzip.compress), (".zst", zstd)):
            for rank in (1, 2):
                self.put(f"r{rank}.dat{suffix}", pack(self.samples(2000)))
            self.run_mprof("merge", f"r1.dat{suffix}", f"r2.dat{suffix}", "-o", f"job.dat{suffix}")
        plain = (self.directory / "job.dat").read_text()
        for suffix in (".gz", ".zst"):
            packed = self.directory / f"job.dat{suffix}"
            self.assertEqual(unpack(packed).replace(f".dat{suffix}", ".dat"), plain)
            self.assertLess(packed.stat().st_size, len(plain) * 0.7)

    # ---- damage ----

    def test_cut_off(self):
        """What can be unpacked is read, and one line says that something is missing."""
        data = self.samples()
        for kind in ("gz", "zst", "two members.gz", "two frames.zst"):
            packed = PACKED[kind](data)
            for part in (0.3, 0.6, 0.9, 0.999):
                with self.subTest(kind=kind, part=part):
                    name = self.put("x.dat." + kind.split(".")[-1], packed[:int(len(packed) * part)])
                    done = self.run_mprof("peak", name)
                    self.assertRegex(done.stderr, r"the compressed data end early or are damaged: nothing after line \d+")
                    self.assertEqual(len(done.stderr.splitlines()), 1)
                    peak = json.loads(self.run_mprof("peak", "--json", name).stdout)
                    count = peak["recordings"][0]["runs"][0]["samples"]
                    self.assertGreater(count, 20000 * (part - 0.3))
                    self.assertLess(count, 20000)

    def test_nothing_to_unpack(self):
        for kind in ("gz", "zst"):
            for length in (5, 12):
                with self.subTest(kind=kind, length=length):
                    name = self.put("x.dat." + kind, PACKED[kind](self.samples())[:length])
                    done = self.run_mprof("peak", name, expect=1)
                    self.assertEqual(done.stderr, f"mprof: {name}: is compressed, but damaged or cut off: "
                                                  "nothing can be unpacked\n")
        self.assertIn("is empty", self.run_mprof("peak", self.put("e.gz", gzip.compress(b"")), expect=1).stderr)
        self.assertIn("is not a recording",
                      self.run_mprof("peak", self.put("n.gz", gzip.compress(b"nothing\n")), expect=1).stderr)

    def test_damaged(self):
        data = self.samples()
        for kind in ("gz", "zst"):
            packed = bytearray(PACKED[kind](data))
            packed[len(packed) * 2 // 3] ^= 0x55
            with self.subTest(kind=kind):
                name = self.put("x.dat." + kind, packed)
                done = self.run_mprof("peak", name, expect=None)
                self.assertIn("damaged: nothing after line", done.stderr)
                self.assertEqual(done.returncode, 0)
        rest = self.put("rest.gz", gzip.compress(data) + b"something else")
        self.assertIn("damaged: nothing after line", self.run_mprof("peak", rest).stderr)

    def test_members_and_padding(self):
        """Of gzip: `cat a.gz b.gz`, and zeros up to the end of a tape's block; of zstd: several frames."""
        lines = self.samples().splitlines(True)
        half = len(lines) // 2
        pieces = b"".join(lines[:half]), b"".join(lines[half:])
        plain = self.run_mprof("peak", self.put("x.dat", b"".join(pieces))).stdout
        padded = b"".join(map(gzip.compress, pieces)) + bytes(700)
        for name, packed in (("y.dat.gz", padded), ("y.dat.zst", b"".join(map(zstd, pieces)))):
            done = self.run_mprof("peak", self.put(name, packed))
            self.assertEqual((done.stdout.replace(name, "x.dat"), done.stderr), (plain, ""))

    def limited(self, name, expect):
        """Peaks of memory and time of `mprof peak`."""
        limits = None if is_sanitized() else (lambda: resource.setrlimit(resource.RLIMIT_AS, (256 << 20,) * 2))
        return self.run_mprof("peak", name, expect=expect, preexec_fn=limits, timeout_s=20)

    def test_what_expands_without_end_is_refused(self):
        lines = b"CMDLINE x\n" + b"MEM 1.5 1795330000\n" * (5 << 20)
        name = self.put("bomb.dat.zst", zstd(lines, "-3"))
        done = self.limited(name, 1)
        self.assertEqual(done.stderr, f"mprof: {name}: expands more than 1000 times, which no recording does: "
                                      "unpack it first\n")
        name = self.put("bomb.dat.gz", gzip.compress(b"MEM 1.5 1795330000\n" + b"0" * (80 << 20), 6))
        done = self.limited(name, None)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_a_window_that_needs_too_much_memory_is_refused(self):
        name = self.put("wide.dat.zst", zstd(self.samples(), "-19", "--ultra", "--long=30"))
        self.assertEqual(self.limited(name, 1).stderr,
                         f"mprof: {name}: needs more than 128 MiB of memory to unpack (zstd --long): unpack it first\n")

    def test_other_compressions_are_named(self):
        import bz2
        import lzma
        for pack in (bz2.compress, lzma.compress):
            done = self.run_mprof("peak", self.put("x.dat.xz", pack(self.samples())), expect=1)
            self.assertIn("is compressed with xz or bzip2: unpack it first (gzip and zstd are read)", done.stderr)

    # ---- names ----

    def test_names(self):
        data = (DATA / "example.dat").read_bytes()
        names = ["mprofile_20260101000000.dat", "mprofile_20260102000000.dat.gz", "mprofile_20260103000000.dat.zst"]
        for name, pack in zip(names, (bytes, gzip.compress, zstd)):
            self.put(name, pack(data))
        self.put("mprofile_20260104000000.dat.xz", b"")
        listed = self.run_mprof("list").stdout
        self.assertEqual([line.split()[1] for line in listed.splitlines()], names)
        self.assertEqual([row["file"] for row in json.loads(self.run_mprof("list", "--json").stdout)["recordings"]], names)
        checked = json.loads(self.run_mprof("check", "--json", "--max=1GiB", ".").stdout)
        self.assertEqual(json.dumps(checked).count("mprofile_2026"), json.dumps(checked).count("mprofile_"), checked)
        self.assertEqual(self.run_mprof("peak", "-1").stdout.split("\t")[0], names[2])
        self.run_mprof("plot", "--each", ".")
        self.assertTrue((self.directory / "mprofile_20260103000000.svg").exists()
                        or (self.directory / "mprofile_20260103000000.png").exists(), os.listdir(self.directory))
        self.run_mprof("rm", "1")
        self.assertFalse((self.directory / names[1]).exists())
        self.run_mprof("clean")
        self.assertEqual([name for name in names if (self.directory / name).exists()], [])
        self.assertTrue((self.directory / "mprofile_20260104000000.dat.xz").exists())

    # ---- writing ----

    def test_names_of_other_compressions_are_refused(self):
        self.put("a.dat", self.samples())
        for end in (".xz", ".bz2", ".XZ", ".lzma", ".lz4"):
            for command in (["run", "-o", "x.dat" + end, "touch", "started"], ["attach", "-o", "x.dat" + end, str(os.getpid())],
                            ["merge", "a.dat", "-o", "x.dat" + end], ["import", "a.dat", "-o", "x.dat" + end]):
                with self.subTest(command=command):
                    done = self.run_mprof(*command, expect=2)
                    self.assertRegex(done.stderr, rf"^mprof \w+: --output: {end.lower()} is not written: use .*\.gz or \.zst.*\n$")
        self.assertEqual(os.listdir(self.directory), ["a.dat"])

    def test_names_in_capitals(self):
        for name, magic in (("x.DAT.ZST", b"\x28\xb5\x2f\xfd"), ("x.dat.GZ", b"\x1f\x8b")):
            self.run_mprof("run", "-o", name, "true")
            self.assertTrue((self.directory / name).read_bytes().startswith(magic), name)

    def test_a_recording_is_the_same_text(self):
        for suffix in ("gz", "zst"):
            name = f"x.dat.{suffix}"
            self.run_mprof("run", "-q", "-T", "0.01", "-o", name, "sleep", "0.5")
            test = subprocess.run(["gzip" if suffix == "gz" else "zstd", "-t", "-q", name], cwd=self.directory)
            self.assertEqual(test.returncode, 0)
            self.put("x.dat", unpack(self.directory / name).encode())
            recording = Recording(self.directory / "x.dat")
            self.assertEqual(recording.command_line, "sleep 0.5")
            self.assertEqual(recording.facts["ended"], "program")
            self.assertGreater(len(recording.mem), 20)
            self.assertEqual(self.run_mprof("peak", name).stderr, "")

    def test_a_kill_loses_at_most_the_last_second(self):
        """Of the recorder, at any moment; the file reads without a warning."""
        names = ["kill.dat.gz", "kill.dat.zst"]
        recorders = [self.start_mprof("run", "-q", "-T", "0.02", "-o", name, "sleep", "60") for name in names]
        wait_until(lambda: all((self.directory / name).exists() for name in names), "the files")
        time.sleep(2.3)
        killed_s = time.time()
        for recorder in recorders:
            recorder.send_signal(signal.SIGKILL)
            recorder.wait()
        for name in names:
            with self.subTest(name=name):
                text = unpack(self.directory / name)
                times = [float(line.split()[2]) for line in text.splitlines() if line.startswith("MEM ")]
                self.assertGreater(times[-1], killed_s - 1.5)  # and a loaded machine
                self.assertEqual(text[-1], "\n")
                self.assertEqual(self.run_mprof("peak", name).stderr, "")

    def test_a_slow_recording_is_flushed_at_each_tick(self):
        name = "slow.dat.zst"
        self.start_mprof("run", "-q", "-T", "0.7", "-o", name, "sleep", "60")
        wait_until(lambda: (self.directory / name).exists() and unpack(self.directory / name).count("MEM ") >= 3,
                   "three samples")

    def test_a_growing_file_is_drawn_and_watched(self):
        name = "live.dat.zst"
        self.start_mprof("run", "-q", "-o", name, "sleep", "60")
        wait_until(lambda: (self.directory / name).exists() and "MEM " in unpack(self.directory / name), "a sample")
        self.run_mprof("plot", "-o", "live.svg", name)
        self.assertIn("sleep", self.run_mprof("top", "--once", name).stdout)
        rows = self.run_mprof("top", "--json", "-n", "3", name).stdout.splitlines()
        self.assertEqual(len(rows), 3)
        self.assertGreater(json.loads(rows[-1])["duration_s"], json.loads(rows[0])["duration_s"])

    def test_a_full_disk_leaves_whole_blocks(self):
        name = "full.dat.gz"
        limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),  # noqa: E731
                         resource.setrlimit(resource.RLIMIT_FSIZE, (1800, 1800)))
        done = self.run_mprof("run", "-q", "-T", "0.002", "-o", name, "sleep", "4", preexec_fn=limit, expect=None)
        self.assertIn("cannot write", done.stderr)
        self.assertEqual(self.run_mprof("peak", name).stderr, "")
        self.assertEqual(unpack(self.directory / name)[-1], "\n")

    @unittest.skipIf(is_sanitized(), "AddressSanitizer takes memory of its own")
    def test_the_recorder_stays_small(self):
        recorders = {suffix: self.start_mprof("run", "-q", "-T", "0.02", "-o", f"small.dat{suffix}", "sleep", "60")
                     for suffix in ("", ".gz", ".zst")}
        wait_until(lambda: all((self.directory / f"small.dat{suffix}").exists() for suffix in recorders), "the files")
        time.sleep(1.2)
        peaks = {}
        for suffix, recorder in recorders.items():
            status = pathlib.Path(f"/proc/{recorder.pid}/status").read_text()
            peaks[suffix] = int(status.split("VmHWM:")[1].split()[0])
        self.assertLess(max(peaks.values()), 4096, peaks)
        self.assertLess(peaks[".zst"] - peaks[""], 1024, peaks)


if __name__ == "__main__":
    unittest.main()
