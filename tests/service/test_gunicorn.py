"""gunicorn with two gevent workers, recorded with each combination of -M and -C, with and without decorated
handlers, and killed."""

import concurrent.futures
import os
import pathlib
import re
import signal
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "python"))
import ask  # noqa: E402
from mprof_test import PROGRAMS, Recording, TestCase, descendants, wait_until  # noqa: E402
from stack_records import Stacks  # noqa: E402

PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


def rss_mib(pid):
    return int(pathlib.Path("/proc", str(pid), "statm").read_text().split()[1]) * PAGE_MIB


class Service:
    """A recorded gunicorn, ready for requests."""

    def __init__(self, test, application, *options, gunicorn=()):
        self.test = test
        self.path = test.directory / "service.dat"
        self.recorder = test.start_mprof(
            "run", "-T", "0.05", *options, "-o", self.path, "gunicorn", "-c",
            PROGRAMS / "gunicorn_config.py", *gunicorn, application, cwd=PROGRAMS)
        self.address = test.wait_for_output(self.recorder, r"Listening at: (http\S+)")[1]
        wait_until(lambda: self.output().count("Booting worker") == 2, "two workers")
        self.workers = {int(pid) for pid in re.findall(r"pid: (\d+)", self.output())}
        # The pid in brackets of every line of its log is the master's.
        self.master = int(re.search(r"\[(\d+)\] \[INFO\] Listening", self.output())[1])

    def output(self):
        return self.test.output(self.recorder)

    def sampled(self):
        """The pids of the children that were sampled so far."""
        return {pid for pid, _, _ in Recording(self.path).chld}

    def ask(self, count, at_once):
        answers = ask.ask_many(self.address + "/test", count, at_once)
        self.test.assertEqual(answers, [200] * count)

    def ask_until_both_workers_answered(self, name):
        """Sends requests until the growing file has calls of `name` by both workers."""
        def both():
            self.ask(4, 4)
            return {c.pid for c in Recording(self.path).calls_of(name)} >= self.workers
        wait_until(both, f"calls of {name} by both workers")

    def stop(self):
        self.recorder.send_signal(signal.SIGTERM)
        self.test.assertEqual(self.test.wait_for_end(self.recorder), -signal.SIGTERM)
        self.test.assert_no_process_left()
        return Recording(self.path)


class Gunicorn(TestCase):
    def check_flags(self, *options):
        """Records idle workers; returns the last sample, those of the children, and the values in /proc."""
        service = Service(self, "server_plain:app", *options)
        service.ask(4, 2)

        def steady():
            before = [rss_mib(pid) for pid in sorted({service.master} | service.workers)]
            wait_until(lambda n=self.sample_count(service): self.sample_count(service) >= n + 10,
                       "ten more samples")
            after = [rss_mib(pid) for pid in sorted({service.master} | service.workers)]
            return before == after
        wait_until(steady, "memory at rest")
        master = rss_mib(service.master)
        workers = {pid: rss_mib(pid) for pid in service.workers}
        rows = Recording(service.path)
        # The last samples are of the state at rest that was just measured.
        sample = rows.mem[-2][0]
        children = {pid: mib for pid, mib, _ in rows.chld[-4:]}
        recording = service.stop()
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)
        return sample, children, master, workers, recording

    def sample_count(self, service):
        return len(Recording(service.path).mem)

    def test_neither(self):
        sample, children, master, _, recording = self.check_flags()
        self.assertAlmostEqual(sample, master, delta=PAGE_MIB)
        self.assertEqual(recording.chld, [])
        self.assertEqual(children, {})

    def test_multiprocess(self):
        sample, children, master, workers, recording = self.check_flags("-M")
        self.assertAlmostEqual(sample, master, delta=PAGE_MIB)
        self.assert_children(children, workers, recording)

    def test_include_children(self):
        sample, _, master, workers, recording = self.check_flags("-C")
        self.assertAlmostEqual(sample, master + sum(workers.values()), delta=3 * PAGE_MIB)
        self.assertEqual(recording.chld, [])

    def test_both(self):
        sample, children, master, workers, recording = self.check_flags("-C", "-M")
        self.assertAlmostEqual(sample, master + sum(workers.values()), delta=3 * PAGE_MIB)
        self.assert_children(children, workers, recording)

    def assert_children(self, children, workers, recording):
        self.assertEqual(children.keys(), workers.keys())
        for pid, mib in workers.items():
            self.assertAlmostEqual(children[pid], mib, delta=PAGE_MIB)
        # No invented process, no sample without memory.
        self.assertEqual({pid for pid, _, _ in recording.chld}, set(workers))
        self.assertGreater(min(mib for _, mib, _ in recording.chld), 0)

    def test_decorated_handlers_in_both_workers(self):
        for preload in ((), ("--preload",)):
            with self.subTest(gunicorn=preload):
                service = Service(self, "server_profile:app", "-C", "-M", gunicorn=preload)
                service.ask_until_both_workers_answered("test1")
                recording = service.stop()
                self.assertEqual({call.pid for call in recording.calls}, service.workers)
                self.assertEqual({call.level for call in recording.calls_of("delay")}, {1})
                self.assertEqual({call.level for call in recording.calls
                                  if not call.name.endswith("delay")}, {0})
                self.assertFalse([call for call in recording.calls if call.open])
                self.assert_nested(recording.calls)
                self.assert_upstream_reads_the_same(recording)
                self.assert_draws(recording.path)
                self.assert_draws(recording.path, options=["--flame"])

    def test_sampled_stacks_credit_the_handlers(self):
        """Each request takes 2 × 16 MB in its handlers, for less than a sample: not in the hub that switches to it.
        Each handler extends its list by one of 8 MB that it frees at once: a sample may see that, too."""
        expected = 40 * 16e6 / 2**20
        for _ in range(3):  # a recorder that waits for a processor credits some part to what runs later
            service = Service(self, "server_plain:app", "-M", "--stacks", "--stacks-interval", "0.1")
            for _ in range(5):
                service.ask(8, 4)
            recording = service.stop()
            stacks = Stacks(recording)
            handlers = {name: stacks.total[f"server_plain.{name}"].grown for name in ("test1", "test2")}
            if min(handlers.values()) > 0.65 * expected and sum(handlers.values()) > 0.75 * 2 * expected:
                break
        # Regular samples alone credit three quarters to the hub.
        for name, grown in handlers.items():
            self.assertGreater(grown, 0.65 * expected, name)
        self.assertGreater(sum(handlers.values()), 0.75 * 2 * expected)
        self.assertLess(sum(handlers.values()), 1.1 * 1.5 * 2 * expected)
        self.assertLess(stacks.total["gevent.hub.Hub.run"].grown, 0.25 * 2 * expected)
        self.assertEqual({pid for pid, _, node, row in stacks.rows
                          if row.grown > 16 and "server_plain.hello" in stacks.names(node)}, service.workers)
        # bounded: some dozens of records a second
        size = sum(len(line) + 1 for line in recording.lines if line.startswith(("FUNC ", "#STACK|", "#FRAME|")))
        self.assertLess(size / (recording.mem[-1][1] - recording.mem[0][1]), 6000)
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)

    def test_killed_in_the_middle_of_requests(self):
        service = Service(self, "server_hold:app", "-C", "-M")
        service.ask(6, 3)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for _ in range(2):
                pool.submit(ask.ask, service.address + "/hold")
            wait_until(lambda: service.output().count("holding in") == 2, "two requests held")
            holding = [int(p) for p in re.findall(r"holding in (\d+)", service.output())]
            # The master first, so that it starts no other worker.
            for pid in [service.master, *service.workers]:
                os.kill(pid, signal.SIGKILL)
        self.assertEqual(self.wait_for_end(service.recorder), 0)
        self.assert_no_process_left()
        recording = Recording(service.path)
        complete = [call for call in recording.calls if not call.open]
        self.assertEqual(len(complete), 6 * 4)
        held = [call for call in recording.calls if call.open]
        self.assertEqual(sorted(call.pid for call in held), sorted(holding))
        self.assertEqual({call.name.rpartition(".")[2] for call in held}, {"wait_long"})
        self.assertEqual(recording.exits[service.master], ("signal", signal.SIGKILL))
        self.assert_nested(recording.calls)
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)
        self.assert_draws(recording.path, options=["--flame"])

    def test_a_killed_worker_is_replaced_and_recorded(self):
        service = Service(self, "server_profile:app", "-C", "-M")
        victim = min(service.workers)
        wait_until(lambda: victim in service.sampled(), "a sample of the one to be killed")
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: service.output().count("Booting worker") == 3, "a third worker")
        started = {int(pid) for pid in re.findall(r"pid: (\d+)", service.output())}
        service.workers = started - {victim}
        service.ask_until_both_workers_answered("test2")
        recording = service.stop()
        self.assertLessEqual(started, {pid for pid, _, _ in recording.chld})
        self.assertIn(victim, recording.exits)
        # The killed worker has no calls after its end.
        self.assert_nested(recording.calls)
        self.assert_upstream_reads_the_same(recording)
        self.assert_draws(recording.path)


if __name__ == "__main__":
    unittest.main()
