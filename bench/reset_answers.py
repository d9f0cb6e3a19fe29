"""How long the answer to a reset takes, for addresses of every standing: it must tell of none."""

import http.client
import json
import random
import time
from contextlib import ExitStack

from sqlalchemy.orm import Session

from bench.hanging import WITHOUT_LIMITS
from bench.reads import WEB, granian
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.ports import LOOPBACK
from webapp.kit.roles import RoleName
from webapp.services.accounts import accounts, freezes, standing

UNKNOWN = "unknown"
ACCOUNTS = ("known", "disabled", "frozen")
# A second unknown one shows by how much two medians differ that have no reason to.
CONTROL = "second unknown"
KINDS = (UNKNOWN, *ACCOUNTS, CONTROL)
# The medians of 200 tries each may differ by this much; a network adds more to one request.
TARGET_RATIO = 1.05
_ROUNDS_BEFORE = 20
_TIMEOUT_SECONDS = 30.0


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Ask in turn for each kind of address, in another order at each turn."""
    bed.say(f"reset answers: {sizes.asked_in_turn} of each kind")
    with bed.database("bench_reset_answers") as url, ExitStack() as stack:
        with sessions_on(url).begin() as session:
            _make_accounts(session)
        server = granian(bed, "web", WEB, url, workers=1, before=WITHOUT_LIMITS)
        _, port = stack.enter_context(server)
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_SECONDS)
        stack.callback(connection.close)
        order = random.Random(sizes.asked_in_turn)
        taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for turn in range(_ROUNDS_BEFORE + sizes.asked_in_turn):
            for kind in order.sample(KINDS, len(KINDS)):
                milliseconds = _ask(connection, kind)
                if turn >= _ROUNDS_BEFORE:
                    taken[kind].append(milliseconds)
    medians = {kind: median(milliseconds) for kind, milliseconds in taken.items()}
    return [_compare(kind, medians[kind], medians[UNKNOWN]) for kind in KINDS[1:]]


def _make_accounts(session: Session) -> None:
    for kind in ACCOUNTS:
        account = accounts.register(
            session, login=kind, email=_address(kind), password="a password for the bench",
            display_name=kind, role=RoleName.READER,
        )  # fmt: skip
        accounts.vouch_for_address(session, account)
        if kind == "disabled":
            standing.disable(session, None, account.id, "bench")
        if kind == "frozen":
            freezes.freeze(session, freezes.mint(session, account.id))


def _address(kind: str) -> str:
    return f"{kind.replace(' ', '-')}@example.org"


def _ask(connection: http.client.HTTPConnection, kind: str) -> float:
    body = json.dumps({"email": _address(kind)})
    headers = {"Content-Type": "application/json"}
    began = time.perf_counter()
    connection.request("POST", "/api/v1/auth/password-reset", body, headers)
    answer = connection.getresponse()
    answer.read()
    took = (time.perf_counter() - began) * 1000
    if answer.status != 202:
        raise BenchError(f"A reset of a {kind} address was answered with {answer.status}.")
    return took


def _compare(kind: str, milliseconds: float, unknown: float) -> Result:
    """Set the slower of two medians against the faster one, whichever is which."""
    return Result(
        f"reset of a {kind} address, median",
        max(milliseconds, unknown),
        "ms",
        min(milliseconds, unknown),
        None if kind == CONTROL else TARGET_RATIO,
        target_is_ratio=True,
        note=f"{milliseconds:.2f} ms, and {unknown:.2f} ms of an unknown one",
    )
