"""Promise: the bodies that a process holds at once stay within a budget, and none of it is lost.

What is held is asked of the process itself, so nothing here depends on how fast it is.
"""

import time
from contextlib import ExitStack

from tests.serving.raw_client import ask, is_closed, receive, request_bytes, sent, unanswered
from tests.serving.small_app import BUDGET, LARGEST_BODY
from webapp.serving.bodies import BUDGET_BYTES
from webapp.settings import Settings

PATIENCE_SECONDS = 60
# Of the largest body that may come, all but the last byte: it is held until that one is there.
STALLED = request_bytes("POST", "/", b"x" * (LARGEST_BODY - 1), promised=LARGEST_BODY)
MANY = BUDGET // LARGEST_BODY


def held_bytes(port: int) -> int:
    """Return what the process holds of bodies just now."""
    return int(ask(port, request_bytes("GET", "/held-bytes"))[2])


def wait_until_held(port: int, expected: int) -> None:
    """Wait until the process holds so many bytes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (held := held_bytes(port)) != expected:
        assert time.monotonic() < deadline, (held, expected)
        time.sleep(0.05)


def test_a_body_beyond_the_budget_is_told_when_to_come_again(port: int) -> None:
    with sent(port, [STALLED] * MANY) as sockets:
        wait_until_held(port, BUDGET - MANY)
        for _ in range(3):
            with sent(port, [request_bytes("POST", "/", b"x" * (MANY + 1))]) as (connection,):
                status, headers, body = receive(connection)
                assert (status, headers["connection"]) == (503, "close")
                assert int(headers["retry-after"]) > 0
                assert b"Too much is arriving at once" in body
                assert is_closed(connection)
        # What fits is taken, and what needs no room is not asked for any.
        assert ask(port, request_bytes("POST", "/", b"x" * MANY))[0] == 200
        assert ask(port, request_bytes("GET", "/"))[0] == 200
        assert unanswered(sockets) == MANY
        # A refusal has taken nothing, and who gets through gives back what was held.
        wait_until_held(port, BUDGET - MANY)
        sockets[0].sendall(b"x")
        assert receive(sockets[0])[0] == 200
        wait_until_held(port, BUDGET - MANY - (LARGEST_BODY - 1))
        assert ask(port, request_bytes("POST", "/", b"x" * LARGEST_BODY))[0] == 200
    wait_until_held(port, 0)


def test_whatever_becomes_of_a_body_its_room_is_given_back(port: int) -> None:
    too_long = b"POST / HTTP/1.1\r\nHost: imprint\r\nTransfer-Encoding: chunked\r\n\r\n"
    too_long += b"%x\r\n%s\r\n" % (LARGEST_BODY + 1, b"x" * (LARGEST_BODY + 1))
    with ExitStack() as stack:
        # One client goes away in the middle, one sends too much, one waits for a thread in vain.
        stack.enter_context(sent(port, [STALLED]))
        stack.enter_context(sent(port, [request_bytes("GET", "/held")]))
        wait_until_held(port, LARGEST_BODY - 1)
        late = request_bytes("POST", "/held", b"x" * LARGEST_BODY)
        for request, status in ((too_long, 413), (late, 503)):
            (connection,) = stack.enter_context(sent(port, [request]))
            assert receive(connection)[0] == status
        wait_until_held(port, LARGEST_BODY - 1)
    wait_until_held(port, 0)
    assert ask(port, request_bytes("POST", "/release"))[0] == 200


def test_the_api_holds_sixteen_of_the_largest_bodies_at_once() -> None:
    largest: int = Settings.model_fields["max_body_bytes"].default
    assert BUDGET_BYTES == 64 * 1024 * 1024 == 16 * largest
