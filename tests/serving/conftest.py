"""A running API with one public item in its database, and a small application."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient

from bench.testbed import listens
from dev.ports import LOOPBACK, free_port
from dev.postgres import PostgresServer
from dev.process import TetheredProcess
from tests.factories import Caller
from tests.patience import HANG_SECONDS
from tests.running_api import ROOT, RunningApi, running_api
from webapp.kit.roles import RoleName
from webapp.settings import Settings

BODY_SECONDS = 6


@pytest.fixture
def editor(client: FlaskClient) -> Caller:
    """An editor who has published one item, `hello`."""
    editor = Caller(client, RoleName.EDITOR)
    made = editor.call("POST", "/content", {"title": "Hello", "slug": "hello", "body": "Text."})
    path = f"/content/{made.get_json()['id']}/publish"
    assert editor.call("POST", path, {}, If_Match="*").status_code == 200
    return editor


@pytest.fixture
def api(settings: Settings, editor: Caller, tmp_path: Path) -> Iterator[RunningApi]:
    """The API on the test's database, with a short deadline for bodies."""
    with running_api(settings, tmp_path, IMPRINT_BODY_SECONDS=str(BODY_SECONDS)) as api:
        yield api


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where the small application listens."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--http", "1", "--no-ws"]
    command += ["--host", LOOPBACK, "--port", str(port), "--workers-kill-timeout", "2"]
    process = TetheredProcess(
        [*command, "tests.serving.small_app:app"],
        log_path=tmp_path / "web.log",
        farewell=signal.SIGKILL,
        folder=ROOT,
    )
    try:
        deadline = time.monotonic() + HANG_SECONDS
        while not listens(port):
            assert process.is_running(), (tmp_path / "web.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield port
    finally:
        process.end(signal.SIGTERM, HANG_SECONDS)


@pytest.fixture
def lock(database_url: str, postgres: PostgresServer) -> Iterator["Lock"]:
    """What makes every statement on a table hang until it is let go."""
    with psycopg.connect(database_url) as connection:
        yield Lock(connection)


class Lock:
    """A lock on a table that nothing else gets past."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Hold nothing yet."""
        self._connection = connection

    @contextmanager
    def on(self, table: str) -> Iterator[None]:
        """Hold the lock inside the block."""
        self._connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        try:
            yield
        finally:
            self._connection.rollback()
