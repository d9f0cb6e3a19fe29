"""The promise of a failover, kept on two real servers: a primary that dies, and its standby."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient

from dev.identity import choose_identity
from dev.ports import LOOPBACK, free_port
from dev.postgres import PostgresServer
from dev.postgres_data import find_programs
from dev.process import TetheredProcess, log_tail
from tests.api.operations.test_failover import ready_faults
from tests.factories import PASSWORD
from tests.migrations.commands import run
from tests.patience import HANG_SECONDS
from webapp.app import create_app
from webapp.settings import Settings


class Standby:
    """A hot standby of a primary, on a copy of its data."""

    def __init__(self, primary: PostgresServer, folder: Path) -> None:
        """Copy the data and start."""
        self.port = free_port()
        self.url = primary.url("imprint").replace(f":{primary.port}/", f":{self.port}/")
        programs = find_programs()
        folder.mkdir(mode=0o700)
        identity = choose_identity(programs / "postgres", folder)
        identity.own(folder)
        copy = [str(programs / "pg_basebackup"), "-D", str(folder), "-R", "-c", "fast", "-d"]
        subprocess.run([*identity.prefix, *copy, primary.url("postgres")], check=True, cwd="/")
        log = folder.with_suffix(".log")
        options = ["-c", f"port={self.port}", "-c", f"listen_addresses={LOOPBACK}"]
        options += ["-c", "unix_socket_directories=", "-c", "max_connections=200"]
        self._process = TetheredProcess(
            [*identity.prefix, str(programs / "postgres"), "-D", str(folder), *options],
            log_path=log,
            farewell=signal.SIGQUIT,
        )
        self._wait_until("SELECT pg_is_in_recovery()", log)

    def promote(self) -> None:
        """Make it the primary."""
        self._ask("SELECT pg_promote()")

    def stop(self) -> None:
        """End it at once."""
        self._process.end(signal.SIGQUIT, HANG_SECONDS)

    def _wait_until(self, question: str, log: Path) -> None:
        deadline = time.monotonic() + HANG_SECONDS
        while True:
            try:
                assert self._ask(question)
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, log_tail(log)
                time.sleep(0.1)
            else:
                return

    def _ask(self, question: str) -> bool:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(question.encode()).fetchone()
            return row is not None and bool(row[0])


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[PostgresServer, Standby]]:
    """A primary with all migrations, and its standby."""
    chosen = os.environ.get("IMPRINT_TEST_POSTGRES_BIN")
    if chosen:
        pytest.skip("The standby is made with the programs of the wheel.")
    with PostgresServer(tmp_path / "primary", durable=False) as primary:
        primary.create_database("imprint")
        assert run(["flask", "db", "upgrade"], primary.url("imprint")).returncode == 0
        standby = Standby(primary, tmp_path / "standby")
        yield primary, standby
        standby.stop()


def register(client: FlaskClient, login: str) -> int:
    account = {"login": login, "email": f"{login}@example.org", "password": PASSWORD}
    answer = client.post("/api/v1/accounts", json=account)
    assert answer.status_code == 201 or answer.headers["Retry-After"]
    return answer.status_code


def test_the_api_follows_the_writes_to_the_standby_that_is_promoted(
    servers: tuple[PostgresServer, Standby], settings: Settings
) -> None:
    primary, standby = servers
    both = primary.url("imprint").replace(
        f":{primary.port}/", f":{primary.port},{LOOPBACK}:{standby.port}/"
    )
    url = f"{both}?target_session_attrs=read-write"
    app = create_app(settings.model_copy(update={"database_url": url}))
    client = app.test_client()
    assert register(client, "before") == 201
    primary.crash()
    assert register(client, "during") == 503
    assert ready_faults(client)
    standby.promote()
    assert register(client, "after") == 201
    assert client.get("/api/v1/published").status_code == 200
    assert ready_faults(client) == []
    assert app.context is not None
    app.context.readers.close()
    app.context.engine.dispose()


def test_a_standby_says_that_it_is_one_until_it_is_promoted(
    servers: tuple[PostgresServer, Standby], settings: Settings
) -> None:
    _, standby = servers
    app = create_app(settings.model_copy(update={"database_url": standby.url}))
    client = app.test_client()
    assert "standby" in ready_faults(client)[0]
    assert register(client, "during") == 503
    standby.promote()
    assert register(client, "after") == 201
    assert app.context is not None
    app.context.engine.dispose()
