"""Controls a headless Firefox as browser.py controls Chromium: the same actions, by the same commands.

Debian has no geckodriver, so this speaks Marionette, the protocol that geckodriver translates: WebDriver commands as
JSON with a length, over TCP."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from browser import ELEMENT, Browser, BrowserError

# WebDriver's paths, and the commands of Marionette.
COMMANDS = {
    ("POST", "/url"): "WebDriver:Navigate", ("POST", "/execute/sync"): "WebDriver:ExecuteScript",
    ("POST", "/execute/async"): "WebDriver:ExecuteAsyncScript", ("POST", "/actions"): "WebDriver:PerformActions",
    ("GET", "/screenshot"): "WebDriver:TakeScreenshot", ("POST", "/elements"): "WebDriver:FindElements",
    ("POST", "/frame"): "WebDriver:SwitchToFrame",
}

PREFERENCES = {
    "marionette.port": 0, "browser.shell.checkDefaultBrowser": False, "browser.startup.page": 0,
    "browser.startup.homepage_override.mstone": "ignore", "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False, "app.update.auto": False, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "services.settings.server": "data:,#", "browser.safebrowsing.update.enabled": False,
    "extensions.systemAddon.update.enabled": False, "extensions.getAddons.cache.enabled": False, "dom.disable_open_during_load": False,
    "ui.prefersReducedMotion": 1, "intl.locale.requested": "en-US", "security.fileuri.strict_origin_policy": True,
    "gfx.text.subpixel-position.force-disabled": True, "browser.download.manager.showWhenStarting": False,
    "dom.events.testing.asyncClipboard": True, "dom.w3c_touch_events.enabled": 1,
}

# Errors of scripts and styles since the last call.
MESSAGES = """
const { Services } = globalThis, found = Services.console.getMessageArray().filter(one => one instanceof Ci.nsIScriptError)
    .filter(one => /^(file|http|data|blob):/.test(one.sourceName) && !one.sourceName.includes('favicon'))
    .map(one => one.errorMessage + ' (' + one.sourceName + ':' + one.lineNumber + ')');
Services.console.reset();
return found;
"""


class Firefox(Browser):
    """One window. All its files are in a temporary folder, which close() removes."""

    def __init__(self, width=1300, height=800, deadline_s=90):
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        if not program:
            raise unittest.SkipTest("firefox-esr is not installed")
        self.folder = tempfile.mkdtemp(prefix="mprof-firefox-")
        self.deadline_s, self.session, self.number, self.connection = deadline_s, None, 0, None
        profile = pathlib.Path(self.folder, "profile")
        profile.mkdir()
        (profile / "user.js").write_text("".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()))
        environment = {**os.environ, "HOME": self.folder, "XDG_CONFIG_HOME": self.folder, "XDG_CACHE_HOME": self.folder,
                       "TZ": "UTC", "MOZ_CRASHREPORTER_DISABLE": "1", "MOZ_HEADLESS_WIDTH": str(width),
                       "MOZ_HEADLESS_HEIGHT": str(height + 85)}
        self.log = pathlib.Path(self.folder, "driver.log")
        with open(self.log, "wb") as log:
            self.driver = subprocess.Popen(
                [program, "--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", str(profile),
                 "about:blank"], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment,
                start_new_session=True)
        try:
            self._connect(profile / "MarionetteActivePort")
            self._command("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})
            self.session = "marionette"
            self._command("WebDriver:SetWindowRect", {"width": width, "height": height + 85})
        except BaseException:
            self.close()
            raise

    def _connect(self, port_file):
        end = time.monotonic() + self.deadline_s
        while time.monotonic() < end and self.driver.poll() is None:
            try:
                self.connection = socket.create_connection(("127.0.0.1", int(port_file.read_text())), self.deadline_s)
                self._receive()  # it says what it is
                return
            except (OSError, ValueError):
                time.sleep(0.05)
        raise BrowserError("firefox did not start:\n" + self.log.read_text(errors="replace"))

    def _receive(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.connection.recv(1)
            if not byte:
                raise BrowserError("firefox ended:\n" + self.log.read_text(errors="replace")[-2000:])
            length += byte
        text = b""
        while len(text) < int(length[:-1]):
            text += self.connection.recv(int(length[:-1]) - len(text))
        return json.loads(text)

    def _command(self, name, parameters=None):
        self.number += 1
        text = json.dumps([0, self.number, name, parameters or {}])
        self.connection.sendall(f"{len(text.encode())}:{text}".encode())
        _, _, error, value = self._receive()
        if error:
            raise BrowserError(f"{error['error']}: {error['message'][:2000]}")
        return value.get("value") if isinstance(value, dict) and set(value) == {"value"} else value

    def ask(self, method, path, body=None):
        if (method, path) == ("DELETE", ""):
            return self._command("Marionette:Quit", {"flags": ["eForceQuit"]})
        parameters = dict(body or {})
        if path == "/screenshot":
            parameters = {"full": False}
        elif path == "/frame" and parameters["id"] is not None:
            parameters = {"element": parameters["id"][ELEMENT]}
        return self._command(COMMANDS[method, path], parameters)

    def close(self):
        super().close()
        if self.connection:
            self.connection.close()

    def chrome(self, script, *arguments):
        """The value of a function body that runs in the browser itself."""
        self._command("Marionette:SetContext", {"value": "chrome"})
        try:
            return self.run(script, *arguments)
        finally:
            self._command("Marionette:SetContext", {"value": "content"})

    def prefer(self, scheme):
        self.chrome("Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', arguments[0]);",
                    {"dark": 0, "light": 1}[scheme])

    def messages(self):
        return self.chrome(MESSAGES)

    def requests(self):
        """Not observed here: browser.py does."""
        return []
