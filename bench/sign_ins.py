"""What a token adds to a request, and how many sign-ins there are beside bare password hashes."""

import http.client
import json
import time
from collections.abc import Callable
from contextlib import ExitStack

from bench.hanging import WITHOUT_LIMITS
from bench.processes import Program
from bench.reads import WEB, granian
from bench.repeated import a_second
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.ports import LOOPBACK
from webapp.kit.passwords import hash_password, verify_password
from webapp.kit.roles import RoleName
from webapp.services.accounts import accounts
from webapp.serving.classes import PASSWORDS

# Each signs in with an account of its own turn, so that no quota of sessions is reached in a run.
ACCOUNTS = 100
HOLDER = "holder"  # Nobody signs in to it meanwhile, so its session goes on.
PASSWORD = "seven otters sign in at once"
# Half of the clients wait for a turn, so that no thread of the server waits for a client.
CLIENTS = 2 * PASSWORDS.threads
TOKEN_TARGET, SIGN_IN_TARGET = 3.0, 0.85
_TIMEOUT_SECONDS = 30.0
_JSON = {"Content-Type": "application/json"}
_HEALTH, _ACCOUNT = "/health", "/api/v1/accounts/me"


def measure(bed: Testbed, sizes: Sizes) -> list[Result]:
    """Ask for both in turn, round by round, and compare the medians."""
    with bed.database("bench_sign_ins") as url, ExitStack() as stack:
        logins = [f"reader{number}" for number in range(ACCOUNTS)]
        with sessions_on(url).begin() as session:
            for login in (*logins, HOLDER):
                accounts.register(
                    session, login=login, email=f"{login}@example.org", password=PASSWORD,
                    display_name=login, role=RoleName.READER,
                )  # fmt: skip
        server = granian(bed, "web", WEB, url, workers=1, before=WITHOUT_LIMITS)
        web, port = stack.enter_context(server)
        token = _sign_in(http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_SECONDS),
                         HOLDER)  # fmt: skip
        costs: dict[str, list[float]] = {_HEALTH: [], _ACCOUNT: []}
        speeds: dict[str, list[float]] = {"sign-ins": [], "hashes": []}
        for path in costs:  # Connections and plans come into being.
            _cost_of(web, port, path, token, sizes.load_seconds / 2)
        for number in range(sizes.load_rounds):
            bed.say(f"sign-ins: round {number + 1} of {sizes.load_rounds}")
            for path, microseconds in costs.items():
                microseconds.append(_cost_of(web, port, path, token, sizes.load_seconds))
            speeds["hashes"].append(_hashes_a_second(sizes.load_seconds))
            speeds["sign-ins"].append(_sign_ins_a_second(port, logins, sizes.load_seconds))
    return [
        Result("GET /accounts/me: server CPU", median(costs[_ACCOUNT]), "µs",
               median(costs[_HEALTH]), TOKEN_TARGET, target_is_ratio=True,
               note="floor: GET /health; processor time of the web server's process, a request"),
        Result("sign-ins", median(speeds["sign-ins"]), "/s", median(speeds["hashes"]),
               SIGN_IN_TARGET, more_is_better=True, target_is_ratio=True,
               note=f"{CLIENTS} clients, {PASSWORDS.threads} served at once; floor: bare Argon2id "
                    f"verifications on {PASSWORDS.threads} threads"),
    ]  # fmt: skip


def _cost_of(server: Program, port: int, path: str, token: str, seconds: float) -> float:
    """Return the microseconds of processor time that the server takes to answer once."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_SECONDS)
    headers = {"Authorization": f"Bearer {token}"} if path == _ACCOUNT else {}
    before, answers = server.cpu_seconds(), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise BenchError(f"{path} was answered by {answer.status}.")
        answers += 1
    connection.close()
    return (server.cpu_seconds() - before) / answers * 1e6


def _sign_in(connection: http.client.HTTPConnection, login: str) -> str:
    body = json.dumps({"login": login, "password": PASSWORD})
    connection.request("POST", "/api/v1/auth/token", body, _JSON)
    answer = connection.getresponse()
    document = json.loads(answer.read())
    if answer.status != 200:
        raise BenchError(f"A sign-in was answered by {answer.status}: {document}")
    return str(document["access_token"])


def _sign_ins_a_second(port: int, logins: list[str], seconds: float) -> float:
    def client(number: int) -> Callable[[int], None]:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_SECONDS)
        own = logins[number::CLIENTS]

        def sign_in(turn: int) -> None:
            _sign_in(connection, own[turn % len(own)])

        return sign_in

    return a_second([client(number) for number in range(CLIENTS)], seconds)


def _hashes_a_second(seconds: float) -> float:
    password_hash = hash_password(PASSWORD)

    def verify(_turn: int) -> None:
        if not verify_password(password_hash, PASSWORD):
            raise BenchError("A right password was found wrong.")

    return a_second([verify] * PASSWORDS.threads, seconds)
