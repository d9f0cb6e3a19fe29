"""Rendering in child processes: what overruns is refused, what dies is replaced, nothing leaks."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.patience import HANG_SECONDS
from webapp.adapters import rendering_child
from webapp.adapters.rendering import (
    ROOT,
    RenderingLimits,
    RenderingProcesses,
    RenderingUnavailableError,
)
from webapp.kit.rendering.refusals import RenderingRefusedError

# Plain prose that takes the processor some ten seconds.
LONG = ("*some* words of `prose` and [more](/x)\n" * 40 + "\n") * 1200


@pytest.fixture
def started() -> Iterator[Callable[[RenderingLimits], RenderingProcesses]]:
    """Starts processes that end with the test."""
    all_started: list[RenderingProcesses] = []

    def start(limits: RenderingLimits) -> RenderingProcesses:
        all_started.append(RenderingProcesses(limits))
        return all_started[-1]

    yield start
    for processes in all_started:
        processes.close()


Start = Callable[[RenderingLimits], RenderingProcesses]


def _children_of(process: int) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(process).children()
        if "webapp.adapters.rendering_child" in child.cmdline()
    ]


def _wait_until(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + HANG_SECONDS
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.02)


def test_a_text_that_takes_too_long_is_refused_and_the_next_is_rendered(started: Start) -> None:
    processes = started(RenderingLimits(cpu_seconds=1))
    assert processes.render("markdown", "*a*").html == "<p><em>a</em></p>\n"
    with pytest.raises(RenderingRefusedError, match="more than 1 seconds of the processor"):
        processes.render("markdown", LONG)
    assert processes.render("html", "<p>b<script>x</script>").html == "<p>b</p>"


def test_a_text_that_takes_too_much_memory_is_refused(started: Start) -> None:
    processes = started(RenderingLimits(memory_bytes=268_435_456, cpu_seconds=60))
    with pytest.raises(RenderingRefusedError, match="memory"):
        processes.render("markdown", "a\n\n" * 600_000)
    assert processes.render("markdown", "b").excerpt == "b"


def test_a_page_beyond_the_output_limit_is_refused(started: Start) -> None:
    processes = started(RenderingLimits(output_bytes=1000))
    with pytest.raises(RenderingRefusedError, match="longer than it may"):
        processes.render("markdown", "word " * 400)
    assert processes.render("markdown", "b").excerpt == "b"


def test_what_the_renderer_refuses_comes_with_its_sentence(started: Start) -> None:
    processes = started(RenderingLimits())
    before = {child.pid for child in _children_of(os.getpid())}
    with pytest.raises(RenderingRefusedError, match="Close them where they end"):
        processes.render("html", "<div>" * 5000)
    [child] = [child for child in _children_of(os.getpid()) if child.pid not in before]
    assert processes.render("html", "a").html == "a"
    assert child.is_running()


def test_a_child_killed_while_idle_is_replaced_in_silence(started: Start) -> None:
    before = {child.pid for child in _children_of(os.getpid())}
    processes = started(RenderingLimits())
    processes.render("markdown", "a")
    [child] = [child for child in _children_of(os.getpid()) if child.pid not in before]
    child.kill()
    _wait_until(lambda: child.status() == psutil.STATUS_ZOMBIE)
    assert processes.render("markdown", "b").excerpt == "b"


def test_a_child_that_is_ending_is_replaced_in_silence(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = started(RenderingLimits())
    processes.render("markdown", "a")
    [child] = processes._idle
    child.process.kill()
    os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOWAIT)
    # So its parent sees it for a moment: until its last thread is gone, it cannot be waited for.
    monkeypatch.setattr(child.process, "poll", lambda: None)
    assert processes.render("markdown", "b").excerpt == "b"
    assert child not in processes._idle


def test_a_child_killed_at_work_and_a_queue_that_is_full_can_be_tried_again(started: Start) -> None:
    before = {child.pid for child in _children_of(os.getpid())}
    processes = started(RenderingLimits(processes=1, wait_seconds=0.05, cpu_seconds=60))
    raised: list[Exception] = []

    def render_long() -> None:
        try:
            processes.render("markdown", LONG)
        except RenderingUnavailableError as error:
            raised.append(error)

    thread = threading.Thread(target=render_long)
    thread.start()
    _wait_until(lambda: {child.pid for child in _children_of(os.getpid())} - before)
    [child] = [child for child in _children_of(os.getpid()) if child.pid not in before]
    with pytest.raises(RenderingUnavailableError, match="Other texts"):
        processes.render("markdown", "a")
    child.kill()
    thread.join(HANG_SECONDS)
    assert "died" in str(raised[0])
    assert processes.render("markdown", "b").excerpt == "b"


PARENT = """
import sys
from webapp.adapters.rendering import RenderingLimits, RenderingProcesses
processes = RenderingProcesses(RenderingLimits(cpu_seconds=60))
processes.render("markdown", "a")
print("idle", flush=True)
if sys.argv[1] == "busy":
    processes.render("markdown", sys.stdin.read())
sys.stdin.read()
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_children_end_when_their_parent_is_killed(state: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, state],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdin, parent.stdout:
        assert parent.stdout.readline() == b"idle\n"
        [child] = _children_of(parent.pid)
        if state == "busy":
            used = child.cpu_times().user
            parent.stdin.write(LONG.encode())
            parent.stdin.close()
            _wait_until(lambda: child.cpu_times().user > used + 0.3)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def _render_in_fork(processes: RenderingProcesses, answers: "multiprocessing.Queue[str]") -> None:
    from_fork = RenderingProcesses(RenderingLimits())
    answers.put(from_fork.render("markdown", "fork").excerpt)
    from_fork.close()


def test_a_fork_has_children_of_its_own(started: Start) -> None:
    processes = started(RenderingLimits())
    processes.render("markdown", "a")
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    forked = context.Process(target=_render_in_fork, args=(processes, answers))
    forked.start()
    assert answers.get(timeout=HANG_SECONDS) == "fork"
    forked.join(HANG_SECONDS)
    assert forked.exitcode == 0
    assert processes.render("markdown", "b").excerpt == "b"


def test_what_is_told_of_a_defect_holds_no_word_of_the_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(words: str) -> str:
        raise KeyError(words)

    monkeypatch.setattr(rendering_child, "render", fail)
    letter, told, _ = rendering_child._answer(rendering_child.MARKDOWN, "a secret draft")
    assert letter == rendering_child.FAILED
    assert b"rendering_child.py" in told
    assert told.endswith(b"KeyError")
    assert b"a secret draft" not in told
