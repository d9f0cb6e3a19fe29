"""Promise: a process of several does not outlive its killed main process."""

import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from bench.testbed import listens
from dev.ports import LOOPBACK, free_port
from tests.chaos.real_worker import real_worker, wait_until
from tests.factories import Caller
from tests.patience import HANG_SECONDS
from tests.running_api import RunningApi, children_of, is_well, running_api
from webapp.settings import Settings


def is_there(pid: int) -> bool:
    """Say whether a process still runs; one that nobody waits for is no longer there.

    Its first thread may have ended before the others, with which it holds its sockets.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    state, threads = fields[0], int(fields[17])
    return state != "Z" or threads > 1


def wait_for_end(pids: list[int]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while left := [pid for pid in pids if is_there(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.chaos
def test_a_killed_web_server_leaves_its_port_to_the_next_one(
    settings: Settings, editor: Caller, tmp_path: Path
) -> None:
    port = free_port()
    with running_api(settings, tmp_path, port=port) as first:
        workers = first.workers()
        assert workers
        with socket.create_connection((LOOPBACK, port)):
            os.kill(first.pid, signal.SIGKILL)
            wait_for_end(workers)
            # A process that has ended lets go of its sockets with the last of its threads.
            wait_until(lambda: not listens(port))
    with running_api(settings, tmp_path, port=port) as second:
        assert second.workers() != workers
        assert is_well(port)
    assert not is_well(port)


@pytest.mark.chaos
def test_a_killed_worker_leaves_no_child_behind(settings: Settings, tmp_path: Path) -> None:
    with real_worker(settings, "mail", tmp_path, processes=2) as worker:
        children = children_of(worker.pid)
        assert len(children) == 2
        os.kill(worker.pid, signal.SIGKILL)
        wait_for_end(children)


@pytest.mark.chaos
def test_of_two_web_servers_on_one_port_the_other_goes_on_when_one_is_killed(
    settings: Settings, editor: Caller, tmp_path: Path
) -> None:
    """As while a new release takes over from an old one."""
    port = free_port()
    (tmp_path / "second").mkdir()
    with (
        running_api(settings, tmp_path, port=port) as first,
        running_api(settings, tmp_path / "second", port=port) as second,
    ):
        wait_until(lambda: listens_itself(second, port))
        killed, left = first.workers(), second.workers()
        os.kill(first.pid, signal.SIGKILL)
        wait_for_end(killed)
        assert all(is_well(port) for _ in range(20))
        assert second.workers() == left


def listens_itself(api: RunningApi, port: int) -> bool:
    """Say whether the processes of one of two servers accept connections on their port."""
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for pid in api.workers()
        for connection in psutil.Process(pid).net_connections("tcp")
    )
