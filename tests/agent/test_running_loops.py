"""mprof attach --functions to programs while they switch between greenlets or tasks: each call has its lane
and level."""

import pathlib
import re
import shutil
import signal
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "python"))
import ask  # noqa: E402
import test_running  # noqa: E402
from mprof_test import descendants, wait_until  # noqa: E402

SHOP = """
import time
def leaf(n):
    time.sleep(0.01)
    return n
def handler(n): return leaf(n) + leaf(n)
def beat(): pass
def application(environ, start_response):
    body = str(handler(1)).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

GEVENT = """
import gevent.monkey; gevent.monkey.patch_all()
import gevent, os, shop
def has_word(word): return os.path.exists(word)
def work():
    while not has_word("check"): assert shop.handler(1) == 2
workers = [gevent.spawn(work) for _ in range(3)]
open("ready", "w").close()
while not has_word("check"): shop.beat(); gevent.sleep(0.01)
gevent.joinall(workers, raise_error=True)
open("over", "w").close()
"""

ASYNC_SHOP = """
import asyncio
async def leaf(n):
    await asyncio.sleep(0.01)
    return n
async def step(n): return await leaf(n)
async def handler(n):
    first = await step(n)
    return first + sum(await asyncio.gather(leaf(n), leaf(n)))
def beat(): pass
"""

ASYNC = """
import asyncio, os, shop
def has_word(word): return os.path.exists(word)
async def work():
    while not has_word("check"): assert await shop.handler(1) == 3
async def main():
    workers = [asyncio.ensure_future(work()) for _ in range(3)]
    open("ready", "w").close()
    while not has_word("check"): shop.beat(); await asyncio.sleep(0.01)
    await asyncio.gather(*workers)
asyncio.run(main())
open("over", "w").close()
"""


class Loops(test_running.Base):
    def enterable(self, *modules):
        chosen = [one for one in test_running.enterable() if not modules or one.has(*modules)]
        if not chosen:
            self.skipTest(f"no interpreter with {', '.join(modules)}")
        return chosen

    def start_loop(self, interpreter, shop, program):
        (self.directory / "shop.py").write_text(shop)
        (self.directory / "program.py").write_text(program)
        for word in ("ready", "check", "over"):
            (self.directory / word).unlink(missing_ok=True)
        process = self.start(interpreter.path, "program.py")
        self.wait_for_word("ready", process)
        return process

    def record(self, process):
        """Attaches until calls of all three workers are recorded; returns the calls that ended."""
        recorder = self.attach(process, patterns=("shop",))

        def seen():
            lanes = re.findall(r"^FUNC shop\.handler .* lane=(\S+)", self.path.read_text(), re.M)
            return len(set(lanes)) == 3 and all(lanes.count(lane) > 2 for lane in lanes)
        wait_until(seen, "calls of every worker")
        return self.ended_calls(recorder)

    def ended_calls(self, recorder):
        """Ends the recorder and returns the ended calls; open calls may contain them."""
        calls = self.finish(recorder).calls
        self.assert_nested(calls)
        for call in calls:
            call.lane = call.lane.replace("\\x20", " ")
        return [call for call in calls if not call.open]

    def lanes(self, calls, name):
        return {call.lane for call in calls if call.name == name}

    def assert_ends_well(self, process):
        self.write_word("check")
        self.wait_for_word("over", process)
        self.assertEqual(self.wait_for_end(process), 0, self.output(process))
        self.assertEqual(self.output(process), "")

    def test_gevent(self):
        lanes = {"greenlet 1", "greenlet 2", "greenlet 3"}
        for interpreter in self.enterable("gevent"):
            with self.subTest(python=str(interpreter)):
                process = self.start_loop(interpreter, SHOP, GEVENT)
                for _ in range(3):  # later rounds find everything loaded
                    calls = self.record(process)
                    self.assertEqual(self.lanes(calls, "shop.handler"), lanes)
                    self.assertEqual({(call.lane, call.level) for call in calls
                                      if call.name == "shop.beat"}, {("", 0)})
                    self.check_leaves(calls, "shop.handler", "shop.leaf")
                self.assert_ends_well(process)

    def check_leaves(self, calls, outer, inner):
        """The first handler of each lane was in flight: the leaves it called have no caller."""
        for lane in self.lanes(calls, outer):
            begun = min(call.enter_s for call in calls if (call.lane, call.name) == (lane, outer))
            levels = {call.name: set() for call in calls if call.lane == lane}
            for call in calls:
                if call.lane == lane and call.enter_s >= begun:
                    levels[call.name].add(call.level)
            self.assertEqual(levels[outer], {0})
            self.assertEqual(levels[inner], {1})
            early = [call for call in calls if (call.lane, call.name) == (lane, inner)
                     and call.enter_s < begun]
            self.assertLessEqual(len(early), 2)

    def test_asyncio(self):
        for interpreter in self.enterable():
            with self.subTest(python=str(interpreter)):
                process = self.start_loop(interpreter, ASYNC_SHOP, ASYNC)
                for _ in range(2):
                    calls = self.record(process)
                    workers = self.lanes(calls, "shop.handler")
                    self.assertEqual(len(workers), 3, workers)
                    for lane in workers:
                        self.assertRegex(lane, r"^task \d+$")
                    self.check_leaves(calls, "shop.handler", "shop.step")
                    levels = {(call.lane in workers, call.name, call.level) for call in calls}
                    self.assertGreaterEqual(levels, {(True, "shop.leaf", 2), (False, "shop.leaf", 0)})
                    waits = [call for call in calls if call.name == "shop.handler"]
                    self.assertTrue(all(0 < call.suspended <= call.seconds for call in waits), waits)
                self.assert_ends_well(process)

    def test_gunicorn(self):
        """A gevent worker of gunicorn, while it handles requests."""
        gunicorn = shutil.which("gunicorn")
        debian = [one for one in self.enterable() if one.has("gevent", "gunicorn")]
        if not gunicorn or not debian:
            self.skipTest("gunicorn with gevent is not installed")
        (self.directory / "shop.py").write_text(SHOP)
        server = self.start(debian[0].path, "-m", "gunicorn", "-k", "gevent", "-w", "1", "-b",
                            "127.0.0.1:0", "--worker-tmp-dir", "/dev/shm", "shop:application")
        address = self.wait_for_output(server, r"Listening at: (http\S+)")[1]
        worker = int(self.wait_for_output(server, r"Booting worker with pid: (\d+)")[1])
        self.assertEqual(ask.ask_many(address, 4, 4), [200] * 4)

        for _ in range(2):
            recorder = self.attach(types.SimpleNamespace(pid=worker), patterns=("shop",))
            self.assertEqual(ask.ask_many(address, 40, 8), [200] * 40)
            calls = self.ended_calls(recorder)
            self.assertEqual(sorted((call.name, call.level) for call in calls),
                             sorted([("shop.application", 0), ("shop.handler", 1), ("shop.leaf", 2),
                                     ("shop.leaf", 2)] * 40))
            for lane in {call.lane for call in calls}:
                self.assertRegex(lane, r"^greenlet \d+$")
            self.assertEqual(ask.ask_many(address, 8, 8), [200] * 8)
        self.assertIn(worker, descendants(server.pid))
        self.assertEqual(self.output(server).count("Booting worker"), 1, self.output(server))
        server.send_signal(signal.SIGTERM)
        self.assertEqual(self.wait_for_end(server), 0, self.output(server))


if __name__ == "__main__":
    unittest.main()
