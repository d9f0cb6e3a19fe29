"""Promise: whatever hangs, hangs in its own class; public reads and /health are answered meanwhile.

"Meanwhile" is judged by those that hang: not one of them is answered yet when the reads are.
"""

import socket
import time
from pathlib import Path

import pytest

from dev.ports import LOOPBACK
from tests.factories import Caller
from tests.patience import HANG_SECONDS
from tests.running_api import RunningApi, running_api
from tests.serving.conftest import BODY_SECONDS, Lock
from tests.serving.mute_server import mute_server
from tests.serving.raw_client import (
    as_json,
    ask,
    is_closed,
    receive,
    request_bytes,
    sent,
    unanswered,
)
from webapp.serving.classes import CONTENTS
from webapp.settings import Settings

MANY = 50
LOGIN, CONTENT = "/api/v1/auth/token", "/api/v1/content"
READS = ("/health", "/api/v1/published/hello", "/api/v1/published")


def reads_are_answered_while(sockets: list[socket.socket], port: int) -> None:
    """Ask every public read three times, and see that all the others still wait."""
    for path in READS * 3:
        assert ask(port, request_bytes("GET", path))[0] == 200
    assert unanswered(sockets) == len(sockets)


def is_in_good_order(api: RunningApi, threads: int) -> None:
    """See that nothing is left of what hung."""
    deadline = time.monotonic() + HANG_SECONDS
    while api.threads() > threads:
        assert time.monotonic() < deadline, (api.threads(), threads)
        time.sleep(0.2)
    assert ask(api.port, request_bytes("POST", LOGIN, b"{}"))[0] == 422


@pytest.mark.parametrize("path", [LOGIN, "/api/v1/published/hello"])
def test_bodies_that_do_not_come_hold_up_nothing_and_end_at_their_deadline(
    api: RunningApi, path: str
) -> None:
    threads = api.threads()
    stalled = [request_bytes("POST", path, b'{"login":', promised=1000)] * MANY
    with sent(api.port, stalled) as sockets:
        reads_are_answered_while(sockets, api.port)
        assert ask(api.port, request_bytes("POST", path, b"{}"))[0] not in {408, 503}
        assert unanswered(sockets) == MANY
        for connection in sockets:
            status, headers, body = receive(connection)
            assert (status, headers["connection"]) == (408, "close")
            assert f"within {BODY_SECONDS} seconds" in body.decode()
            assert is_closed(connection)
    is_in_good_order(api, threads)


def test_a_body_that_trickles_has_the_same_deadline(api: RunningApi) -> None:
    trickling = request_bytes("POST", LOGIN, b'{"login":"', promised=1000)
    with sent(api.port, [trickling]) as (connection,):
        give_up_at = time.monotonic() + HANG_SECONDS
        while not select_readable(connection, 0.5):
            assert time.monotonic() < give_up_at
            connection.sendall(b"a")
        assert receive(connection)[0] == 408


def select_readable(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return False
    finally:
        connection.settimeout(HANG_SECONDS)


def test_logins_that_hang_hold_up_nothing_and_are_refused_in_time(
    api: RunningApi, lock: Lock
) -> None:
    threads = api.threads()
    login = request_bytes("POST", LOGIN, as_json({"login": "nobody", "password": "a" * 12}))
    with lock.on("users"), sent(api.port, [login] * MANY) as sockets:
        reads_are_answered_while(sockets, api.port)
        answers = [receive(connection) for connection in sockets]
    assert {status for status, _, _ in answers} == {503}
    assert all(int(headers["retry-after"]) > 0 for _, headers, _ in answers)
    is_in_good_order(api, threads)


def test_many_logins_at_once_are_all_answered_by_their_password_or_told_to_come_again(
    api: RunningApi, editor: Caller
) -> None:
    logins = [
        request_bytes("POST", LOGIN, as_json({"login": login, "password": "wrong password"}))
        for login in (editor.login, "nobody")
    ]
    with sent(api.port, logins * (MANY // 2)) as sockets:
        for path in READS:
            assert ask(api.port, request_bytes("GET", path))[0] == 200
        answers = [receive(connection) for connection in sockets]
    assert {status for status, _, _ in answers} <= {401, 503}
    assert answers[0][0] == 401
    assert all("retry-after" in headers for status, headers, _ in answers if status == 503)


def test_changes_of_content_that_hang_hold_up_nothing_and_the_surplus_is_refused_at_once(
    api: RunningApi, editor: Caller, lock: Lock
) -> None:
    head = f"Authorization: Bearer {editor.token}"
    change = request_bytes("POST", CONTENT, as_json({"title": "Slow"}), head=head)
    places = CONTENTS.threads + CONTENTS.places
    with lock.on("content"), sent(api.port, [change] * places) as sockets:
        reads_are_answered_while(sockets, api.port)
        status, headers, _ = ask(api.port, change)
        assert (status, headers["connection"]) == (503, "close")
        assert int(headers["retry-after"]) > 0
        assert unanswered(sockets) == places
    status, _, _ = ask(api.port, change)
    while status == 503:
        time.sleep(0.2)
        status, _, _ = ask(api.port, change)
    assert status == 201


def test_hanging_public_reads_leave_health_alone(api: RunningApi, lock: Lock) -> None:
    read = request_bytes("GET", "/api/v1/published/hello")
    with lock.on("publications"), sent(api.port, [read] * MANY) as sockets:
        for _ in range(3):
            assert ask(api.port, request_bytes("GET", "/health"))[0] == 200
        assert unanswered(sockets) == MANY


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_never_answers_holds_up_nothing(
    settings: Settings, editor: Caller, tmp_path: Path, scheme: str
) -> None:
    with mute_server() as broker:
        url = f"{scheme}://{LOOPBACK}:{broker}/0"
        with running_api(settings, tmp_path, IMPRINT_BROKER_URL=url) as api:
            threads = api.threads()
            with sent(api.port, [request_bytes("GET", "/ready")] * MANY) as sockets:
                for path in READS * 3:
                    assert ask(api.port, request_bytes("GET", path))[0] == 200
                answers = [receive(connection) for connection in sockets]
            assert {status for status, _, _ in answers} == {503}
            assert all(b'"broker":false' in body for _, _, body in answers)
            is_in_good_order(api, threads + 1)
