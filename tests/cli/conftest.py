"""What several tests of commands need."""

from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy.orm import Session, sessionmaker

from tests.cli.import_site import Site
from tests.factories import make_actor
from webapp.services.accounts.actors import Actor
from workers.context import WorkerContext


@pytest.fixture
def admin(sessions: sessionmaker[Session]) -> Actor:
    """The admin in whose name imports act, and who edits."""
    with sessions.begin() as session:
        return make_actor(session)


@pytest.fixture
def site(
    tmp_path: Path,
    commands: FlaskCliRunner,
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    monkeypatch: pytest.MonkeyPatch,
    admin: Actor,
) -> Site:
    """A site without posts."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder, commands, worker, sessions, monkeypatch)
