"""One truth: legend, labels and tooltips of pictures show the numbers that `mprof peak --json --stack` prints. Of
recordings made at random, all in one run of each command.

MPROF_TEST_TRUTHS is the number of recordings (200)."""

import json
import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from picture import Picture, memories  # noqa: E402
from random_recordings import FUNCTIONS, recording  # noqa: E402

RECORDINGS = int(os.environ.get("MPROF_TEST_TRUTHS", "200"))
MIB = 1 << 20
OPTIONS = (["--group", "pid"], ["--group", "command"], ["--flame", "--group", "pid"])
SECONDS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400}


def durations(text):
    """(seconds, half a unit of the last place): "1 min 02 s", "0.24 s"."""
    parts = re.findall(r"([\d.]+) (\S+)", text)
    if not parts or any(unit not in SECONDS for _, unit in parts):
        return None
    number, unit = parts[-1]
    places = len(number.partition(".")[2])
    return (sum(float(one) * SECONDS[of] for one, of in parts), 0.5 * 10 ** -places * SECONDS[unit])


class OneTruth(mprof_test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.compared = {}

    def same(self, shown, value, what, unit=1.0):
        """A rounded text and the number of the document, None where nothing is known."""
        if not shown:
            self.assertIsNone(value, what)
            return
        self.assertIsNotNone(value, f"{what}: {shown}")
        number, half = shown
        self.assertLessEqual(abs(number - value / unit), half * 1.001 + 1e-6, f"{what}: {shown}, {value / unit}")
        kind = what.split(":")[0]
        self.compared[kind] = self.compared.get(kind, 0) + 1

    def same_memory(self, cell, value, what):
        found = memories(cell)
        sign = -1 if cell.startswith("\u2212") else 1
        self.same((sign * found[0][0], found[0][1]) if found else None, value, what, MIB)

    def check_functions(self, picture, item):
        known = {function["name"]: function for function in item["functions"]}
        rows = [(heads, cells) for heads, cells in picture.legend() if heads[0] == "function"]
        self.assertEqual(len(rows), len(known))
        for heads, cells in rows:
            shown = dict(zip(heads, cells))
            name = next(name for name in FUNCTIONS if name.endswith(shown["function"]))
            one = known[name]
            self.assertEqual(int(shown["calls"].replace(",", "")), one["calls"])
            self.same(durations(shown["total"]), one["total_s"], f"total: {name}")
            self.same(durations(shown["longest"]), one["longest_s"], f"longest: {name}")
            self.same_memory(shown["\u0394 memory"], one["change_bytes"], f"change: {name}")
            if one["peak_bytes"] is not None:
                self.same_memory(shown["peak"], one["peak_bytes"], f"function's peak: {name}")

    def check_processes(self, picture, item):
        """Rows of single processes; cells may be missing where nothing is known."""
        main, *others = item["process_sums"]
        by_pid = {str(process["pid"]): process for process in others}
        for heads, cells in picture.legend():
            if heads[0] != "process" or len(cells) < len(heads):
                continue
            shown = dict(zip(heads, cells))
            pid = re.search(r"(\d+)$", shown["process"])
            one = main if "(main)" in shown["process"] or shown["process"] == "main" else by_pid.get(pid and pid[1])
            if one:
                self.same_memory(shown["mean"], one["mean_bytes"], f"mean: {shown['process']}")
                self.same_memory(shown["peak"], one["peak_bytes"], f"process's peak: {shown['process']}")

    def check_commands(self, picture, item):
        """What each command had at the peak."""
        sums = {}
        for process in item["process_sums"][1:]:
            sums[process["name"]] = sums.get(process["name"], 0) + process["at_peak_bytes"]
        for heads, cells in picture.legend():
            shown = dict(zip(heads, cells))
            name = re.sub(r" \u00d7[\d,]+$", "", cells[0])
            at_peak = shown.get("at the peak", "")
            if heads[0] == "command" and name in sums and memories(at_peak) and "\u2248" not in at_peak:
                self.same_memory(at_peak, sums[name], f"at the peak: {name}")

    def check_label(self, picture, item):
        """The only peak of a picture with one curve: memory, time, and what ran."""
        for peak in item["peaks"]:
            of = "" if len(item["peaks"]) == 1 else " of the main process" if peak["of"] == "main" else None
            label = next((text for text in picture.texts.get("peak-name", [])
                          if of is not None and re.match(rf"(peak|highest sample|in a call){of} \S", text)), None)
            words = label and re.fullmatch(r"\D*([≥ \d.]+ \w+) at (.*?(?:s|min|h|d))((?:, \d+ calls| in ).*)?", label)
            if not words or "in a call" in label:
                continue
            self.same_memory(words[1], peak["peak_bytes"], f"label: {label}")
            self.same(durations(words[2]), peak["elapsed_s"], f"time of the label: {label}")
            self.assertEqual((words[3] or "").removeprefix(",").strip(), peak["running"], label)
            self.compared["words"] = self.compared.get("words", 0) + bool(peak["running"])

    def check_tooltips(self, picture, item):
        """The tick of the peak: the sum, and what is left for the main process."""
        peak = item["peaks"][-1]
        if "≥" in " ".join(picture.facts) or not picture.ticks or peak["of"] != "all":
            return
        step_s, step = picture.data["time"][2], picture.data["memory"][2]
        tick = min(picture.ticks, key=lambda one: abs(one.seconds - peak["elapsed_s"]))
        main = item["process_sums"][0]
        if abs(tick.seconds - peak["elapsed_s"]) > step_s or tick.rest or not main["ran_at_peak"]:
            return
        parts = [mib for track, mib in tick.values.items() if picture.tracks[track][0] in (1, 3)]
        self.same((tick.total, step), peak["peak_bytes"], "tooltip: sum", MIB)
        self.same((tick.total - sum(parts), step * (len(parts) + 1)), main["at_peak_bytes"], "tooltip: rest", MIB)

    def test_of_pictures(self):
        for number, options in enumerate(OPTIONS):
            seeds = range(number, RECORDINGS, len(OPTIONS))
            folder = self.directory / str(number)
            folder.mkdir()
            for seed in seeds:
                (folder / f"{seed}.dat").write_text(recording(seed))
            self.run_mprof("plot", "--each", "-j2", *options, "--format", "svg", folder, timeout_s=600)
            printed = self.run_mprof("peak", "--json", "--stack", *(folder / f"{seed}.dat" for seed in seeds))
            for seed, item in zip(seeds, json.loads(printed.stdout)["recordings"], strict=True):
                with self.subTest(seed=seed, options=options):
                    picture = Picture(folder / f"{seed}.svg")
                    self.check_functions(picture, item)
                    self.check_processes(picture, item)
                    self.check_commands(picture, item)
                    self.check_label(picture, item)
                    self.check_tooltips(picture, item)
        print(self.compared)
        for kind in ("total", "longest", "change", "function's peak", "mean", "process's peak", "at the peak", "label",
                     "time of the label", "words", "tooltip"):
            self.assertGreater(self.compared.get(kind, 0), RECORDINGS // 20, kind)


if __name__ == "__main__":
    unittest.main()
