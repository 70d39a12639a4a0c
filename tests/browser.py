"""A real Chromium, driven over the DevTools protocol by a pipe: no library, no port, only the loopback."""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--hide-scrollbars", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--remote-debugging-pipe",
    # Any other host leads nowhere, so that a page which asks elsewhere fails instead of waiting.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)  # fmt: skip
_PATIENCE = 30.0  # seconds


class MovedError(AssertionError):
    """The page went to another address while it was asked: whoever waits for that page asks again."""


class Browser:
    """One running Chromium."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, ours_out = os.pipe()
        self._in, theirs_out = os.pipe()
        theirs_in, theirs_out = _high(theirs_in), _high(theirs_out)
        command = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        arguments = [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._child = subprocess.Popen(
            ["bash", "-c", command, "chromium", *arguments],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._out = ours_out
        self._ids = itertools.count(1)
        self._rest = b""
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **params: Any) -> Any:
        """One command and its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "navigated" in answer.get("error", {}).get("message", ""):
                    raise MovedError(method)
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            more = os.read(self._in, 1 << 20)
            assert more, "the browser has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def page(
        self, url: str, width: int = 1100, height: int = 900, *, dark: bool = False, script: bool = True
    ) -> Page:
        """A new tab that has loaded ``url``."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.events.clear()
        page.call("Page.navigate", url=url)
        page.until_event("Page.loadEventFired")
        return page

    def close(self) -> None:
        """End it."""
        os.close(self._out)
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        os.close(self._in)


def _high(handle: int) -> int:
    """The same pipe under a number that the shell below does not give to another one."""
    moved = fcntl.fcntl(handle, fcntl.F_DUPFD, 20)
    os.close(handle)
    return moved


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser = browser
        self.session = session

    def call(self, method: str, **params: Any) -> Any:
        """One command to this tab."""
        return self.browser.call(method, self.session, **params)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + _PATIENCE
        while not self._is_true(script):
            assert time.monotonic() < deadline, f"never true: {script}"
            time.sleep(0.03)

    def _is_true(self, script: str) -> bool:
        try:
            return bool(self.run(script))
        except MovedError:
            return False

    def until_event(self, method: str) -> None:
        """Wait for an event."""
        deadline = time.monotonic() + _PATIENCE
        while not any(event.get("method") == method for event in self.browser.events):
            assert time.monotonic() < deadline, f"never happened: {method}"
            self.browser.call("Browser.getVersion")  # whatever the page does, this answers
            time.sleep(0.01)

    def fill(self, field: str, text: str) -> None:
        """Put text into a field as typing or pasting does."""
        self.run(f"document.getElementById({json.dumps(field)}).focus()")
        self.run(f"document.getElementById({json.dumps(field)}).select()")
        self.call("Input.insertText", text=text)

    def asked(self) -> list[str]:
        """Every address that was asked for since the page began to load, by the page or anything in it."""
        found = (event for event in self.browser.events if event.get("method") == "Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in found]

    def complaints(self) -> list[str]:
        """What the browser and the page put on the console, and errors nobody caught."""
        said = []
        for event in self.browser.events:
            if event.get("method") == "Log.entryAdded":
                said.append(event["params"]["entry"]["text"])
            elif event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                said.append(json.dumps(event["params"]))
        return said

    def screenshot(self, path: Path) -> bytes:
        """A picture of the whole page, also as a file."""
        data = base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])
        path.write_bytes(data)
        return data


@pytest.fixture(scope="session")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium for all tests of this process."""
    running = Browser(chromium, tmp_path_factory.mktemp("chromium"))
    yield running
    running.close()
