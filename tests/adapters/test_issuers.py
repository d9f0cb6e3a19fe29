"""How an issuer is dealt with: its keys, its clock, and what it may take of a process."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.issuers import RETURN_URL, RunningIssuer, follow, new_keys, running_issuer
from webapp.adapters.issuer_calls import MOST_BYTES, IssuerCalls, IssuerUnavailableError
from webapp.adapters.issuer_exchange import IssuerRefusalError, Proof, SignInIssuer
from webapp.adapters.issuer_facts import KEPT_SECONDS, KEYS_ANEW_SECONDS, LEFT_ALONE_SECONDS
from webapp.kit.issuers import IssuedPerson, Issuer, read_issuers

PEOPLE = {"anna": {"email": "anna@example.org", "email_verified": True, "groups": ["a", "b"]}}
NONCE, VERIFIER = (
    "a nonce of a test",
    "a-verifier-of-a-test-has-43-characters-or-more",
)


class Clock:
    """A clock that stands until it is set forward."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[RunningIssuer]:
    with running_issuer(tmp_path, people=PEOPLE) as issuer:
        yield issuer


def known(setting: dict[str, Any], clock: Clock | None = None) -> SignInIssuer:
    """Return an issuer as a process begins with it."""
    return SignInIssuer(issuer_of(setting), IssuerCalls(), clock or Clock())


def issuer_of(setting: dict[str, Any]) -> Issuer:
    (issuer,) = read_issuers(json.dumps([setting]))
    return issuer


def sign_in(issuer: SignInIssuer, *, later_seconds: int = 0) -> IssuedPerson:
    """Sign in there, and bring the code back at some moment."""
    url = issuer.authorization_url(
        state="a state", nonce=NONCE, code_verifier=VERIFIER, return_url=RETURN_URL
    )
    came_back = follow(url, "anna")
    return issuer.identify(
        Proof(
            code=came_back["code"],
            code_verifier=VERIFIER,
            nonce=NONCE,
            return_url=RETURN_URL,
            said_issuer=came_back["iss"],
            now=int(time.time()) + later_seconds,
        )
    )


def test_a_person_is_told_with_their_groups(issuer: RunningIssuer) -> None:
    person = sign_in(known(issuer.setting(role_of_group={"a": "author"})))
    assert (person.subject, person.email, person.has_verified_email, person.groups) == (
        "anna", "anna@example.org", True, frozenset({"a", "b"}),
    )  # fmt: skip
    assert "anna@example.org" not in repr(person)


@pytest.mark.parametrize("later_seconds", [601 + 60, -120])
def test_a_token_that_has_expired_or_is_yet_to_be_issued_proves_nobody(
    issuer: RunningIssuer, later_seconds: int
) -> None:
    with pytest.raises(IssuerRefusalError, match=r"ExpiredTokenError|iat"):
        sign_in(known(issuer.setting()), later_seconds=later_seconds)


def test_clocks_may_differ_by_half_a_minute(issuer: RunningIssuer) -> None:
    assert sign_in(known(issuer.setting()), later_seconds=-30).subject == "anna"


def test_a_new_key_is_found_at_once_and_asked_for_once_a_minute(issuer: RunningIssuer) -> None:
    clock = Clock()
    company = known(issuer.setting(), clock)
    assert sign_in(company).subject == "anna"
    for _ in range(2):
        issuer.stop()
        issuer.keys = new_keys()
        issuer.start()
        clock.seconds += KEYS_ANEW_SECONDS
        assert sign_in(company).subject == "anna"
    issuer.stop()
    issuer.keys = new_keys()
    issuer.start()
    clock.seconds += KEYS_ANEW_SECONDS - 1
    with pytest.raises(IssuerRefusalError, match="InvalidKeyIdError"):
        sign_in(company)


def test_what_an_issuer_said_is_used_for_an_hour_and_no_longer(
    issuer: RunningIssuer,
) -> None:
    clock = Clock()
    company = known(issuer.setting(), clock)
    assert sign_in(company).subject == "anna"
    issuer.stop()
    clock.seconds += KEPT_SECONDS - 1
    asked_before = company.authorization_url(
        state="s", nonce=NONCE, code_verifier=VERIFIER, return_url=RETURN_URL
    )
    assert asked_before.startswith(issuer.url)
    clock.seconds += 1
    with pytest.raises(IssuerUnavailableError):
        company.authorization_url(
            state="s", nonce=NONCE, code_verifier=VERIFIER, return_url=RETURN_URL
        )


def test_an_issuer_that_calls_itself_otherwise_is_not_the_one(issuer: RunningIssuer) -> None:
    with pytest.raises(IssuerUnavailableError, match="calls itself by another url"):
        sign_in(known(issuer.setting(url=f"{issuer.url}/")))
    with pytest.raises(IssuerUnavailableError, match="calls itself by another url"):
        sign_in(known(issuer.setting(url=issuer.url.replace("127.0.0.1", "localhost"))))


def test_a_token_for_another_client_proves_nobody_here(issuer: RunningIssuer) -> None:
    company = known(issuer.setting())
    other = known(issuer.setting(client_id="imprint-post"))
    url = other.authorization_url(
        state="s", nonce=NONCE, code_verifier=VERIFIER, return_url=RETURN_URL
    )
    came_back = follow(url, "anna")
    proof = Proof(came_back["code"], VERIFIER, NONCE, RETURN_URL, issuer.url, int(time.time()))
    with pytest.raises(IssuerRefusalError, match="invalid_grant"):
        company.identify(proof)


@contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[str, list[str]]]:
    """Run a server of HTTP that answers so; gives its URL, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer(self)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(MOST_BYTES // 1024 + 1):
        handler.wfile.write(b" " * 1024)


def _packed(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()


def _elsewhere(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:9/")
    handler.end_headers()


def _words(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"[1]")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_endless, "more than"),
        (_packed, "packs its answer"),
        (_elsewhere, "answers 302"),
        (_words, "no JSON object"),
    ],
)
def test_what_no_issuer_answers_is_refused_and_it_is_left_alone_for_a_while(
    answer: Callable[[BaseHTTPRequestHandler], None], said: str
) -> None:
    clock = Clock()
    with answering(answer) as (url, asked):
        setting = {
            "name": "x", "url": url, "client_id": "imprint", "return_urls": [RETURN_URL],
        }  # fmt: skip
        company = known(setting, clock)
        for expected in (said, "a moment ago"):
            with pytest.raises(IssuerUnavailableError, match=expected):
                sign_in(company)
        assert len(asked) == 1
        clock.seconds += LEFT_ALONE_SECONDS
        with pytest.raises(IssuerUnavailableError, match=said):
            sign_in(company)
        assert len(asked) == 2


def test_an_issuer_that_hangs_takes_two_threads_at_most(tmp_path: Path) -> None:
    """What waits beyond is refused while the two still hang."""
    released = threading.Event()

    def hang(_handler: BaseHTTPRequestHandler) -> None:
        released.wait()

    with answering(hang) as (url, asked):
        setting = {
            "name": "x", "url": url, "client_id": "imprint", "return_urls": [RETURN_URL],
        }  # fmt: skip
        calls, issuer = IssuerCalls(), issuer_of(setting)
        refused: list[str] = []

        def ask() -> None:
            try:
                with calls.client(issuer) as client:
                    client.request("GET", url, withhold_token=True)
            except IssuerUnavailableError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        released.set()
    assert len(asked) == 2
    assert sorted(refused) == [
        "cannot be reached: ReadTimeout",
        "cannot be reached: ReadTimeout",
        "is asked by as many requests already as may wait for it",
    ]
