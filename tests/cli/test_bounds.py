"""No number of a picture contradicts another: the heading's peak is at least every memory of the same processes
that legend, labels, facts and tooltips show, and that `mprof peak` prints.

MPROF_TEST_RECORDINGS is the number of recordings made at random (1,000)."""

import os
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from picture import Picture, memories  # noqa: E402
from random_recordings import recording  # noqa: E402

RECORDINGS = int(os.environ.get("MPROF_TEST_RECORDINGS", "1000"))
OPTIONS = ([], ["--flame"], ["--stack", "--group", "pid"], ["-w", "0.05,0.25"], ["-w", "1.5,4", "--stack"],
           ["--no-func", "--group", "command"],
           ["--flame", "--by", "function"], ["-w", "0.5,20", "--flame"])


class Bounds(mprof_test.TestCase):
    def write(self, seeds):
        """One recording for each seed, in a folder of its own."""
        folder = self.directory / "recordings"
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        for seed in seeds:
            (folder / f"{seed}.dat").write_text(recording(seed))
        return folder

    def assert_at_most(self, texts, bound, what):
        """No memory in these texts is above the bound, as both are rounded."""
        for text in texts:
            for mib, half in memories(text):
                self.assertLessEqual(mib - half, bound[0] + bound[1] + 1e-9, f"{what}: {text}")

    @staticmethod
    def measured(seed):
        return "pss" if "psutil_pss" in recording(seed) else "rss"

    def check(self, picture, is_window, measured="rss"):
        """Compares a picture with itself."""
        main, every = picture.peak("main process: "), picture.peak("all processes: ")
        bound = every or main or picture.peak()
        if bound is None:
            self.assertTrue([fact for fact in picture.facts if fact.startswith("no sample")], picture.facts)
            return bound
        for heads, cells in picture.legend():
            shown = dict(zip(heads, cells))
            if heads[0] == "memory" and not shown[heads[0]].startswith(measured.upper()):
                continue  # other kinds of memory are no part of the sum
            self.assert_at_most([shown[head] for head in ("peak", "exact peak", "mean") if head in shown], bound,
                                f"{heads[0]} {cells[0]}")
        for name in ("peak-name", "child-name"):
            self.assert_at_most(picture.texts.get(name, []), bound, name)
        of_main = [text for text in picture.texts.get("peak-name", []) if "of the main process" in text]
        self.assert_at_most(of_main, main or bound, "peak-name")
        for title in picture.titles:
            inside = re.search(r"\(([\d.]+ \w+) → ([\d.]+ \w+)\)", title)
            if inside and not is_window:
                self.assert_at_most([inside[0]], bound, title)
            elif re.match(r"[\d.]+ \S+: ", title) and not inside:
                self.assert_at_most([title], bound, "column")
        parts = {heads[0] and cells[0]: cells for heads, cells in picture.legend() if heads[0] in ("process", "command")}
        taken = picture.texts_of("peak-parts")
        for name, value in zip(taken[1::2], taken[2::2]):  # the parts of the peak: a head, then names and values
            own = next((cells for row, cells in parts.items() if row in (name, f"{name} (main)")), None)
            if own and "≈" not in value and len(own) == 4 and "×" not in name:  # name, lasted, mean, peak
                self.assert_at_most([value], memories(own[3])[0], f"{name} at the peak, of {own}")
        for tick in picture.ticks:
            parts = [mib for track, mib in tick.values.items() if picture.tracks[track][0] == 1]
            for mib in (tick.total, *parts):
                self.assertLessEqual(mib, bound[0] + bound[1] + 1e-4, f"tick at {tick.seconds}")
            # the parts never exceed the sum, up to the unit that each is rounded to
            self.assertLessEqual(sum(parts), tick.total + (len(parts) + 1) * picture.data["memory"][2],
                                 f"tick at {tick.seconds}")
        return bound

    def check_peak_command(self, text, main, bound, measured):
        """Compares what `mprof peak` prints for one recording."""
        for line in text.split("\n"):
            label = line.strip().split("\t")[0]
            is_kind = re.match(r"(Child \d+ )?(rss|pss|uss|swap)$", label) and not label.endswith(measured)
            if is_kind or label == "control group":
                continue
            of_main = main and not re.match(r"Child|Process|some", label)
            self.assert_at_most([line], main if of_main else bound, "mprof peak")

    def test_heading_bounds_every_other_number(self):
        checked = 0
        for number, options in enumerate(OPTIONS):
            seeds = range(number, RECORDINGS, len(OPTIONS))
            folder = self.write(seeds)
            self.run_mprof("plot", "--each", "-j2", *options, "--format", "svg", folder, timeout_s=600,
                           expect=None)
            peaks = self.run_mprof("peak", "--exact", *(folder / f"{seed}.dat" for seed in seeds)).stdout
            printed = dict(re.findall(r"^\S*?/?(\d+)\.dat((?:.*\n(?!\S))*.*)$", peaks, re.M))
            for seed in seeds:
                path = folder / f"{seed}.svg"
                if not path.exists():  # nothing in that window
                    self.assertIn("-w", options, f"no picture of {seed}")
                    continue
                with self.subTest(seed=seed, options=options):
                    picture = Picture(path)
                    bound = self.check(picture, "-w" in options, self.measured(seed))
                    if "-w" not in options and bound:
                        self.assertIn(str(seed), printed)
                        self.check_peak_command(printed[str(seed)], picture.peak("main process: "), bound,
                                                self.measured(seed))
                    checked += 1
        self.assertGreater(checked, RECORDINGS / 2)

    def test_kinds_and_overlays(self):
        kinds = re.compile(r"#KINDS\|[^\n]*\brss=[^\n]*\bpss=")
        found = 0
        for seed in range(RECORDINGS):
            if found == 12:
                break
            if not kinds.search(recording(seed)):
                continue
            found += 1
            folder = self.write((seed, seed + 1, seed + 2))
            files = [folder / f"{seed + i}.dat" for i in range(3)]
            for options, inputs in ((["--memory", "pss,rss"], files[:1]), ([], files), (["--flame"], files)):
                with self.subTest(seed=seed, options=options):
                    target = self.directory / "picture.svg"
                    self.run_mprof("plot", *options, "-o", target, *inputs)
                    self.assertIsNotNone(self.check(Picture(target), False, self.measured(seed)))
        self.assertGreater(found, min(5, RECORDINGS // 50))


if __name__ == "__main__":
    unittest.main()
