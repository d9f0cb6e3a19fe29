"""Promises behind a pooler in transaction mode: right answers, every limit kept, or a refusal."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from tests.adapters.pgbouncer import NOT_THERE, PROGRAM, PgBouncer
from tests.chaos.real_worker import running_dispatcher, wait_until
from tests.factories import PASSWORD, make_actor, make_content
from tests.migrations.commands import PROGRAMS, ROOT, environment
from tests.patience import HANG_SECONDS
from webapp.adapters.database import make_engine, plan_listener
from webapp.adapters.database_errors import NEEDS_POOLER_SETTING, describe
from webapp.adapters.readers import ReaderConnections
from webapp.app import create_app
from webapp.bootstrap import make_sessions
from webapp.models import Job
from webapp.settings import Settings
from workers.context import WorkerContext
from workers.startup import check_database

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=NOT_THERE)
CLIENTS, ROUNDS = 6, 30
LIMITS = (
    "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
    " current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone'),"
    " current_setting('transaction_read_only')"
)
Start = Callable[..., PgBouncer]


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start a pooler before the test's own database; it ends with the test."""
    running: list[PgBouncer] = []
    known = Settings(_env_file=None, database_url=database_url).database().parameters
    # Set at the server, where a session of a pooler begins: what is not set anew would show.
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET statement_timeout = '77s'".encode())

    def start_one(extra: str = "") -> PgBouncer:
        pooler = PgBouncer(tmp_path / f"pooler{len(running)}", dict(known), extra)
        pooler.__enter__()
        running.append(pooler)
        return pooler

    yield start_one
    for pooler in running:
        pooler.__exit__(None, None, None)


def through(settings: Settings, pooler: PgBouncer, **more: str) -> Settings:
    """Return the settings of a process behind the pooler."""
    changed = {"database_url": pooler.url, "database_pooler": "transaction", **more}
    return settings.model_copy(update=changed)


def test_every_transaction_has_its_limits(settings: Settings, start: Start) -> None:
    options = "?options=-csearch_path%3Dpublic%20-clock_timeout%3D4s"
    pooler = start()
    there = through(settings, pooler, database_url=pooler.url + options)
    engine, readers = make_engine(there, application_name="web"), ReaderConnections(there)
    for _ in range(8):
        with engine.connect() as connection:
            shown = tuple(connection.execute(text(LIMITS)).one())
            assert shown == ("15s", "4s", "30s", "UTC", "off")
        shown = readers.run(lambda reader: reader.execute(LIMITS).fetchall())[0]
        assert shown == ("15s", "4s", "30s", "UTC", "on")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        readers.run(lambda reader: reader.execute("CREATE TABLE harm ()"))
    assert readers.run(lambda reader: reader.execute("SELECT 1").fetchall()) == [(1,)]
    readers.close()
    engine.dispose()


def test_a_statement_is_cut_off_and_the_next_one_is_not(settings: Settings, start: Start) -> None:
    there = through(settings, start()).model_copy(update={"statement_timeout_seconds": 0.3})
    engine, readers = make_engine(there, application_name="web"), ReaderConnections(there)
    with engine.connect() as connection, pytest.raises(OperationalError):
        connection.execute(text("SELECT pg_sleep(20)"))
    with pytest.raises(psycopg.errors.QueryCanceled):
        readers.run(lambda reader: reader.execute("SELECT pg_sleep(20)"))
    assert readers.run(lambda reader: reader.execute("SELECT 1").fetchall()) == [(1,)]
    readers.close()
    engine.dispose()


def test_many_clients_get_their_own_answers(settings: Settings, start: Start) -> None:
    there = through(settings, start())
    engine, readers = make_engine(there, application_name="web"), ReaderConnections(there)
    together = threading.Barrier(CLIENTS)

    def work(client: int) -> None:
        together.wait(HANG_SECONDS)
        for turn in range(ROUNDS):
            number = 1000 * client + turn
            asked = "SELECT %s::int" if client % 2 else "SELECT %s::text, 'x'"
            row = readers.run(lambda reader: reader.execute(asked, (number,)).fetchone())  # noqa: B023
            assert row == ((number,) if client % 2 else (str(number), "x"))
            with engine.begin() as connection:
                found = connection.execute(text("SELECT :n + 1"), {"n": number}).scalar()
                assert found == number + 1
        readers.close()

    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(work, range(CLIENTS)))
    engine.dispose()


def test_the_api_serves_behind_it(settings: Settings, start: Start) -> None:
    app = create_app(through(settings, start()))
    assert app.context is not None

    def call(number: int) -> None:
        client: FlaskClient = app.test_client()
        login = f"someone{number}"
        account = {"login": login, "email": f"{login}@example.org", "password": PASSWORD}
        assert client.post("/api/v1/accounts", json=account).status_code == 201
        for _ in range(10):
            assert client.get("/api/v1/published").status_code == 200
            assert client.get("/api/v1/published?tag=none").status_code == 200
            assert client.get("/api/v1/published/nothing").status_code == 404
        app.context.readers.close()  # type: ignore[union-attr]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(call, range(4)))
    app.context.engine.dispose()


@pytest.mark.parametrize("extra", ["", "ignore_startup_parameters = options"])
def test_a_pooler_that_nobody_told_of_is_refused(
    settings: Settings, start: Start, extra: str
) -> None:
    there = through(settings, start(extra), database_pooler="none")
    engine, readers = make_engine(there, application_name="web"), ReaderConnections(there)
    with pytest.raises((psycopg.OperationalError, OperationalError)) as refused:
        engine.connect()
    assert NEEDS_POOLER_SETTING in describe(refused.value)
    with pytest.raises(psycopg.OperationalError) as refused_too:
        readers.run(lambda reader: reader.execute("SELECT 1"))
    assert NEEDS_POOLER_SETTING in describe(refused_too.value)
    with pytest.raises(SystemExit, match="IMPRINT_DATABASE_POOLER=transaction"):
        check_database(there)


def test_what_needs_a_session_goes_past_it_or_is_refused(
    settings: Settings, start: Start, database_url: str
) -> None:
    there = through(settings, start())
    assert plan_listener(there) is None
    direct = there.model_copy(update={"database_direct_url": database_url})
    listener = plan_listener(direct)
    assert listener is not None
    assert listener.parameters["port"] not in there.database_url


def test_migrations_want_a_way_past_it(database_url: str) -> None:
    pooled = {"IMPRINT_DATABASE_POOLER": "transaction"}
    refused = upgrade({**environment(database_url), **pooled})
    assert refused.returncode == 1
    assert "IMPRINT_DATABASE_DIRECT_URL" in refused.stderr
    direct = {"IMPRINT_DATABASE_DIRECT_URL": database_url}
    nowhere = environment("postgresql://nobody@127.0.0.1:1/x")
    assert upgrade({**nowhere, **pooled, **direct}).returncode == 0


def upgrade(variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(PROGRAMS / "flask"), "db", "upgrade"],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=HANG_SECONDS,
    )  # fmt: skip


def test_a_dispatcher_that_cannot_listen_polls(
    settings: Settings, start: Start, sessions: sessionmaker[Session], worker: WorkerContext
) -> None:
    there = through(settings, start())
    engine = make_engine(there, application_name="dispatcher")
    context = replace(worker, settings=there, sessions=make_sessions(engine))
    with sessions.begin() as session:
        make_content(session, make_actor(session))
    waiting = select(func.count()).where(Job.state == "ready", Job.dispatched_at.is_(None))

    def is_dispatched() -> bool:
        with sessions() as session:
            return session.scalar(waiting) == 0

    assert not is_dispatched()
    with running_dispatcher(context):
        wait_until(is_dispatched)
    engine.dispose()
