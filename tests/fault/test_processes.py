"""R13: trees of processes. Each test runs with the kernel's process events, where they are allowed, and by
scanning /proc."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import mprof_test  # noqa: E402
from mprof_test import MPROF, WITHOUT_EVENTS, Recording, python, wait_until  # noqa: E402


class Processes(mprof_test.TestCase):
    prefix = ()

    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.dat"

    def write(self, name, text):
        (self.directory / name).write_text(text)

    def record(self, *arguments, **options):
        done = subprocess.run([*self.prefix, MPROF, "run", *options.pop("flags", ("-C", "-M")),
                               "-o", self.path, *map(str, arguments)], capture_output=True,
                              text=True, cwd=self.directory, env=self.environment(),
                              timeout=mprof_test.DEADLINE_S, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        recording = Recording(self.path)
        self.assert_upstream_reads_the_same(recording)
        self.check_method(recording)
        return recording

    def check_method(self, recording):
        if os.geteuid() != 0:
            self.assertEqual(recording.facts["processes-by"], "scan")

    def assert_consistent(self, recording):
        """Every CHLD belongs to a process with a PROC, lies between its start and its end, and has memory."""
        lives = {}
        for pid, _, moment, _ in recording.records("PROC"):
            lives.setdefault(int(pid), [float(moment), None])
        for pid, moment, *_ in recording.records("EXIT"):
            lives[int(pid)][1] = float(moment)
        for pid, mib, moment in recording.chld:
            self.assertIn(pid, lives)
            self.assertGreater(mib, 0)
            self.assertGreaterEqual(moment, lives[pid][0] - 0.001)
            if lives[pid][1]:
                self.assertLessEqual(moment, lives[pid][1] + 0.05)

    def test_sum_and_children(self):
        # All four wait for each other, and until all were sampled.
        self.write("tree.py", "import os, time\n"
                   "def up(size):\n"
                   "    food = bytearray(size << 20)\n"
                   "    open(f'up-{size}', 'w').close()\n"
                   "    while not os.path.exists('go'): time.sleep(0.02)\n"
                   "    os._exit(0)\n"
                   "def samples(): return open('out.dat').read().count('\\nMEM ')\n"
                   "for name in ('go', 'up-20', 'up-30', 'up-60'):\n"
                   "    if os.path.exists(name): os.unlink(name)\n"
                   "a = bytearray(40 << 20)\n"
                   "for size in (20, 60):\n"
                   "    if os.fork() == 0:\n"
                   "        if size == 60 and os.fork() == 0: up(30)\n"
                   "        up(size)\n"
                   "while not all(os.path.exists(f'up-{size}') for size in (20, 30, 60)): time.sleep(0.02)\n"
                   "seen = samples()\n"
                   "while samples() < seen + 5: time.sleep(0.02)\n"
                   "open('go', 'w').close()\n"
                   "for size in (20, 60): os.wait()\n")
        recording = self.record("tree.py")
        self.assert_consistent(recording)
        main = int(recording.facts["pid"])
        by_time = {}
        for pid, mib, moment in recording.chld:
            by_time.setdefault(moment, {})[pid] = mib
        sums = dict((moment, mib) for mib, moment in recording.mem)
        full = [moment for moment, children in by_time.items() if len(children) == 3]
        self.assertTrue(full)
        # -C: the sum is that of the program itself (of 40 MiB and an interpreter) and its children
        own = max(sums[moment] - sum(by_time[moment].values()) for moment in full)
        self.assertGreater(own, 40)
        self.assertLess(own, 80)
        self.assertEqual(len({pid for pid, _, _ in recording.chld}), 3)
        children = {pid for pid, ppid, _ in recording.processes if ppid == main}
        self.assertEqual(len(children), 2)
        grandchild, = {pid for pid, ppid, _ in recording.processes if ppid in children}
        self.assertEqual({pid for pid, _, _ in recording.processes},
                         {main, grandchild} | children, recording.processes)
        flags = {"-C": (True, False), "-M": (False, True)}
        for flag, (has_sum, has_children) in flags.items():
            with self.subTest(flag=flag):
                one = self.record("tree.py", flags=(flag,))
                peak = max(mib for mib, _ in one.mem)
                self.assertEqual(peak > 150, has_sum)
                self.assertEqual(bool(one.chld), has_children)

    def test_R13_a_thousand_short_lived_children(self):
        self.write("many.py", "import os\n"
                   "for n in range(1000):\n"
                   "    pid = os.fork()\n"
                   "    if pid == 0: os._exit(n % 3)\n"
                   "    os.waitpid(pid, 0)\n")
        recording = self.record("many.py", flags=("-C", "-M", "-T", "0.01"))
        self.assert_consistent(recording)
        main = int(recording.facts["pid"])
        children = {pid for pid, ppid, _ in recording.processes if ppid == main}
        if recording.facts["processes-by"] == "events":
            self.assertEqual(len(children), 1000)
            ends = [end for pid, end in recording.exits.items() if pid in children]
            self.assertEqual(sorted(ends), sorted(("status", n % 3) for n in range(1000)))
        self.assertEqual([mib for _, mib, _ in recording.chld if mib <= 0], [])

    def test_R13_five_hundred_live_children(self):
        self.write("herd.py", "import os, time\n"
                   "for n in range(500):\n"
                   "    if os.fork() == 0:\n"
                   "        time.sleep(60); os._exit(0)\n"
                   "print('all there', flush=True)\n"
                   "time.sleep(60)\n")
        process = self.start(*self.prefix, MPROF, "run", "-C", "-M", "-o", self.path, python(),
                             "herd.py")
        self.wait_for_output(process, "all there")

        def last_tick():
            lines = self.path.read_text().split("\n")[:-1]
            moments = [line.split(" ")[3] for line in lines if line.startswith("CHLD ")]
            return moments and moments.count(moments[-1]) == 500 and moments[-1]
        first = float(wait_until(last_tick, "500 children in a tick"))
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        self.wait_for_end(process)
        recording = Recording(self.path)
        self.assert_consistent(recording)
        times = [moment for _, moment in recording.mem if moment >= first]
        mean = (times[-1] - times[0]) / (len(times) - 1)
        self.assertLess(abs(mean - 0.1), 0.02)
        self.end_processes()

    def test_R13_zombies_have_no_samples(self):
        self.write("zombie.py", "import os, time\n"
                   "if os.fork() == 0: os._exit(7)\n"
                   "time.sleep(0.5)\n")
        recording = self.record("zombie.py", flags=("-C", "-M", "-T", "0.02"))
        self.assert_consistent(recording)
        main = int(recording.facts["pid"])
        child = [pid for pid, ppid, _ in recording.processes if ppid == main]
        self.assertLessEqual(len([1 for pid, _, _ in recording.chld if pid in child]), 4)
        for pid in child:
            self.assertEqual(recording.exits[pid], ("status", 7))

    def test_R13_zombie_ends_once(self):
        """However many processes start before it is reaped."""
        self.write("zombies.py", "import os, time\n"
                   "zombies = [os.fork() or os._exit(3) for n in range(5)]\n"
                   "for n in range(20):\n"
                   "    pid = os.fork()\n"
                   "    if pid == 0:\n"
                   "        time.sleep(0.05)\n"
                   "        os._exit(4)\n"
                   "    os.waitpid(pid, 0)\n"
                   "time.sleep(2.1)\n"  # until all of /proc is scanned
                   "os.fork() or os._exit(5)\n"
                   "time.sleep(0.1)\n")
        recording = self.record("zombies.py", flags=("-C", "-M", "-T", "0.01"))
        self.assert_consistent(recording)
        for word in ("PROC", "EXIT"):
            pids = [fields[0] for fields in recording.records(word)]
            self.assertEqual(len(pids), len(set(pids)), word)
        self.assertGreaterEqual(len(recording.exits), 15)

    def test_R13_the_main_process_as_a_zombie(self):
        """Between its end and being reaped there is no sample without memory."""
        for _ in range(20):
            recording = self.record("sh", "-c", "exit 0", flags=("-T", "0.0001"))
            self.assertNotIn(0.0, [mib for mib, _ in recording.mem])

    def test_R13_daemons(self):
        """A process whose parents have ended still belongs to the tree."""
        self.write("daemon.py", "import os, time\n"
                   "if os.fork() == 0:\n"
                   "    os.setsid()\n"
                   "    if os.fork(): os._exit(0)\n"
                   "    time.sleep(0.6)\n"
                   "    os._exit(9)\n"
                   "os.wait()\n"
                   "time.sleep(0.9)\n")
        recording = self.record("daemon.py", flags=("-C", "-M", "-T", "0.02"))
        self.assert_consistent(recording)
        daemon, = [pid for pid, end in recording.exits.items() if end == ("status", 9)]
        moments = [moment for pid, _, moment in recording.chld if pid == daemon]
        self.assertGreater(moments[-1] - moments[0], 0.3)

    def test_exec_renames_the_process(self):
        recording = self.record("sh", "-c", "sleep 0.3; exec sleep 0.5",
                                flags=("-C", "-T", "0.02"))
        main = int(recording.facts["pid"])
        self.assertEqual([name.split(" ")[0] for pid, _, name in recording.processes if pid == main],
                         ["sh", "sleep"])

    @staticmethod
    def names_of(recording, pid):
        return [name for one, _, name in recording.named if one == pid]

    def test_R25_a_title_written_over_the_arguments(self):
        """As nginx, sshd and many others do: the kernel's own name does not change."""
        self.write("server.py", mprof_test.RETITLED +
                   "def wait_for(word):\n"
                   "    while word not in open('out.dat').read(): sum(range(10000)); time.sleep(0.01)\n"
                   "if os.fork() == 0:\n"
                   "    for word in ('working', 'shutting-down'):\n"
                   "        retitle(f'worker: {word} now'); wait_for(word)\n"
                   "    os._exit(0)\n"
                   "retitle('master: listening now'); wait_for('listening')\n"
                   "os.wait()\n")
        recording = self.record("server.py", "room" * 40)
        main = int(recording.facts["pid"])
        self.assertIn("master: listening now", self.names_of(recording, main))
        child, = {pid for pid, _, _ in recording.processes} - {main}
        self.assertEqual(self.names_of(recording, child)[-2:],
                         ["worker: working now", "worker: shutting-down now"])

    def test_R25_title_changes_constantly(self):
        """Of a database that writes each query into its title, the last is recorded, and few of the others."""
        self.write("server.py", mprof_test.RETITLED +
                   "end = time.monotonic() + 4\n"
                   "n = 0\n"
                   "while time.monotonic() < end:\n"
                   "    n += 1; retitle(f'server: query {n}'); time.sleep(0.005)\n"
                   "retitle('server: waiting now')\n"
                   "print('waits', flush=True)\n"
                   "time.sleep(60)\n")
        process = self.start(*self.prefix, MPROF, "attach", "-C", "-o", self.path,
                             self.start(python(), "server.py", "room" * 40).pid)
        self.wait_for_output(self._started[0], "waits")
        process.terminate()
        self.wait_for_end(process)
        names = [name for _, _, name in Recording(self.path).named]
        self.assertEqual(names[-1], "server: waiting now")
        self.assertGreater(len(names), 2)
        self.assertLess(len(names), 12)

    def test_R22_siblings(self):
        """CLONE_PARENT, as runc uses it: the new process is a child of the parent."""
        self.write("sibling.py", "import ctypes, os, signal, time\n"
                   "libc = ctypes.CDLL(None)\n"
                   "SYS_clone, CLONE_PARENT = {'x86_64': 56, 'aarch64': 220}[os.uname().machine], 0x8000\n"
                   "if libc.syscall(SYS_clone, CLONE_PARENT | signal.SIGCHLD, 0, 0, 0, 0) == 0:\n"
                   "    food = b'x' * (60 << 20)\n"
                   "    def samples(): return open('out.dat').read().count(f'CHLD {os.getpid()} ')\n"
                   "    seen = samples()\n"
                   "    while samples() < seen + 3: time.sleep(0.01)\n"
                   "    open('seen', 'w').close()\n"
                   "    os._exit(5)\n"
                   "while not os.path.exists('seen'): time.sleep(0.01)\n"
                   "while 'EXIT' not in open('out.dat').read(): time.sleep(0.01)\n"
                   "os._exit(4)\n")
        for flags in (("-C", "-M"), ("-M",)):
            with self.subTest(flags=flags):
                recording = self.record("sibling.py", flags=flags)
                main = int(recording.facts["pid"])
                sibling, = {pid for pid, _, _ in recording.processes} - {main}
                self.assertEqual(recording.exits, {main: ("status", 4), sibling: ("status", 5)})
                self.assertGreater(max(mib for pid, mib, _ in recording.chld if pid == sibling), 60)
                (self.directory / "seen").unlink()
                self.path.unlink()

    def test_R22_no_process_starts_early(self):
        """Compared with the start time in /proc, which has a resolution of 10 ms."""
        self.write("starts.py", "import os, time\n"
                   "for n in range(60):\n"
                   "    if os.fork() == 0:\n"
                   "        ticks = open('/proc/self/stat').read().rpartition(')')[2].split()[19]\n"
                   "        os.write(1, b'%d %s\\n' % (os.getpid(), ticks.encode()))\n"
                   "        time.sleep(0.3)\n"
                   "        os._exit(0)\n"
                   "    time.sleep(0.007)\n"
                   "for n in range(60): os.wait()\n")
        done = subprocess.run([*self.prefix, MPROF, "run", "-M", "-T", "0.05", "-o", self.path,
                               python(), "starts.py"], capture_output=True, text=True,
                              cwd=self.directory, env=self.environment(), check=True)
        boot_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        starts = {int(pid): boot_s + int(ticks) / os.sysconf("SC_CLK_TCK") for pid, ticks
                  in re.findall(r"(?m)^(\d+) (\d+)$", done.stdout)}
        self.assertEqual(len(starts), 60)
        for pid, moment, _ in Recording(self.path).named:
            if pid in starts:
                self.assertGreaterEqual(moment, starts[pid] - 0.002)

    def test_R24_few_descriptors(self):
        """Files that cannot stay open are opened for each reading."""
        self.write("herd.py", "import os, time\n"
                   "for n in range(30):\n"
                   "    if os.fork() == 0:\n"
                   "        food = b'x' * (5 << 20)\n"
                   "        while not os.path.exists('go'): time.sleep(0.05)\n"
                   "        os._exit(0)\n"
                   "def last_tick():\n"
                   "    moments = [line.split()[3] for line in open('out.dat').read().split('\\n')[:-1]\n"
                   "               if line.startswith('CHLD ')]\n"
                   "    return moments.count(moments[-1]) if moments else 0\n"
                   "end = time.monotonic() + 20\n"
                   "while last_tick() < 30 and time.monotonic() < end: time.sleep(0.05)\n"
                   "time.sleep(0.3)\n"
                   "open('go', 'w').close()\n"
                   "for n in range(30): os.wait()\n")
        for limit in (8, 16, 32):
            with self.subTest(limit=limit):
                done = subprocess.run(["prlimit", f"--nofile={limit}:{limit}", *self.prefix, MPROF,
                                       "run", "-C", "-M", "--nopython", "-o", self.path, python(),
                                       "herd.py"], capture_output=True, text=True,
                                      cwd=self.directory, env=self.environment())
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                recording = Recording(self.path)
                self.assert_consistent(recording)
                self.assertEqual(len({pid for pid, _, _ in recording.processes}), 31)
                self.assertGreater(max(mib for mib, _ in recording.mem), 31 * 5)
                (self.directory / "go").unlink()
                self.path.unlink()

    def test_R24_proc_of_another_namespace_or_none(self):
        """Its pids would be those of other processes: nothing is read, and one line says so."""
        for name, command, says in (
                ("foreign", ["unshare", "-pf", "--kill-child"], "another namespace"),
                ("none", ["unshare", "-m", "sh", "-c", "umount -l /proc && exec \"$@\"", "sh"],
                 "not mounted")):
            with self.subTest(name):
                if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
                    self.skipTest("no namespace can be made here")
                if name == "none" and mprof_test.is_sanitized():
                    continue  # the sanitizer itself needs /proc and complains
                done = subprocess.run([*command, MPROF, "run", "-C", "-T", "0.05", "--nopython", "-o",
                                       self.path, "sh", "-c", "sleep 0.3; exit 3"],
                                      capture_output=True, text=True, cwd=self.directory,
                                      env=self.environment())
                self.assertRegex(done.stderr, r"\Amprof: no memory can be read: /proc [^\n]*\n\Z")
                recording = Recording(self.path)
                self.assertEqual(recording.facts["no-proc"], says)
                self.assertEqual(recording.chld, [])
                self.assertLessEqual(len(recording.mem), 1)  # from wait4
                self.assertEqual(done.returncode, 0 if recording.mem else 1)
                self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 3))
                self.path.unlink()

    def test_process_without_children(self):
        recording = self.record("sleep", "0.3", flags=())
        self.assertEqual(len(recording.processes), 1)
        self.assertEqual(recording.chld, [])

    def test_other_programs_do_not_wake_the_recorder(self):
        def switches():
            text = pathlib.Path(f"/proc/{recorder.pid}/status").read_text()
            return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1])

        recorder = subprocess.Popen([*self.prefix, MPROF, "run", "-C", "-T", "0.1", "-o", self.path,
                                     "sleep", "60"], env=self.environment())
        self.addCleanup(recorder.wait)
        self.addCleanup(recorder.terminate)
        wait_until(lambda: self.path.exists() and len(Recording(self.path).mem) > 3, "samples")
        others, before, samples = 0, switches(), len(Recording(self.path).mem)
        while len(Recording(self.path).mem) < samples + 20 or others <= 20:
            subprocess.run(["true"], check=True)
            others += 1
        ticks = len(Recording(self.path).mem) - samples
        self.assertLess(switches() - before, 2 * ticks + 10)

    def test_threads_are_not_children(self):
        self.write("threads.py", "import threading, time\n"
                   "for n in range(20):\n"
                   "    threading.Thread(target=time.sleep, args=(0.5,)).start()\n")
        recording = self.record("threads.py", flags=("-C", "-M", "-T", "0.02"))
        self.assertEqual(recording.chld, [])
        self.assertEqual(len({pid for pid, _, _ in recording.processes}), 1)

    def test_the_first_thread_may_end_before_the_others(self):
        number = {"x86_64": 60, "aarch64": 93}.get(os.uname().machine)
        if number is None:
            self.skipTest("the number of exit(2) is not known here")
        self.write("first.py", "import ctypes, threading, time, os\n"
                   "b = bytearray(30 << 20)\n"
                   "def rest():\n"
                   "    time.sleep(0.6); os._exit(4)\n"
                   "threading.Thread(target=rest).start()\n"
                   "time.sleep(0.2)\n"
                   f"ctypes.CDLL(None).syscall({number}, 0)\n")
        recording = self.record("first.py", flags=("-C", "-M", "-T", "0.02"))
        self.assertEqual(recording.exits[int(recording.facts["pid"])], ("status", 4))
        self.assertEqual(recording.chld, [])


class ProcessesByScan(Processes):
    prefix = WITHOUT_EVENTS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid() == 0 and not WITHOUT_EVENTS:
            raise unittest.SkipTest("needs setpriv(1)")

    def check_method(self, recording):
        if {"include-children", "multiprocess"} & {
                key for key, value in recording.facts.items() if value == "yes"}:
            self.assertEqual(recording.facts["processes-by"], "scan")

    def test_R13_pids_are_used_again(self):
        """A PID namespace with 400 pids, in which 3,000 processes start and end next to one that stays."""
        # Before Linux 6.14 pid_max applies to the whole machine, and a test must not change it.
        release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
        world = ["unshare", "--pid", "--fork", "--mount-proc"]
        if (release < (6, 14) or not shutil.which("unshare")
                or subprocess.run([*world, "true"], capture_output=True).returncode != 0):
            self.skipTest("no PID namespace with its own pid_max can be made here")
        script = ("echo 400 > /proc/sys/kernel/pid_max || exit 77\n"
                  f"exec {MPROF} run -C -M -T 0.005 -o {self.path} {python()} reuse.py\n")
        self.write("reuse.py", "import os, time\n"
                   "stay = os.fork()\n"
                   "if stay == 0:\n"
                   "    b = bytearray(50 << 20); time.sleep(60); os._exit(0)\n"
                   "time.sleep(0.2)\n"
                   "for n in range(3000):\n"
                   "    pid = os.fork()\n"
                   "    if pid == 0: os._exit(0)\n"
                   "    os.waitpid(pid, 0)\n"
                   "    if n % 100 == 0: time.sleep(0.02)\n"
                   "os.kill(stay, 9)\n"
                   "os.waitpid(stay, 0)\n")
        done = subprocess.run([*world, "sh", "-c", script],
                              capture_output=True, text=True, cwd=self.directory,
                              env=self.environment(), timeout=mprof_test.DEADLINE_S)
        if done.returncode == 77:
            self.skipTest("this kernel has one pid_max for all namespaces")
        self.assertEqual(done.returncode, 0, done.stderr)
        recording = Recording(self.path)
        self.assert_consistent(recording)
        big = {pid for pid, mib, _ in recording.chld if mib > 50}
        self.assertEqual(len(big), 1)
        self.assertEqual(recording.exits[big.pop()][0] in ("signal", "unknown"), True)


if __name__ == "__main__":
    unittest.main()
