"""Promise: what a client sends reaches the application as it was sent, whole, or not at all."""

import http.client
import json
import os
import signal
import threading
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from dev.ports import LOOPBACK
from tests.factories import Caller
from tests.patience import HANG_SECONDS
from tests.running_api import RunningApi, running_api
from tests.serving.conftest import Lock
from tests.serving.raw_client import as_json, ask, is_closed, receive, request_bytes, sent
from webapp.settings import Settings

CONTENT = "/api/v1/content"
LIMIT = 4 * 1024 * 1024


def chunked(path: str, parts: list[bytes], token: str, *, whole: bool = True) -> bytes:
    """Return a request whose body says of itself where it ends."""
    lines = [f"POST {path} HTTP/1.1", "Host: imprint", "Content-Type: application/json"]
    lines += [f"Authorization: Bearer {token}", "Transfer-Encoding: chunked", "", ""]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return "\r\n".join(lines).encode() + body + (b"0\r\n\r\n" if whole else b"")


def titles(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(text("SELECT title FROM content ORDER BY id")))


def test_a_body_in_chunks_is_put_together(
    api: RunningApi, editor: Caller, sessions: sessionmaker[Session]
) -> None:
    status, _, _ = ask(
        api.port, chunked(CONTENT, [b'{"title":', b'"In ', b'parts"}'], editor.token)
    )
    assert status == 201
    assert titles(sessions) == ["Hello", "In parts"]


def test_a_body_that_breaks_off_changes_nothing_even_where_it_could_be_read(
    api: RunningApi, editor: Caller, sessions: sessionmaker[Session]
) -> None:
    whole = as_json({"title": "Cut off"})
    head = f"Authorization: Bearer {editor.token}"
    requests = [
        chunked(CONTENT, [whole], editor.token, whole=False),
        request_bytes("POST", CONTENT, whole, promised=len(whole) + 1, head=head),
    ]
    with sent(api.port, requests):
        time.sleep(0.2)
    for _ in range(5):
        assert ask(api.port, request_bytes("GET", "/health"))[0] == 200
    assert titles(sessions) == ["Hello"]


def test_a_body_over_the_limit_is_refused_however_it_comes(api: RunningApi, editor: Caller) -> None:
    head = f"Authorization: Bearer {editor.token}"
    declared = request_bytes("POST", CONTENT, promised=LIMIT + 1, head=head)
    # The last byte that the server takes is the first one too many.
    in_chunks = chunked(CONTENT, [b" " * 65536] * (LIMIT // 65536) + [b" "], editor.token)
    for request in (declared, in_chunks):
        with sent(api.port, [request]) as (connection,):
            status, _, body = receive(connection)
            assert (status, b'"title":' in body) == (413, True)
            assert is_closed(connection)


def test_a_header_with_underscores_stands_for_no_other(api: RunningApi, editor: Caller) -> None:
    mine = "/api/v1/accounts/me"
    hyphen = request_bytes("GET", mine, head="X-Request-ID: with-hyphens")
    underscore = request_bytes("GET", mine, head="X_Request_ID: with-underscores")
    assert ask(api.port, hyphen)[1]["x-request-id"] == "with-hyphens"
    assert ask(api.port, underscore)[1]["x-request-id"] != "with-underscores"


def test_a_path_arrives_decoded_and_a_query_as_it_was(api: RunningApi) -> None:
    assert ask(api.port, request_bytes("GET", "/api/v1/published/h%65llo"))[0] == 200
    assert ask(api.port, request_bytes("GET", "/api/v1/published/%FF%C3%A9"))[0] == 422
    status, _, body = ask(api.port, request_bytes("GET", "/api/v1/published?limit=1&q=h%65llo"))
    assert (status, b'"slug":"hello"' in body.replace(b" ", b"")) == (200, True)


def test_a_query_may_hold_letters_as_they_are(api: RunningApi) -> None:
    for words in ("hello", "é", "世界", "%C3%A9"):
        answer = ask(api.port, request_bytes("GET", f"/api/v1/published?q={words}"))
        assert (words, answer[0]) == (words, 200)


def test_a_header_beyond_ascii_is_refused_where_it_counts_and_never_left_out(
    api: RunningApi, editor: Caller
) -> None:
    token, path = f"Authorization: Bearer {editor.token}", f"{CONTENT}/1"
    for method, head, status in (
        ("GET", "Authorization: é", 401),
        ("DELETE", f"{token}\r\nIf-Match: é", 412),
        ("POST", f"{token}\r\nIdempotency-Key: é", 400),
        ("GET", f"{token}\r\nUser-Agent: é", 200),
    ):
        target = CONTENT if method == "POST" else path
        answer = ask(api.port, request_bytes(method, target, b"{}", head=head))
        assert (head, answer[0]) == (head, status)


def test_no_client_hides_behind_its_proxy(settings: Settings, tmp_path: Path) -> None:
    credentials = as_json({"login": "nobody", "password": "a wrong one"})
    with running_api(settings, tmp_path, IMPRINT_TRUSTED_PROXIES="1") as api:
        for claim, status in (("é", 400), ("x", 401)):
            head = f"X-Forwarded-For: {claim}, 203.0.113.6"
            request = request_bytes("POST", "/api/v1/auth/token", credentials, head=head)
            assert (claim, ask(api.port, request)[0]) == (claim, status)
        failed = [line for line in api.log.read_text().splitlines() if "login.failed" in line]
    assert [json.loads(line)["address"] for line in failed] == ["203.0.113.6"]


def test_one_connection_serves_many_requests(api: RunningApi) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, api.port, timeout=HANG_SECONDS)
    for method, path, status in (
        ("GET", "/api/v1/published/hello", 200),
        ("HEAD", "/api/v1/published/hello", 200),
        ("POST", "/api/v1/auth/token", 422),
        ("GET", "/nowhere", 404),
        ("GET", "/health", 200),
    ):
        body = "{}" if method == "POST" else None
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert (path, response.status) == (path, status)
        assert bool(response.read()) == (method != "HEAD")
    connection.close()


def test_what_is_under_way_is_answered_before_the_server_stops(
    api: RunningApi, editor: Caller, lock: Lock, sessions: sessionmaker[Session]
) -> None:
    head = f"Authorization: Bearer {editor.token}"
    change = request_bytes("POST", CONTENT, as_json({"title": "Last"}), head=head)
    with sent(api.port, [change]) as (connection,):
        with lock.on("content"):
            wait_for_hanging_statement(sessions)
            os.kill(api.pid, signal.SIGTERM)
            time.sleep(0.5)
        assert receive(connection)[0] == 201
    assert titles(sessions) == ["Hello", "Last"]


def wait_for_hanging_statement(sessions: sessionmaker[Session]) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()"
    )
    for _ in range(300):
        with sessions() as session:
            if session.scalar(waiting):
                return
        threading.Event().wait(0.1)
    raise AssertionError("No statement came to hang.")
