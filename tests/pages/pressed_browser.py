"""A real browser in which a test types and presses, by the DevTools protocol over two pipes."""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = shutil.which("chromium", path="/usr/bin")
PATIENCE_SECONDS = 120
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe",
)  # fmt: skip


class ProtocolError(Exception):
    """The browser could not do what it was told."""


class PressedBrowser:
    """One page of a browser of its own; nothing of it is kept."""

    def __init__(self, folder: Path, *, scripts: bool = True) -> None:
        """Start nothing yet; without `scripts` the browser runs no JavaScript of a page."""
        self._folder = folder
        self._scripts = scripts
        self._number = 0
        self._page: str | None = None
        self._events: list[str] = []
        self._unread = b""

    def __enter__(self) -> "PressedBrowser":
        """Start the browser with an empty page."""
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        profile = f"--user-data-dir={self._folder}"
        # The browser reads at 3 and writes at 4.
        shell = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, str(CHROMIUM), *_OPTIONS, profile, "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._page = attached["sessionId"]
        for domain in ("Page", "DOM"):
            self._call(f"{domain}.enable")
        self._call("Emulation.setScriptExecutionDisabled", value=not self._scripts)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the browser with all its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def open(self, address: str) -> None:
        """Open an address and wait until its page has loaded."""
        self._events.clear()
        self._call("Page.navigate", url=address)
        while "Page.loadEventFired" not in self._events:
            self._read()

    def address(self) -> str:
        """Return the address of the page as the browser shows it."""
        history = self._call("Page.getNavigationHistory")
        return str(history["entries"][history["currentIndex"]]["url"])

    def document(self) -> str:
        """Return what the page has become."""
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        return str(self._call("DOM.getOuterHTML", nodeId=root)["outerHTML"])

    def wait_for(self, words: str) -> str:
        """Wait until the page holds some words and return what it has become."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        document = ""
        while words not in document:
            assert time.monotonic() < deadline, document
            time.sleep(0.1)
            # The page may be replaced by the next one between the two questions.
            with contextlib.suppress(ProtocolError):
                document = self.document()
        return document

    def type(self, selector: str, words: str) -> None:
        """Type into a field."""
        self._call("DOM.focus", nodeId=self._find(selector))
        self._call("Input.insertText", text=words)

    def type_here(self, words: str) -> None:
        """Type into whatever the keyboard is at."""
        self._call("Input.insertText", text=words)

    def prefer(self, scheme: str) -> None:
        """Let the reader prefer light or dark pages."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", features=features)

    def press(self, selector: str) -> None:
        """Press the left button of the mouse in the middle of an element."""
        corners = self._corners(selector)
        place = {"x": (corners[0] + corners[4]) / 2, "y": (corners[1] + corners[5]) / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def run(self, script: str) -> Any:
        """Run a script in the page, as if somebody had pressed a button; returns what it promises.

        Raises ProtocolError for what the script throws.
        """
        answer = self._call("Runtime.evaluate", expression=script, awaitPromise=True,
                            returnByValue=True, userGesture=True)  # fmt: skip
        if "exceptionDetails" in answer:
            raise ProtocolError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    def add_authenticator(self) -> None:
        """Give the browser a device for passkeys, whose owner is there and agrees to everything."""
        self._call("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
            "hasUserVerification": True, "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }  # fmt: skip
        self._call("WebAuthn.addVirtualAuthenticator", options=options)

    def keep_downloads(self, folder: Path) -> None:
        """Let files that a page sends be kept in a folder, without asking."""
        self._call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def press_key(self, key: str, code: str, number: int) -> None:
        """Press a key of the keyboard, such as Tab, and let it go; `number` is its virtual code."""
        text = {"Enter": {"text": "\r"}, " ": {"text": " "}}.get(key, {})
        for kind, more in (("keyDown", text), ("keyUp", {})):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=code,
                       windowsVirtualKeyCode=number, **more)  # fmt: skip

    def width(self) -> tuple[int, int]:
        """Return how wide the window is, and how wide its content."""
        metrics = self._call("Page.getLayoutMetrics")
        return metrics["cssVisualViewport"]["clientWidth"], metrics["cssContentSize"]["width"]

    def left_edge(self, selector: str) -> float:
        """Return how far an element stands from the left edge of the page, in CSS pixels."""
        return self._corners(selector)[0]

    def resize(self, width: int, height: int = 800) -> None:
        """Make the window so wide and high, in CSS pixels."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                   deviceScaleFactor=1, mobile=False)  # fmt: skip

    def photograph(self) -> bytes:
        """Return the window as a PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _corners(self, selector: str) -> list[float]:
        """Return where the corners of an element are, from the upper left one on."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                box = self._call("DOM.getBoxModel", nodeId=self._find(selector))
                return [float(place) for place in box["model"]["border"]]
            except ProtocolError:
                # The page may be replaced by the next one between two questions.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _find(self, selector: str) -> int:
        root = self._call("DOM.getDocument")["root"]["nodeId"]
        found: int = self._call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        assert found, selector
        return found

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._page is not None:
            message["sessionId"] = self._page
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            pass
        if "error" in answer:
            raise ProtocolError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        """Return the next message of the browser, and note the name of an event."""
        while b"\0" not in self._unread:
            readable, _, _ = select.select([self._from], [], [], PATIENCE_SECONDS)
            assert readable, "The browser says nothing."
            part = os.read(self._from, 1 << 20)
            assert part, "The browser has ended."
            self._unread += part
        whole, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(whole)
        if "method" in message:
            self._events.append(message["method"])
        return message
