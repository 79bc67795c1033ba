"""B14: a picture is interrupted while it is written. The older picture stays whole, and no part of the new
one is left, on file systems with unnamed files and on those without."""

import os
import pathlib
import resource
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402

TOOLS = mprof_test.preloadable(os.environ.get("MPROF_TEST_TOOLS", "."))

ENDS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGALRM,
        signal.SIGXCPU, signal.SIGSEGV, signal.SIGABRT)
OLD = "an older picture"


class Pictures(mprof_test.TestCase):
    def setUp(self):
        super().setUp()
        lines = ["CMDLINE x"] + [f"MEM {5 + i % 97}.0 {1000 + i}.0" for i in range(3000)]
        lines += [f"FUNC m.f{i} 5 {1000 + i}.1 6 {1000 + i}.9 0" for i in range(2500)]
        (self.directory / "big.dat").write_text("\n".join(lines) + "\n")  # several blocks of SVG
        self.place = self.directory / "pictures"
        self.place.mkdir()
        self.picture = self.place / "out.svg"
        self.picture.write_text(OLD)

    def draw(self, *options, named=False, number=None, at="write", expect=0, **more):
        changes = {"LD_PRELOAD": str(TOOLS / "interrupt-picture.so"), "MPROF_TEST_AT": at}
        if named:
            changes["MPROF_TEST_NAMED"] = "1"
        if number:
            changes["MPROF_TEST_SIGNAL"] = str(int(number))
        return self.run_mprof("plot", *options, "-o", self.picture, "big.dat", expect=expect,
                              env=self.environment(**changes), **more)

    def assert_untouched(self):
        self.assertEqual(os.listdir(self.place), ["out.svg"])
        self.assertEqual(self.picture.read_text(), OLD)

    def assert_drawn(self):
        self.assertEqual(os.listdir(self.place), ["out.svg"])
        mprof_test.check_svg(self.picture)

    def test_signals_that_end_it(self):
        for named in (False, True):
            for number in ENDS:
                with self.subTest(signal=number.name, named=named):
                    self.draw(named=named, number=number, expect=-number)
                    self.assert_untouched()

    def test_killed(self):
        self.draw(number=signal.SIGKILL, expect=-signal.SIGKILL)
        self.assert_untouched()
        self.picture.unlink()
        self.draw(number=signal.SIGKILL, expect=-signal.SIGKILL)
        self.assertEqual(os.listdir(self.place), [])

    def test_killed_at_any_moment(self):
        began = time.monotonic()
        self.draw()
        lasts = time.monotonic() - began
        self.picture.write_text(OLD)
        left_over = 0
        for i in range(40):
            process = subprocess.Popen([mprof_test.MPROF, "plot", "-o", self.picture, "big.dat"],
                                       cwd=self.directory, env=self.environment())
            time.sleep(lasts * i / 40)
            process.kill()
            process.wait()
            # killed between linkat(2) and rename(2), which cannot be one: the new picture is whole
            left = [self.place / name for name in os.listdir(self.place) if name != "out.svg"]
            for path in left:
                self.assertRegex(path.name, r"\A\.mprof-[a-z0-9]{6}\Z")
                self.assertEqual(self.picture.read_text(), OLD)
                mprof_test.check_svg(path)
                path.unlink()
            left_over += len(left)
            if self.picture.read_text() != OLD:
                self.assert_drawn()
                self.picture.write_text(OLD)
        self.assertLess(left_over, 5)

    def test_interrupted_while_renaming(self):
        for named in (False, True):
            for number in (signal.SIGTERM, signal.SIGHUP):
                with self.subTest(signal=number.name, named=named):
                    self.picture.write_text(OLD)
                    self.draw(named=named, number=number, at="rename", expect=-number)
                    self.assertEqual(os.listdir(self.place), ["out.svg"])
                    if named:
                        self.assert_untouched()
                    else:
                        self.assert_drawn()

    def test_a_limit_of_file_sizes(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
        for named in (False, True):
            with self.subTest(named=named):
                done = self.draw(named=named, expect=1, preexec_fn=limit)
                self.assertRegex(done.stderr, r"\Amprof: [^\n]*out\.svg: cannot write: File too large\n\Z")
                self.assert_untouched()

    def test_ignored_signal_stays_ignored(self):
        for named in (False, True):
            with self.subTest(named=named):
                self.draw(named=named, number=signal.SIGHUP,
                          preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
                self.assert_drawn()

    def test_interrupted_with_each(self):
        for named in (False, True):
            with self.subTest(named=named):
                done = self.run_mprof(
                    "plot", "--each", "-o", self.place, "big.dat", expect=1,
                    env=self.environment(LD_PRELOAD=str(TOOLS / "interrupt-picture.so"),
                                         MPROF_TEST_SIGNAL=str(int(signal.SIGTERM)),
                                         **({"MPROF_TEST_NAMED": "1"} if named else {})))
                self.assertIn("1 of 1 recordings were not drawn", done.stderr)
                self.assert_untouched()

    def test_modes(self):
        for named in (False, True):
            for mask, mode in ((0o022, 0o644), (0o077, 0o600), (0o007, 0o660)):
                with self.subTest(named=named, mask=oct(mask)):
                    self.picture.unlink(missing_ok=True)
                    self.draw(named=named, preexec_fn=lambda: os.umask(mask))
                    self.assertEqual(self.picture.stat().st_mode & 0o7777, mode)
                    self.picture.chmod(0o604)
                    self.draw(named=named, preexec_fn=lambda: os.umask(mask))
                    self.assertEqual(self.picture.stat().st_mode & 0o7777, 0o604)

    def test_links(self):
        for named in (False, True):
            with self.subTest(named=named):
                self.picture.write_text(OLD)
                other = self.directory / "hard"
                other.unlink(missing_ok=True)
                os.link(self.picture, other)
                self.draw(named=named)
                self.assert_drawn()
                self.assertEqual(other.read_text(), OLD)
                (self.directory / "kept.svg").write_text(OLD)
                for target, is_link in (("../kept.svg", True), ("nowhere.svg", False)):
                    self.picture.unlink()
                    self.picture.symlink_to(target)
                    self.draw(named=named)
                    self.assertEqual(self.picture.is_symlink(), is_link)
                    self.assert_drawn()

    def test_name_is_taken_meanwhile(self):
        """No file had that name when drawing began."""
        self.picture.unlink()
        process = self.start_mprof(
            "plot", "-o", self.picture, "big.dat",
            env=self.environment(LD_PRELOAD=str(TOOLS / "interrupt-picture.so"),
                                 MPROF_TEST_SIGNAL=str(int(signal.SIGSTOP))))
        mprof_test.wait_until(lambda: mprof_test.process_table()[process.pid][1] == "T", "a stop")
        self.picture.write_text(OLD)

        def go_on():
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)  # it stops after each write
            return process.poll() is not None
        mprof_test.wait_until(go_on, "its end")
        self.assertEqual(process.returncode, 0)
        self.assert_drawn()


if __name__ == "__main__":
    unittest.main()
