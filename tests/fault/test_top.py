"""`mprof top`: a recording in progress and a running process, as text and on a terminal."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import termios
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
import terminal  # noqa: E402
from mprof_test import MPROF, python, wait_until  # noqa: E402
from terminal import Screen  # noqa: E402

# A parent with a function in flight and two children of known sizes, controlled by files.
PROGRAM = """
import os, sys, time
def child(mib):
    food = b"x" * (mib << 20)
    open("up-%d" % mib, "w").close()
    while not os.path.exists("go-%d" % mib): time.sleep(0.02)
    os._exit(mib)
def serve():
    for mib in (50, 80):
        if os.fork() == 0: child(mib)
    while not os.path.exists("go"): time.sleep(0.02)
serve.__qualname__ = NAME
profile(serve)()
"""

HEAD = "    PID      MiB     PEAK     MiB/s  NAME                          IN FLIGHT"


class Table:
    """A parsed table of `mprof top`."""

    def __init__(self, text):
        lines = text.split("\n")
        self.title, self.total, head = lines[:3]
        assert head.rstrip() == HEAD, head
        self.rows, self.rest = {}, []
        for line in lines[3:]:
            match = re.fullmatch(r" *(\d+) +(-|\d+\.\d) +(-|\d+\.\d) +(-|[+-]\d+\.\d\d)  (.{0,28}) *(.*)",
                                 line)
            if match:
                self.rows[int(match[1])] = (*match.groups()[1:4], match[5].rstrip(), match[6])
            elif line:
                self.rest.append(line)

    def mib(self, pid):
        return float(self.rows[pid][0])


class Top(terminal.TestCase):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def do(self, what):
        (self.directory / what).write_text("")

    def start_recording(self, *options, name="'serve'"):
        (self.directory / "program.py").write_text(PROGRAM.replace("NAME", name))
        process = self.start_mprof("run", "-T", "0.02", *options, "-o", self.path, python(),
                                   "program.py")
        for child in ("up-50", "up-80"):
            wait_until(lambda: (self.directory / child).exists(), child)
        seen = self.path.read_text().count("\nMEM ")
        wait_until(lambda: self.path.read_text().count("\nMEM ") > seen + 2, "samples")
        return process

    def top(self, *arguments, **options):
        options.setdefault("env", self.environment(LC_ALL="C.UTF-8"))
        done = self.run_mprof("top", *arguments, **options)
        self.assertEqual(done.stderr, "")
        return [Table(part) for part in done.stdout.rstrip("\n").split("\n\n")]

    def top_until(self, condition, *arguments):
        """Repeats until the table is as expected: the recorder writes at its next tick."""
        def poll():
            table = self.top("--once", *arguments)[0]
            return table if condition(table) else None
        return wait_until(poll, "the table")

    def main_pid(self):
        return int(mprof_test.Recording(self.path).facts["pid"])

    def children(self):
        """{MiB: pid} of the program's two children."""
        table = mprof_test.process_table()
        found = {}
        for pid, (ppid, _, _) in table.items():
            if ppid == self.main_pid():
                rss = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 >> 20
                found[80 if rss > 75 else 50] = pid
        return found

    # --- a recording in progress, as text ---

    def test_a_recording_of_each_process(self):
        for options in (("-M",), ("-C", "-M")):
            with self.subTest(options=options):
                process = self.start_recording(*options)
                main, children = self.main_pid(), self.children()
                table = self.top_until(lambda table: table.rows[main][4], self.path)
                self.assertEqual(table.title, f" recording: {python()} program.py")
                self.assertRegex(table.total, r"^ \d+\.\d MiB .* peak \d+\.\d  [+-]\d+\.\d\d MiB/s"
                                 r" \d\d:\d\d  3 processes$")
                self.assertEqual(list(table.rows), [children[80], children[50], main])  # by memory
                for mib, pid in children.items():
                    self.assertAlmostEqual(table.mib(pid), mib + 8, delta=8)
                    self.assertGreaterEqual(float(table.rows[pid][1]), table.mib(pid))
                    self.assertRegex(table.rows[pid][3], "program.py")
                self.assertLess(table.mib(main), 40)
                self.assertEqual(table.rows[main][4], "__main__.serve")
                self.do("go-80")
                table = self.top_until(lambda table: len(table.rows) == 3
                                       and "ended" in table.rows[children[80]][4], self.path)
                self.assertEqual(table.rows[children[80]][4], "ended: status 80")
                self.assertEqual(table.rows[children[80]][0], "-")
                os.kill(children[50], signal.SIGKILL)
                self.top_until(lambda table: table.rows[children[50]][4] == "ended: signal KILL",
                               self.path)
                self.do("go")
                self.assertEqual(self.wait_for_end(process), 0)
                table = self.top("--once", self.path)[0]
                self.assertEqual(table.title, f" not recording: {python()} program.py")
                self.assertEqual(table.rows[main][4], "ended: status 0")
                for name in ("go", "go-80", "up-50", "up-80"):
                    (self.directory / name).unlink()
                self.path.unlink()

    def test_a_recording_of_the_sum(self):
        self.start_recording("-C")
        table = self.top("--once", self.path)[0]
        self.assertGreater(float(table.total.split()[0]), 130)
        self.assertEqual({row[0] for row in table.rows.values()}, {"-"})  # not recorded
        self.assertEqual(len(table.rows), 3)

    def test_numbers_match_the_recording(self):
        process = self.start_recording("-C", "-M")
        self.do("go-50"), self.do("go-80"), self.do("go")
        self.wait_for_end(process)
        recording = mprof_test.Recording(self.path)
        table = self.top(self.path)[0]
        self.assertIn(f" peak {max(mib for mib, _ in recording.mem):.1f} ", table.total)
        self.assertTrue(table.total.startswith(f" {recording.mem[-1][0]:.1f} MiB "), table.total)
        for pid in {pid for pid, _, _ in recording.chld}:
            sampled = max(mib for child, mib, _ in recording.chld if child == pid)
            self.assertGreaterEqual(float(table.rows[pid][1]), round(sampled, 1))

    def test_follows_the_file_until_the_recording_ends(self):
        process = self.start_recording()
        watcher = self.start(MPROF, "top", "-T", "0.05", "-n", "1000000", self.path,
                             env=self.environment(LC_ALL="C.UTF-8"))
        wait_until(lambda: self.output(watcher).count("recording:") > 5, "tables")
        self.do("go")
        self.wait_for_end(process)
        self.assertEqual(self.wait_for_end(watcher), 0)
        tables = self.output(watcher).rstrip("\n").split("\n\n")
        self.assertTrue(tables[-1].startswith(" not recording: "))
        self.assertIn("ended: status 0", tables[-1])

    def test_timeout_while_the_program_runs(self):
        process = self.start_recording("-t", "3600")
        self.assertRegex(self.top("--once", self.path)[0].title, "^ recording: ")
        self.do("go"), self.wait_for_end(process)
        self.path.unlink(), (self.directory / "go").unlink()
        process = self.start_mprof("run", "-t", "0.2", "-T", "0.05", "-o", self.path, "sleep", "600")
        wait_until(lambda: self.path.exists() and self.top(self.path)[0].title
                   == " not recording: sleep 600", "the end of the recording")
        self.assertIsNone(process.poll())

    def test_killed_recorder_is_not_recording(self):
        process = self.start_recording()
        process.kill()
        process.wait()
        self.assertRegex(self.top(self.path)[0].title, "^ not recording: ")

    def test_the_newest_recording_without_an_argument(self):
        self.run_mprof("run", "true")
        self.assertEqual(self.top()[0].title, " not recording: true")

    def test_recordings_of_upstream(self):
        for path in sorted((mprof_test.FIXTURES / "dat").glob("article-*.dat")):
            with self.subTest(path=path.name):
                table = self.top(path)[0]
                self.assertEqual(table.title,
                                 f" not recording: {mprof_test.Recording(path).command_line.strip()}")

    def test_children_that_upstream_numbered(self):
        """Child 0 with memory is a child; a number is no pid."""
        rows = self.top(mprof_test.FIXTURES / "dat" / "numbered-children.dat")[0].rows
        self.assertEqual({number: row[3].strip() for number, row in rows.items()},
                         {number: f"child {number}" for number in range(3)})

    def test_incomplete_lines(self):
        """An incomplete line does not count until its end is written."""
        head = "CMDLINE x\nFACT pid 5\nPROC 5 1 1000.0 x\nMEM 10.000000 1000.0000\n"
        self.path.write_text(head + "MEM 99")
        watcher = self.start(MPROF, "top", "-T", "0.05", "-n", "2", self.path)
        self.assertEqual(self.wait_for_end(watcher), 0)
        self.assertIn(" 10.0 MiB", self.output(watcher))
        self.assertNotIn("99", self.output(watcher))
        self.path.write_text(head + "MEM 99.000000 1001.0000\nnonsense\nX\n" + "A" * 9000000 + "\n"
                             "MEM 98.000000 1002.0000\n")
        self.assertTrue(self.top(self.path)[0].total.startswith(" 98.0 MiB"))

    MEASURE = ("import os, sys\n"
               "child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)\n"
               "_, status, usage = os.wait4(child, 0)\n"
               "print(status, usage.ru_maxrss, file=sys.stderr)\n")

    def test_a_hundred_thousand_ended_processes(self):
        """With and without their ends in the file, in turn and all at once."""
        head = "CMDLINE x\nMEM 9.0 1700000000.0000\n"
        count = 100000
        files = {
            "without-ends.dat": "".join(
                f"CHLD {n} 5.0 {1700000000 + n / 100:.4f}\nMEM 9.0 {1700000000 + n / 100:.4f}\n"
                for n in range(100, 100 + count)),
            "at-once.dat": "".join(f"CHLD {n} 5.0 1700000000.0000\n" for n in range(100, 100 + count))
            + "".join(f"MEM 9.0 {1700000001 + n}.0000\n" for n in range(20)),
            # a PEAK after the end makes no row
            "with-ends.dat": "".join(
                f"PROC {n} 1 1700000000.000000 child\nEXIT {n} 1700000001.000000 status 0\n"
                f"PEAK {n} 7.0 1700000001.000000\n" for n in range(100, 100 + count)),
        }
        for name, text in files.items():
            with self.subTest(name):
                (self.directory / name).write_text(head + text)
                # from a small process: ru_maxrss includes memory before the exec
                done = subprocess.run([python(), "-S", "-c", self.MEASURE, MPROF, "top", "--once",
                                       name], cwd=self.directory, env=self.environment(),
                                      capture_output=True, text=True, check=True)
                status, kib = done.stderr.split()
                self.assertEqual(int(status), 0)
                if name != "at-once.dat":
                    self.assertIn(" more have ended: 9", done.stdout)
                if not mprof_test.is_sanitized():
                    self.assertLess(int(kib), 16 << 10)

    def test_invalid_files(self):
        for name, content, says in (("missing", None, "No such file"), ("empty", "", None),
                                    ("text", "hello\n" * 2000, "is not a recording"),
                                    ("folder", None, "is not a regular file")):
            with self.subTest(name=name):
                place = self.directory / name
                if name == "folder":
                    place.mkdir()
                elif content is not None:
                    place.write_text(content)
                done = self.run_mprof("top", "--once", place, expect=1 if says else 0)
                if says:
                    self.assertRegex(done.stderr, rf"\Amprof: [^\n]*{name}: [^\n]*{says}[^\n]*\n\Z")

    def test_invalid_options(self):
        count = "--count must be a whole number from 1 to 1000000000, not "
        interval = "--interval must be between 0.05 and 3600 seconds, not "
        for arguments, says in ((["-n", "0"], count), (["-n", "x"], count), (["-T", "0"], interval),
                                (["-T", "nan"], interval), (["-T", "1e9"], interval),
                                (["-T", ""], interval), (["a", "b"], "leave out 'b'"),
                                (["--nonsense"], "nonsense")):
            with self.subTest(arguments=arguments):
                done = self.run_mprof("top", *arguments, expect=2)
                self.assertRegex(done.stderr, rf"\Amprof[^\n]*: [^\n]*{says}[^\n]*\n\Z")

    def test_S4_names_are_harmless(self):
        (self.directory / "x\x1b[2Jy").symlink_to(python())
        (self.directory / "program.py").write_text(PROGRAM.replace("NAME", r"'\x1b]0;t\x07\n\u202e'"))
        process = self.start_mprof("run", "-M", "-T", "0.02", "-o", self.path, "--python",
                                   "./x\x1b[2Jy", "program.py")
        wait_until(lambda: (self.directory / "up-80").exists(), "children")
        main = self.main_pid()
        table = self.top_until(lambda table: main in table.rows and table.rows[main][4], self.path)
        self.assertEqual(table.rows[main][4], r"__main__.\x1b]0;t\x07\x0a\xe2\x80\xae")
        done = self.run_mprof("top", "--once", process.pid, env=self.environment(LC_ALL="C.UTF-8"))
        for text in (table.title, done.stdout):
            self.assertIn(r"./x\x1b[2Jy program.py", text)
            self.assertNotIn("\x1b", text)

    def test_planted_answers_are_not_trusted(self):
        """The program can write into the directory of rings, too."""
        self.start_recording()
        place = next(pathlib.Path("/dev/shm").glob(f"mprof-{self.only_recorder()}-*"))
        victim = self.directory / "victim"
        victim.write_text("precious")
        main = self.main_pid()
        for plant in (b"", b"x" * 100000, f"{main} 1 \x1b[2J\n{main} x y\n-1 1 a\n".encode() * 500):
            (place / "in-flight").write_bytes(plant)
            self.assertNotIn("\x1b", str(self.top("--once", self.path)[0].rows))
        for name in ("in-flight", "in-flight.new", "asked"):
            (place / name).unlink(missing_ok=True)
            (place / name).symlink_to(victim)
        for _ in range(3):
            self.top("--once", self.path)
        self.assertEqual(victim.read_text(), "precious")

    def only_recorder(self):
        return next(pid for pid, (_, _, command) in mprof_test.process_table().items()
                    if command == "mprof" and pid in mprof_test.descendants(os.getpid()))

    # --- a running process ---

    def test_a_process_with_its_children(self):
        (self.directory / "program.py").write_text(
            PROGRAM.replace("NAME", "'serve'").replace("profile(serve)()", "serve()"))
        process = self.start(python(), "program.py")
        for child in ("up-50", "up-80"):
            wait_until(lambda: (self.directory / child).exists(), child)
        first, second = self.top("-n", "2", "-T", "0.1", process.pid)
        self.assertEqual(first.title, f" running: {python()} program.py")
        self.assertEqual(len(first.rows), 3)
        self.assertEqual({row[2] for row in first.rows.values()}, {"-"})  # one reading: no slope
        self.assertTrue(all(re.match(r"[+-]\d", row[2]) for row in second.rows.values()))
        self.assertEqual(list(second.rows)[-1], process.pid)
        self.assertAlmostEqual(float(second.total.split()[0]),
                               sum(second.mib(pid) for pid in second.rows), delta=0.3)
        watcher = self.start(MPROF, "top", "-T", "0.05", "-n", "1000000", process.pid)
        wait_until(lambda: self.output(watcher).count("running:") > 3, "tables")
        process.kill()
        process.wait()
        self.assertEqual(self.wait_for_end(watcher), 0)
        self.assertRegex(self.output(watcher).rstrip("\n").split("\n\n")[-1], r"\A ended: ")

    def test_a_process_that_is_recorded_shows_its_functions(self):
        recorder = self.start_recording()
        main = self.main_pid()
        for pid in (main, recorder.pid):
            table = self.top_until(lambda table: table.rows[main][4], pid)
            self.assertEqual(table.rows[main][4], "__main__.serve")

    def test_no_such_process(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        done = self.run_mprof("top", gone.pid, expect=1)
        self.assertEqual(done.stderr, f"mprof: no process with pid {gone.pid}\n")

    # --- on a terminal ---

    def watch(self, *arguments, size=(10, 100)):
        return self.start_shell(MPROF, "top", "-T", "0.05", *arguments, size=size, TERM="xterm",
                                LC_ALL="C.UTF-8")

    def screen(self, rows, columns):
        """The screen after the last whole frame."""
        self.read_terminal()
        end = self.text.rfind(b"\x1b[J")
        return Screen(rows, columns, self.text[:end + 3])

    def assert_restored(self):
        screen = Screen(10, 100, self.text)
        self.assertFalse(screen.hidden)
        self.assertGreater(self.text.rfind(b"\x1b[?1049l"), self.text.rfind(b"\x1b[?1049h"))

    def test_on_a_terminal(self):
        process = self.start_recording("-M")
        self.watch(self.path)
        self.wait_for(rb"\x1b\[J", 3)
        screen = self.screen(10, 100)
        self.assertEqual(screen.text(0), f" recording: {python()} program.py")
        self.assertEqual(screen.text(2), HEAD)
        self.assertTrue(screen.hidden)
        begin = len(self.text)
        self.resize(6, 30)
        wait_until(lambda: (self.read_terminal(), self.text.count(b"\x1b[J", begin) > 2)[1], "frames")
        last = self.text[:self.text.rfind(b"\x1b[J")]
        frame = last[last.rfind(b"\x1b[1;1H"):].decode().split("\r\n")
        self.assertEqual(len(frame), 6)  # five lines, and the rest after the last
        self.assertLessEqual(max(len(re.sub(r"\x1b\[[\d;]*[A-Z]", "", line.rstrip("\r")))
                                 for line in frame), 30)
        self.do("go")
        self.wait_for_end(process)
        self.wait_for(rb"ended 0\r\n")
        self.assert_restored()
        rest = self.text[self.text.rfind(b"\x1b[?1049l"):]
        self.assertIn(b" not recording: ", rest)  # the last table stays visible

    def test_uses_the_width_and_wraps_nothing(self):
        """At any width: also the table that stays after the end, which is not drawn on the screen of its own."""
        long = "a-program-with-a-name-of-some-fifty-letters-or-so.py"
        self.path.write_text(
            f"CMDLINE python3 {long}\nFACT pid 5\nFACT multiprocess yes\nPROC 5 1 1000.0 python3 {long}\n"
            f"PROC 6 5 1000.0 python3 {long} ForkPoolWorker-1\nMEM 10.0 1000.0\nCHLD 6 123456.7 1000.0\n"
            "MEM 10.0 1001.0\nCHLD 6 123456.7 1001.0\nPROC 7 5 1000.0 \u6570\u636e\u5904\u7406\nCHLD 7 1.0 1001.0\n"
            "MEM 9.0 1002.0\nEXIT 7 1002.0 status 3\n")
        for columns in (20, 40, 60, 80, 120, 200):
            with self.subTest(columns=columns):
                self.text = b""
                self.start_shell(MPROF, "top", "--once", self.path, size=(24, columns), TERM="xterm",
                                 LC_ALL="C.UTF-8")
                self.wait_for(rb"ended 0\r\n")
                lines = self.text.decode().replace("\r", "").split("\n")
                begin = next(i for i, line in enumerate(lines) if "PID" in line)
                rows = lines[begin - 2:begin + 4]
                wide = [sum(2 if ord(letter) >= 0x1100 and letter != "\u2026" and not 0x2580 <= ord(letter) < 0x25a0
                            else 1 for letter in line) for line in rows]
                self.assertLessEqual(max(wide), columns, rows)
                self.assertEqual([line.split()[0] for line in rows[3:]], ["6", "5", "7"], rows)
                if columns >= 40:
                    self.assertIn("NAME", rows[2])
                    self.assertIn("123456.7", rows[3])
                    self.assertRegex(rows[3], "pyth.*ker-1")  # its beginning and its end
                if columns >= 80:
                    self.assertIn("ended: status 3", rows[5])
                elif columns >= 60:
                    self.assertIn("status 3", rows[5])
                if columns >= 200:  # whole names
                    self.assertIn(f"{long} ForkPoolWorker-1", rows[3])

    def test_names_of_multiprocessing(self):
        """Of a process that is recorded, too: the recording has them."""
        (self.directory / "program.py").write_text(
            "import multiprocessing, os, time\n"
            "def work(n):\n"
            "    while not os.path.exists('go'): time.sleep(0.02)\n"
            "if __name__ == '__main__':\n"
            "    multiprocessing.set_start_method('fork')\n"
            "    with multiprocessing.Pool(2) as pool: pool.map(work, range(2))\n")
        process = self.start_mprof("run", "-M", "-T", "0.02", "-o", self.path, python(), "program.py")
        wait_until(lambda: self.path.exists() and "ForkPoolWorker-2" in self.path.read_text(), "names")
        main = self.main_pid()
        for source in (self.path, main, process.pid):
            with self.subTest(source=source):
                table = self.top_until(lambda table: len(table.rows) >= 3, source)
                names = sorted(row[3] for row in table.rows.values())
                self.assertEqual([name.split()[-1] for name in names if "Fork" in name],
                                 ["ForkPoolWorker-1", "ForkPoolWorker-2"], names)
        self.do("go")
        self.wait_for_end(process)

    def test_q_quits(self):
        self.start_recording()
        self.watch(self.path)
        self.wait_for(rb"\x1b\[J")
        self.type(b"xq")
        self.wait_for(rb"ended 0\r\n")
        self.assert_restored()

    def test_keeper_restores_the_terminal_if_top_is_killed(self):
        self.start_recording()
        job = self.watch(self.path)
        self.wait_for(rb"\x1b\[J", 2)
        self.wait_for_keeper()
        local = termios.ICANON | termios.ECHO
        self.assertEqual(termios.tcgetattr(self.terminal)[3] & local, 0)
        os.kill(job, signal.SIGKILL)
        self.wait_for(rb"ended -9")
        self.wait_for_no_keeper()
        self.read_terminal()
        self.assert_restored()
        self.assertEqual(termios.tcgetattr(self.terminal)[3] & local, local)

    def test_signal_restores_the_terminal(self):
        self.start_recording()
        self.watch(self.path)
        self.wait_for(rb"\x1b\[J")
        self.type(b"\x03")
        self.wait_for(rb"ended -2\r\n")
        self.assert_restored()

    def test_stop_and_continue(self):
        self.start_recording()
        self.watch(self.path)
        self.wait_for(rb"\x1b\[J")
        self.type(b"\x1a")
        stopped = self.wait_for(rb"stopped\r\n")
        self.assert_restored()
        self.type(b"fg\n")
        self.wait_for(rb"\x1b\[\?1049h", begin=stopped.end())
        self.wait_for(rb"\x1b\[J", begin=stopped.end())
        self.type(b"q")
        self.wait_for(rb"ended 0\r\n")


if __name__ == "__main__":
    unittest.main()
