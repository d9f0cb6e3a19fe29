"""Creates and edits of 4 KB over HTTP, against two bare inserts and a commit.

With the folder of another checkout its server is asked in turn with this one's, so that what two
builds do is compared in one run.
"""

import http.client
import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.articles import make_body
from bench.processes import PROJECT, Program
from bench.reads import WEB, granian
from bench.repeated import a_second
from bench.results import Result, median
from bench.sizes import Sizes
from bench.testbed import BenchError, Testbed, sessions_on
from dev.ports import LOOPBACK
from webapp.kit.roles import RoleName
from webapp.services.accounts import accounts

CLIENTS = 4
PASSWORD = "four herons write all day long"
# Nobody writes as much in a day, nor has as many drafts. The quotas are counted all the same.
WITHOUT_END = (
    "env", "IMPRINT_RATE_LIMITS=false", "IMPRINT_QUOTA_DRAFTS=1000000",
    "IMPRINT_QUOTA_SAVES_A_DAY=1000000000", "IMPRINT_QUOTA_BYTES_A_DAY=1000000000000",
)  # fmt: skip
_TIMEOUT_SECONDS = 30.0
_BODIES = 50
_BARE_TABLES = """
    CREATE TABLE bench_items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text,
        slug text, body text, created_at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE bench_texts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item_id bigint,
        number bigint, title text, slug text, body text,
        created_at timestamptz DEFAULT clock_timestamp(), UNIQUE (item_id, number))
"""
_BARE_ITEM = "INSERT INTO bench_items (title, slug, body) VALUES (%s, %s, %s) RETURNING id"
_BARE_TEXT = (
    "INSERT INTO bench_texts (item_id, number, title, slug, body) VALUES (%s, 1, %s, %s, %s)"
)
Task = Callable[[int], None]


@dataclass
class Subject:
    """The server of one checkout, its clients, and what the rounds came to."""

    name: str
    url: str
    server: Program
    clients: list["_Client"]
    creates: list[float] = field(default_factory=list)
    edits: list[float] = field(default_factory=list)
    cpu_microseconds: list[float] = field(default_factory=list)


def measure(bed: Testbed, sizes: Sizes, other: Path | None = None) -> list[Result]:
    """Write by each server in turn, round by round, and compare the medians."""
    folders = {"": PROJECT} if other is None else {"": PROJECT, "_other": other}
    with ExitStack() as stack:
        subjects = [
            stack.enter_context(_serve(bed, f"writes{name}", folder))
            for name, folder in folders.items()
        ]
        url = subjects[0].url
        with psycopg.connect(url) as connection:
            connection.execute(_BARE_TABLES)
        bare = [stack.enter_context(_bare_client(url)) for _ in range(CLIENTS)]
        for subject in subjects:  # Connections, plans and items to edit come into being.
            _take_round(subject, sizes.load_seconds)
            subject.creates, subject.edits, subject.cpu_microseconds = [], [], []
        floors = []
        for number in range(sizes.load_rounds):
            bed.say(f"writes: round {number + 1} of {sizes.load_rounds}")
            floors.append(a_second(bare, sizes.load_seconds))
            for subject in subjects:
                _take_round(subject, sizes.load_seconds)
    return _compare(subjects, median(floors))


def _compare(subjects: list[Subject], floor: float) -> list[Result]:
    note = "floor: two bare INSERTs and a COMMIT; each by four clients on open connections"
    own = subjects[0]
    results = [
        Result("creates of 4 KB", median(own.creates), "/s", floor, note=note),
        Result("edits of 4 KB", median(own.edits), "/s", floor, note=note),
        Result("a create or an edit: server CPU", median(own.cpu_microseconds), "µs",
               note="processor time of the web server's processes"),
    ]  # fmt: skip
    for other in subjects[1:]:
        note = "floor: the other checkout, in turn with this one"
        pairs = (("creates", own.creates, other.creates), ("edits", own.edits, other.edits))
        for name, ours, theirs in pairs:
            results.append(
                Result(f"{name}, to the other's", median(ours), "/s", median(theirs), note=note)
            )
    return results


@contextmanager
def _serve(bed: Testbed, name: str, folder: Path) -> Iterator[Subject]:
    with bed.database(f"bench_{name}") as url, ExitStack() as stack:
        with sessions_on(url).begin() as session:
            for number in range(CLIENTS):
                login = f"writer{number}"
                accounts.register(
                    session, login=login, email=f"{login}@example.org", password=PASSWORD,
                    display_name=login, role=RoleName.AUTHOR,
                )  # fmt: skip
        served = granian(bed, name, WEB, url, before=WITHOUT_END, folder=folder)
        server, port = stack.enter_context(served)
        clients = [_Client(port, number) for number in range(CLIENTS)]
        for client in clients:
            stack.callback(client.close)
        yield Subject(name, url, server, clients)


def _take_round(subject: Subject, seconds: float) -> None:
    before = subject.server.cpu_seconds()
    creates = a_second([client.create for client in subject.clients], seconds)
    edits = a_second([client.edit for client in subject.clients], seconds)
    took = subject.server.cpu_seconds() - before
    subject.creates.append(creates)
    subject.edits.append(edits)
    subject.cpu_microseconds.append(took / ((creates + edits) * seconds) * 1e6)
    # Each round begins with as few drafts as the others, and no table grows from one to the next.
    with psycopg.connect(subject.url, autocommit=True) as connection:
        kept = [client.item_id for client in subject.clients]
        connection.execute("DELETE FROM content WHERE NOT id = ANY (%s)", (kept,))
        connection.execute("DELETE FROM jobs")
        connection.execute("VACUUM ANALYZE")


class _Client:
    """An author who writes on a connection of their own, and edits one item over and over."""

    def __init__(self, port: int, number: int) -> None:
        """Sign in, and make the item."""
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_TIMEOUT_SECONDS)
        self._headers = {"Content-Type": "application/json"}
        chance = random.Random(number)
        self._bodies = [make_body(chance) for _ in range(_BODIES)]
        login = {"login": f"writer{number}", "password": PASSWORD}
        token = self._ask("POST", "/api/v1/auth/token", login)["access_token"]
        self._headers["Authorization"] = f"Bearer {token}"
        made = self._ask("POST", "/api/v1/content", {"title": "Edited", "body": self._bodies[0]})
        self.item_id = int(made["id"])
        self._revision = 1

    def create(self, turn: int) -> None:
        """Make an item."""
        draft = {"title": f"Report {turn} from the harbour", "body": self._bodies[turn % _BODIES]}
        self._ask("POST", "/api/v1/content", draft)

    def edit(self, _turn: int) -> None:
        """Save the item with another text than it has."""
        path, tag = f"/api/v1/content/{self.item_id}", {"If-Match": f'"{self._revision}"'}
        self._ask("PATCH", path, {"body": self._bodies[self._revision % _BODIES]}, tag)
        self._revision += 1

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: dict[str, str], headers: dict[str, str] | None = None
    ) -> dict[str, str]:
        sent = {**self._headers, **(headers or {})}
        self._connection.request(method, path, json.dumps(body), sent)
        answer = self._connection.getresponse()
        document: dict[str, str] = json.loads(answer.read())
        if answer.status not in {200, 201}:
            raise BenchError(f"{method} {path} was answered by {answer.status}: {document}")
        return document


@contextmanager
def _bare_client(url: str) -> Iterator[Task]:
    chance = random.Random(1)
    bodies = [make_body(chance) for _ in range(_BODIES)]
    with psycopg.connect(url) as connection:

        def write(turn: int) -> None:
            text = (f"Report {turn}", f"report-{turn}", bodies[turn % _BODIES])
            row = connection.execute(_BARE_ITEM, text).fetchone()
            assert row is not None
            connection.execute(_BARE_TEXT, (row[0], *text))
            connection.commit()

        yield write
