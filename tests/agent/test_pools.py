"""Pools of worker processes of celery and pytest-xdist."""

import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import AgentCase, on_each_interpreter  # noqa: E402

TASKS = """
import os
import celery
app = celery.Celery("tasks", broker="filesystem://")
app.conf.update(broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue"},
                worker_hijack_root_logger=False, broker_connection_retry_on_startup=True)
@profile
def step(n): return n + 1
@app.task
@profile
def work(n):
    result = step(step(n))
    open(f"done-{n}", "w").close()
    return result
"""

# A worker with a pool of two, some tasks, and a regular shutdown.
DRIVER = """
import os, signal, subprocess, sys, time
os.makedirs("queue", exist_ok=True)
worker = subprocess.Popen([sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool", "prefork",
                           "--concurrency", "2", "--without-gossip", "--without-mingle",
                           "--without-heartbeat", "--loglevel", "error"],
                          stdout=subprocess.DEVNULL, stderr=open("log", "w"))
from tasks import work
for n in range(6): work.delay(n)
end = time.monotonic() + 100
while not all(os.path.exists(f"done-{n}") for n in range(6)):
    assert worker.poll() is None and time.monotonic() < end, open("log").read()
    time.sleep(0.05)
worker.terminate()
worker.wait(60)
"""

TESTS = """
import pytest
@profile
def work(n): return n
@pytest.mark.parametrize("n", range(8))
def test(n): assert work(n) == n
"""


class Pools(AgentCase):
    @on_each_interpreter("celery")
    def test_celery(self, interpreter):
        self.write("tasks.py", TASKS)
        for path in self.directory.glob("done-*"):
            path.unlink()
        done = self.run_agent(interpreter, self.write("driver.py", DRIVER),
                              env={"C_FORCE_ROOT": "1", "PYTHONPATH": str(self.directory)})
        self.assertEqual(done.err, "")
        calls = types.SimpleNamespace(
            work=[call for call in done.calls if call.name == "tasks.work"],
            step=[call for call in done.calls if call.name == "tasks.step"])
        self.assertEqual((len(calls.work), len(calls.step)), (6, 12), done.tree)
        self.assertEqual({call.level for call in calls.work}, {0})
        self.assertEqual({call.level for call in calls.step}, {1})
        self.assertFalse(any(call.open or call.failed for call in done.calls), done.tree)
        # billiard names its processes as multiprocessing does
        self.assertEqual(sorted(done.names.values()), ["ForkPoolWorker-1", "ForkPoolWorker-2"])

    @on_each_interpreter("xdist", "pytest")
    def test_xdist(self, interpreter):
        done = self.run_agent(interpreter, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider",
                              self.write("test_many.py", TESTS))
        self.assertIn("8 passed", done.out)
        self.assertEqual([call.name for call in done.calls], ["test_many.work"] * 8)
        self.assertEqual(len({call.pid for call in done.calls}), 2)
        self.assertFalse(any(call.open for call in done.calls))


if __name__ == "__main__":
    unittest.main()
