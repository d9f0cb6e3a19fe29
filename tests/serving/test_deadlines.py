"""Promise: every request is answered in time, and the answer says truly whether it was begun."""

import time

from tests.serving.raw_client import ask, is_closed, receive, request_bytes, sent

ROUNDS, AT_ONCE = 3, 150


def begun(port: int) -> set[str]:
    """Return the names of the requests that the application has begun."""
    return set(ask(port, request_bytes("GET", "/begun"))[2].decode().split())


def test_an_answer_that_takes_too_long_is_given_up_and_its_thread_comes_back(port: int) -> None:
    with sent(port, [request_bytes("GET", "/held?first")]) as (first,):
        while not begun(port):
            time.sleep(0.05)
        with sent(port, [request_bytes("GET", "/held?second")]) as (second,):
            status, headers, body = receive(second)
            assert (status, b"nothing was done" in body) == (503, True)
            assert int(headers["retry-after"]) > 0
        status, headers, body = receive(first)
        assert (status, headers["connection"]) == (503, "close")
        assert b"may have happened" in body
        # Who tries again might do it twice, so nobody is asked to.
        assert "retry-after" not in headers
        assert is_closed(first)
    # What was given up hangs still, and with it the only thread of its class.
    assert ask(port, request_bytes("GET", "/held?third"))[0] == 503
    assert ask(port, request_bytes("GET", "/release"))[0] == 200
    assert ask(port, request_bytes("GET", "/held?fourth"))[0] == 200
    assert begun(port) == {"first", "fourth"}


def test_who_is_told_that_nothing_was_done_can_believe_it(port: int) -> None:
    """Many requests come up for a thread at the very moment at which they are given up."""
    statuses: dict[str, int] = {}
    for number in range(ROUNDS):
        names = [f"{number}-{each}" for each in range(AT_ONCE)]
        with sent(port, [request_bytes("GET", f"/short?{name}") for name in names]) as sockets:
            for name, connection in zip(names, sockets, strict=True):
                statuses[name], headers, body = receive(connection)
                assert statuses[name] == 200 or b"nothing was done" in body
                assert (statuses[name] == 200) == ("retry-after" not in headers)
    assert set(statuses.values()) == {200, 503}
    assert begun(port) == {name for name, status in statuses.items() if status == 200}
