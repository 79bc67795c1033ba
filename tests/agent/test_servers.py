"""Servers with processes, threads, greenlets or an embedded Python: calls of handlers are recorded in every
worker, with the levels of their own request."""

import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from agent_test import PRELOAD, AgentCase, tree  # noqa: E402
from interpreters import IS_MUSL  # noqa: E402
from rings import Rings  # noqa: E402

APPLICATION = """
import os, time
@profile
def fetch():
    time.sleep(0.05)
    return str(os.getpid()).encode()
@profile
def application(environ, start_response):
    body = fetch()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, deadline):
    while True:
        try:
            with contextlib.closing(
                    http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
                connection.request("GET", "/")
                answer = connection.getresponse()
                return answer.status, answer.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


class Servers(AgentCase):
    def serve(self, command, port, requests=12):
        """Runs a server with the agent, sends it concurrent requests; returns the calls."""
        recorder = Rings()
        log = self.directory / "log"
        try:
            with open(log, "wb") as sink:
                server = subprocess.Popen(command, cwd=self.directory, stdout=sink, stderr=sink,
                                          stdin=subprocess.DEVNULL, start_new_session=True,
                                          env=self.environment(**recorder.environment(PRELOAD)))
            try:
                deadline = time.monotonic() + 60
                get(port, deadline)
                answers = []
                threads = [threading.Thread(target=lambda: answers.append(get(port, deadline)))
                           for _ in range(requests)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            finally:
                server.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    server.wait(30)
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(server.pid, signal.SIGKILL)
                server.wait()
        finally:
            calls = recorder.finish()
        self.assertEqual({status for status, _ in answers}, {200}, log.read_text())
        self.assertEqual(len(answers), requests)
        self.check(calls, requests + 1)
        return calls

    def check(self, calls, requests):
        for name, level in (("application", 0), ("fetch", 1)):
            found = [call for call in calls if call.name.endswith("." + name)]
            self.assertEqual(len(found), requests, tree(calls))
            self.assertEqual({call.level for call in found}, {level}, tree(calls))
            self.assertFalse(any(call.open or call.failed for call in found))
        # in one lane of one process calls nest, they do not overlap
        lanes = {}
        for call in calls:
            lanes.setdefault((call.pid, call.lane, call.level), []).append(call)
        for row in lanes.values():
            for before, after in zip(row, row[1:]):
                self.assertLessEqual(before.exit_ns, after.enter_ns)

    def gunicorn(self, *options):
        self.write("app.py", APPLICATION)
        port = free_port()
        return self.serve([sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}",
                           "--graceful-timeout", "5", *options, "app"], port)

    def needs(self, *modules):
        for module in modules:
            try:
                __import__(module)
            except ImportError:
                self.skipTest(f"needs {module}")

    def test_gunicorn_sync(self):
        self.needs("gunicorn")
        for more in ((), ("--preload",)):
            with self.subTest(options=more):
                calls = self.gunicorn("-w", "2", *more)
                self.assertEqual(len({call.pid for call in calls}), 2)

    def test_gunicorn_threads(self):
        self.needs("gunicorn")
        for more in ((), ("--preload",)):
            with self.subTest(options=more):
                calls = self.gunicorn("-w", "2", "-k", "gthread", "--threads", "4", *more)
                self.assertGreater(len({(call.pid, call.lane) for call in calls}), 2)

    def test_gunicorn_gevent(self):
        self.needs("gunicorn", "gevent")
        for more in ((), ("--preload",)):
            with self.subTest(options=more):
                calls = self.gunicorn("-w", "2", "-k", "gevent", *more)
                self.assertGreater(len({(call.pid, call.lane) for call in calls}), 2)
                self.assertLessEqual(len({call.lane for call in calls}), 13)

    def test_gunicorn_eventlet(self):
        self.needs("eventlet", "gunicorn.workers.geventlet")  # not in gunicorn 26
        calls = self.gunicorn("-w", "2", "-k", "eventlet")
        self.assertGreater(len({(call.pid, call.lane) for call in calls}), 2)

    def test_asyncio_server(self):
        """An asyncio server of the standard library, one task per connection."""
        self.write("server.py", """
            import asyncio, signal, sys
            @profile
            async def fetch(): await asyncio.sleep(0.05)
            @profile
            async def application(reader, writer):
                await reader.readuntil(b"\\r\\n\\r\\n")
                await fetch()
                writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
                await writer.drain()
                writer.close()
            async def main():
                stop = asyncio.Event()
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
                server = await asyncio.start_server(application, "127.0.0.1", int(sys.argv[1]))
                await stop.wait()
                server.close()
                await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
            asyncio.run(main())
        """)
        port = free_port()
        calls = self.serve([sys.executable, "server.py", str(port)], port)
        self.assertGreater(len({call.lane for call in calls}), 1)
        self.assertTrue(all(call.lane.startswith("task ") for call in calls), tree(calls))

    def test_threading_server(self):
        self.write("server.py", APPLICATION + """
import socketserver, sys
from wsgiref.simple_server import WSGIServer, make_server
class Server(socketserver.ThreadingMixIn, WSGIServer): daemon_threads = True
make_server("127.0.0.1", int(sys.argv[1]), application, Server).serve_forever()
""")
        port = free_port()
        self.serve([sys.executable, "server.py", str(port)], port)

    @unittest.skipIf(IS_MUSL, "uwsgi is linked to glibc")
    def test_uwsgi(self):
        if not shutil.which("uwsgi"):
            self.skipTest("needs uwsgi")
        self.write("app.py", APPLICATION)
        for more in ((), ("--lazy-apps",), ("--enable-threads", "--threads", "3")):
            with self.subTest(options=more):
                port = free_port()
                self.serve(["uwsgi", "--plugin", "python3", "--http-socket", f"127.0.0.1:{port}",
                            "--wsgi-file", "app.py", "--master", "--processes", "2",
                            "--die-on-term", *more], port)


if __name__ == "__main__":
    unittest.main()
