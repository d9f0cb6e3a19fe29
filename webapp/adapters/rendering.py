"""Rendering in processes of its own, so that no text can stop the process that asks.

A child has a limit of the processor's time for each text and of memory; one that overruns is ended
and replaced. Children are started at the first use, in the process that uses them, and end with it:
their standard input is a pipe that only this process holds.
"""

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

import structlog

import webapp
from webapp.adapters.rendering_child import (
    BEGUN,
    FAILED,
    HEADER,
    HTML,
    MARKDOWN,
    MEMORY_REFUSAL,
    OUTPUT_REFUSAL,
    REFUSED,
)
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.settings import Settings

log = structlog.get_logger()

ROOT = Path(webapp.__file__).resolve().parents[1]
# Where the machine is so busy that a text gets no processor, waiting ends before a proxy gives up.
WALL_TIMES = 3


class RenderingUnavailableError(Exception):
    """Rendering cannot be done now, for a reason that is not the text; it may be tried again."""


class _NeverBegunError(Exception):
    """A child that was idle ended before it took the text, which had no part in that."""


@dataclass(frozen=True)
class RenderingLimits:
    """What the children of one process may use; the settings of the same names say it."""

    processes: int = 2
    cpu_seconds: int = 15
    memory_bytes: int = 1_073_741_824
    output_bytes: int = 33_554_432
    wait_seconds: float = 10

    @classmethod
    def of(cls, settings: Settings) -> "RenderingLimits":
        """Return the limits in the settings."""
        return cls(
            settings.rendering_processes, settings.rendering_cpu_seconds,
            settings.rendering_memory_bytes, settings.rendering_output_bytes,
            settings.rendering_wait_seconds,
        )  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    """Sanitised HTML and the plain text that it begins with."""

    html: str
    excerpt: str


class _Child:
    """One process that renders."""

    def __init__(self, limits: RenderingLimits) -> None:
        self._limits = limits
        self.process = subprocess.Popen(  # noqa: S603 - constants and numbers
            [
                sys.executable, "-m", "webapp.adapters.rendering_child",
                f"--cpu-seconds={limits.cpu_seconds}",
                f"--memory-bytes={limits.memory_bytes}",
                f"--output-bytes={limits.output_bytes}",
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, bufsize=0,
        )  # fmt: skip

        # Popen has them, because it was asked for pipes.
        self._texts = cast(IO[bytes], self.process.stdin)
        self._answers = cast(IO[bytes], self.process.stdout)
        self._was_idle = False

    def render(self, kind: bytes, text: str) -> Rendered:
        """Render one text; whatever is raised but a refusal in words leaves the child unusable."""
        deadline = time.monotonic() + WALL_TIMES * self._limits.cpu_seconds + 10
        data = text.encode("utf-8", "replace")
        begun = False
        try:
            frame = memoryview(HEADER.pack(kind, len(data), 0) + data)
            while frame:
                frame = frame[self._texts.write(frame) :]
            begun = self._read(HEADER.size, deadline)[:1] == BEGUN
            letter, first, second = HEADER.unpack(self._read(HEADER.size, deadline))
            if first + second > self._limits.output_bytes:
                self.process.kill()  # What it has said stays unread, so no other text may follow.
                raise RenderingRefusedError(OUTPUT_REFUSAL)
            answer = self._read(first + second, deadline)
        except (EOFError, BrokenPipeError):
            if self._was_idle and not begun:
                raise _NeverBegunError from None
            raise self._cause_of_death() from None
        finally:
            self._was_idle = True
        if letter == REFUSED:
            raise RenderingRefusedError(answer.decode())
        if letter == FAILED:
            log.error("rendering.failed", traceback=answer.decode())
            raise RenderingUnavailableError("Rendering failed; it has been noted.")
        return Rendered(answer[:first].decode(), answer[first:].decode())

    def end(self) -> None:
        """Kill the process and wait for it, or close the pipes of one that another started."""
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        """Close the pipes."""
        self._texts.close()
        self._answers.close()

    def _read(self, length: int, deadline: float) -> bytes:
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while length:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    log.warning("rendering.too_slow", process=self.process.pid)
                    raise RenderingUnavailableError("Rendering waited too long for the processor.")
                part = os.read(self._answers.fileno(), min(length, 1_048_576))
                if not part:
                    raise EOFError
                parts.append(part)
                length -= len(part)
        return b"".join(parts)

    def _cause_of_death(self) -> Exception:
        status = self.process.wait()
        if status == -signal.SIGXCPU:
            return RenderingRefusedError(
                f"Rendering the text takes more than {self._limits.cpu_seconds} seconds of the "
                "processor. Make it shorter, or part it."
            )
        if status == -signal.SIGABRT:
            # So ends what is compiled when it gets no memory.
            return RenderingRefusedError(MEMORY_REFUSAL)
        log.error("rendering.process_died", process=self.process.pid, status=status)
        return RenderingUnavailableError("The process that renders died; another takes its place.")


class RenderingProcesses:
    """A few children, each of which renders one text at a time; others wait a bounded time."""

    def __init__(self, limits: RenderingLimits) -> None:
        """Start nothing yet."""
        self.limits = limits
        self._places = threading.BoundedSemaphore(limits.processes)
        self._idle: list[_Child] = []

    def render(self, body_format: Literal["markdown", "html"], text: str) -> Rendered:
        """Render a text. Raises RenderingRefusedError and RenderingUnavailableError."""
        if not self._places.acquire(timeout=self.limits.wait_seconds):
            raise RenderingUnavailableError("Other texts are being rendered.")
        try:
            return self._render(MARKDOWN if body_format == "markdown" else HTML, text)
        finally:
            self._places.release()

    def _render(self, kind: bytes, text: str) -> Rendered:
        while True:
            child = self._take()
            keep = False
            try:
                rendered = child.render(kind, text)
                keep = True
                return rendered
            except RenderingRefusedError:
                keep = child.process.poll() is None
                raise
            except _NeverBegunError:
                # One that was killed while it was idle is replaced without a word to the caller.
                # It may only show now: until its last thread is gone, it passes for running.
                continue
            finally:
                if keep:
                    self._idle.append(child)
                else:
                    child.end()

    def _take(self) -> _Child:
        while True:
            try:
                child = self._idle.pop()
            except IndexError:
                return _Child(self.limits)
            if child.process.poll() is None:
                return child
            child.close()

    def forget(self) -> None:
        """Close the pipes to children that the parent of this process started."""
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """End the idle children."""
        while self._idle:
            self._idle.pop().end()


_limits = [RenderingLimits()]
_of_process: dict[int, RenderingProcesses] = {}


def configure_rendering(settings: Settings) -> None:
    """Set the limits for the children of this process, from the next rendering on."""
    _limits[0] = RenderingLimits.of(settings)
    former = _of_process.get(os.getpid())
    if former is not None and former.limits != _limits[0]:
        _of_process.pop(os.getpid()).close()


def rendering_processes() -> RenderingProcesses:
    """Return the children of this process, after a fork its own."""
    process = os.getpid()
    if process not in _of_process:
        for other in [pid for pid in _of_process if pid != process]:
            _of_process.pop(other).forget()
        _of_process.setdefault(process, RenderingProcesses(_limits[0]))
    return _of_process[process]
