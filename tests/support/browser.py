"""Controls a headless Chromium: pointer, keys, scripts, screenshots.

Uses the WebDriver protocol of chromedriver over plain HTTP, with the standard library alone."""

import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
    "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
    "--disable-domain-reliability", "--disable-features=OptimizationHints,Translate,MediaRouter",
    "--disable-breakpad", "--metrics-recording-only", "--hide-scrollbars", "--font-render-hinting=none",
    "--force-device-scale-factor=1", "--lang=en",
]

# Keys as WebDriver names them.
KEYS = {"Escape": "\ue00c", "Enter": "\ue007", "Tab": "\ue004", "ArrowLeft": "\ue012", "ArrowUp": "\ue013",
        "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Shift": "\ue008", "Control": "\ue009"}


class BrowserError(AssertionError):
    """An error that the driver returned."""


class Browser:
    """One window. All its files are in a temporary folder, which close() removes."""

    def __init__(self, width=1300, height=800, deadline_s=90, arguments=()):
        driver = shutil.which("chromedriver", path="/usr/bin:" + os.environ.get("PATH", ""))
        if not driver:
            raise unittest.SkipTest("chromium-driver is not installed")
        self.folder = tempfile.mkdtemp(prefix="mprof-browser-")
        self.deadline_s = deadline_s
        self.session = None
        environment = {**os.environ, "HOME": self.folder, "XDG_CONFIG_HOME": self.folder,
                       "XDG_CACHE_HOME": self.folder, "TZ": "UTC"}
        self.log = pathlib.Path(self.folder, "driver.log")
        with open(self.log, "wb") as log:
            self.driver = subprocess.Popen([driver, "--port=0"], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=subprocess.STDOUT, env=environment,
                                           start_new_session=True)
        try:
            self.port = self._wait_for_port()
            options = {"args": [*ARGUMENTS, *arguments, f"--window-size={width},{height}",
                                f"--user-data-dir={self.folder}/profile"],
                       "perfLoggingPrefs": {"enableNetwork": True, "enablePage": False}}
            answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}}})
            self.session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.close()
            raise

    def _wait_for_port(self):
        end = time.monotonic() + self.deadline_s
        while time.monotonic() < end:
            match = re.search(r"started successfully on port (\d+)", self.log.read_text(errors="replace"))
            if match:
                return int(match[1])
            if self.driver.poll() is not None:
                break
            time.sleep(0.05)
        raise BrowserError("chromedriver did not start:\n" + self.log.read_text(errors="replace"))

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.deadline_s)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise BrowserError(f"{value['error']}: {value['message'][:2000]}")
        return value

    def ask(self, method, path, body=None):
        return self._ask(method, self.session + path, body)

    def close(self):
        """Ends the browser and the driver, whatever their state."""
        try:
            if self.session:
                self.ask("DELETE", "")
        except (OSError, AssertionError, ValueError):
            pass
        try:
            os.killpg(self.driver.pid, 9)
        except ProcessLookupError:
            pass
        self.driver.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- actions of a reader ---

    def open(self, path):
        self.ask("POST", "/url", {"url": path if re.match("[a-z]+:", str(path)) else pathlib.Path(path).as_uri()})

    def run(self, script, *arguments):
        """The value of a function body of JavaScript; `arguments` are its arguments."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _act(self, *steps):
        self.ask("POST", "/actions", {"actions": [
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
             "actions": list(steps)}]})

    @staticmethod
    def _to(x, y, duration=0):
        return {"type": "pointerMove", "duration": duration, "x": round(x), "y": round(y), "origin": "viewport"}

    def move(self, x, y):
        """Moves the pointer; returns once the page has drawn the result."""
        self._act(self._to(x, y))
        self.settle()

    def settle(self):
        """Waits for two frames: a move is drawn in the next one."""
        self.ask("POST", "/execute/async", {"script": "const done = arguments[0];"
                 "requestAnimationFrame(() => requestAnimationFrame(() => done()));", "args": []})

    def click(self, x, y, times=1):
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act(self._to(x, y), *(press * times))
        self.settle()

    def drag(self, x0, y0, x1, y1):
        self._act(self._to(x0, y0), {"type": "pointerDown", "button": 0}, self._to((x0 + x1) / 2, y1, 20),
                  self._to(x1, y1, 20), {"type": "pointerUp", "button": 0})
        self.settle()

    def drag_with(self, key, x0, y0, x1, y1):
        """Drags while a key is held."""
        pause = {"type": "pause", "duration": 0}
        mouse = [self._to(x0, y0), {"type": "pointerDown", "button": 0}, self._to((x0 + x1) / 2, y1, 20),
                 self._to(x1, y1, 20), {"type": "pointerUp", "button": 0}]
        keys = [{"type": "keyDown", "value": KEYS[key]}] + [pause] * len(mouse) + [{"type": "keyUp", "value": KEYS[key]}]
        self.ask("POST", "/actions", {"actions": [
            {"type": "key", "id": "keys", "actions": keys},
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [pause] + mouse}]})
        self.settle()

    def fingers(self, *paths):
        """Moves each finger from the first to the last place of its path, all at the same time."""
        self.ask("POST", "/actions", {"actions": [
            {"type": "pointer", "id": f"finger{i}", "parameters": {"pointerType": "touch"},
             "actions": [self._to(*path[0]), {"type": "pointerDown", "button": 0},
                         *[self._to(*place, 30) for place in path[1:]], {"type": "pointerUp", "button": 0}]}
            for i, path in enumerate(paths)]})
        self.settle()

    def press(self, *keys):
        """Keys one after the other; "Shift+Tab" holds the first."""
        steps = []
        for key in keys:
            parts = key.split("+") if len(key) > 1 else [key]
            codes = [KEYS.get(part, part) for part in parts]
            steps += [{"type": "keyDown", "value": code} for code in codes]
            steps += [{"type": "keyUp", "value": code} for code in reversed(codes)]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": steps}]})
        self.settle()

    def type(self, text):
        self.press(*text)

    def wheel(self, x, y, delta, *held):
        codes = [KEYS[key] for key in held]
        pause = {"type": "pause", "duration": 0}
        keys = [{"type": "keyDown", "value": code} for code in codes] + [pause]
        keys += [{"type": "keyUp", "value": code} for code in codes]
        self.ask("POST", "/actions", {"actions": [
            {"type": "key", "id": "keys", "actions": keys},
            {"type": "wheel", "id": "wheel", "actions": [pause] * len(codes) + [
                {"type": "scroll", "x": round(x), "y": round(y), "deltaX": 0, "deltaY": delta, "duration": 0,
                 "origin": "viewport"}]}]})
        self.settle()

    def prefer(self, scheme):
        """Sets prefers-color-scheme."""
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))

    # --- results of the page ---

    def messages(self):
        """Messages of the console since the last call."""
        return [f"{entry['level']}: {entry['message']}"
                for entry in self.ask("POST", "/se/log", {"type": "browser"})]

    def requests(self):
        """Addresses requested since the last call."""
        found = []
        for entry in self.ask("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found
