"""A running API with one public item in its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient

from dev.postgres import PostgresServer
from tests.factories import Caller
from tests.running_api import RunningApi, running_api
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
