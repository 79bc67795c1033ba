"""One truth, second half: the Python object and the hit test of the library give the numbers of `mprof peak --json
--stack`, of recordings made at random. render.one-truth compares pictures with the same documents.

MPROF_TEST_TRUTHS is the number of recordings (200)."""

import ctypes
import json
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import mprof_test  # noqa: E402
import pythons  # noqa: E402
from picture import Picture, memories  # noqa: E402
from random_recordings import recording  # noqa: E402

RECORDINGS = int(os.environ.get("MPROF_TEST_TRUTHS", "200"))
MIB = 1 << 20


class Hit(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("time_s", ctypes.c_double), ("item", ctypes.c_uint32),
                ("about", ctypes.c_uint32), ("function", ctypes.c_uint32), ("tick", ctypes.c_uint32),
                ("sample_s", ctypes.c_double), ("sample_mib", ctypes.c_double)]


class SameNumbers(mprof_test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sys.path.insert(0, str(pythons.PACKAGE))
        cls.addClassCleanup(sys.path.remove, str(pythons.PACKAGE))
        import mprof
        from mprof import _library
        cls.mprof, cls.library = mprof, _library._open()
        cls.library.mprof_figure_hit_test.restype = Hit
        cls.library.mprof_figure_hit_test.argtypes = [ctypes.c_void_p, ctypes.c_double, ctypes.c_double]
        cls.library.mprof_hit_text.restype = ctypes.c_size_t
        cls.library.mprof_hit_text.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.POINTER(Hit)]
        cls.compared = {}

    def count(self, kind):
        self.compared[kind] = self.compared.get(kind, 0) + 1

    def same_bytes(self, mib, size, kind):
        self.assertEqual(mib is None, size is None, kind)
        if mib is not None:
            self.assertLessEqual(abs(mib * MIB - size), 0.51, kind)
            self.count(kind)

    def check_object(self, picture, item):
        self.same_bytes(picture.peak, item["peak_bytes"], "peak")
        self.assertEqual([one.name for one in picture.functions], [one["name"] for one in item["functions"]])
        for one, other in zip(picture.functions, item["functions"], strict=True):
            self.assertEqual(one.calls, other["calls"])
            for member in ("total_s", "own_s", "longest_s"):
                self.assertAlmostEqual(getattr(one, member), other[member], places=5)
            self.same_bytes(one.change_mib, other["change_bytes"], "change of a function")
            self.same_bytes(one.peak_mib, other["peak_bytes"], "peak of a function")
        for one, other in zip(picture.processes, item["process_sums"], strict=True):
            self.assertEqual(one.pid, other["pid"] if other["pid"] else None)
            self.same_bytes(one.mean_mib, other["mean_bytes"], "mean of a process")
            self.same_bytes(one.peak_mib, other["peak_bytes"], "peak of a process")

    def hit_text(self, figure, x, y):
        hit = self.library.mprof_figure_hit_test(figure, x, y)
        text = ctypes.create_string_buffer(8192)
        self.library.mprof_hit_text(text, len(text), figure, ctypes.byref(hit))
        return hit, text.value.decode()

    def check_hit(self, picture, item):
        """At the peak: its words, the sum, and the part of every process."""
        (self.directory / "x.svg").write_text(picture.svg())
        data = Picture(self.directory / "x.svg").data
        peak, frame = item["peaks"][0], data["plot"]
        from_s, to_s, step_s = data["time"]
        if "peak" not in data or abs(data["peak"][0] - peak["elapsed_s"]) > 2 * step_s:
            return  # a bound
        self.assertEqual(data["peak"][1], "peak" + (", " if re.match(r"\d", peak["running"]) else " " if peak["running"] else "")
                         + peak["running"])
        x = frame[0] + (peak["elapsed_s"] - from_s) / (to_s - from_s) * frame[2]
        hit, text = self.hit_text(picture._figure(True), x, frame[1] + 1)
        if not abs(hit.sample_s - peak["elapsed_s"]) <= 2 * step_s:
            return  # a call proved the peak between two ticks
        lines = text.split("\n")
        self.assertIn(data["peak"][1], lines)
        self.count("words of a hit")
        if len(item["peaks"]) > 1 or abs(hit.sample_mib * MIB - peak["peak_bytes"]) > 1 + 1e-6 * peak["peak_bytes"]:
            return  # the label is of the main process alone, or other samples were taken at this time
        self.count("sum of a hit")
        for process in item["process_sums"]:
            line = next((line for line in lines if process["pid"] and line.split("  ")[0].endswith(str(process["pid"]))), None)
            if line and process["ran_at_peak"]:
                (mib, half), = memories(line)
                self.assertLessEqual(abs(mib - process["at_peak_bytes"] / MIB), half * 1.001 + 1e-5, line)
                self.count("process of a hit")

    def test_a_hit_in_another_unit_and_on_a_logarithmic_axis(self):
        """The memory of the nearest sample, and none at the lower edge."""
        (self.directory / "x.dat").write_text("CMDLINE x\n" + "".join(
            f"MEM {0 if i == 50 else 2 ** (i / 12):.6f} {1000 + i}\n" for i in range(121)))
        picture = self.mprof.plot(self.directory / "x.dat", unit="MB", log=True)
        (self.directory / "x.svg").write_text(picture.svg())
        data = Picture(self.directory / "x.svg").data
        left, top, width, _ = data["plot"]
        for second in (3, 36, 50, 96, 119):
            hit, text = self.hit_text(picture._figure(True), left + second / data["time"][1] * width, top + 2)
            mib = 0 if second == 50 else 2 ** (second / 12)
            self.assertAlmostEqual(hit.sample_mib, mib, delta=mib * 1e-3)
            self.assertIn(f"{mib * 1.048576:.1f} MB" if mib else "0 MB", text.split("\n"))

    def test_of_the_library(self):
        for seed in range(RECORDINGS):
            (self.directory / f"{seed}.dat").write_text(recording(seed))
        paths = [self.directory / f"{seed}.dat" for seed in range(RECORDINGS)]
        items = json.loads(self.run_mprof("peak", "--json", "--stack", *paths, timeout_s=120).stdout)["recordings"]
        for seed, (path, item) in enumerate(zip(paths, items, strict=True)):
            with self.subTest(seed=seed):
                picture = self.mprof.plot(path, group="pid")
                self.check_object(picture, item)
                self.check_hit(picture, item)
        print(self.compared)
        for kind in ("peak", "change of a function", "peak of a function", "mean of a process", "peak of a process",
                     "words of a hit", "sum of a hit", "process of a hit"):
            self.assertGreater(self.compared.get(kind, 0), RECORDINGS // 20, kind)


if __name__ == "__main__":
    unittest.main()
