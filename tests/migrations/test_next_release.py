"""Expand and contract, shown: this release serves while the steps of a next one are migrated.

The code that runs is this repository's own, as the "previous release"; the next release is the
chain in next_release/, put above whatever the head is. That is the honest half that a shallow
clone can show: a checkout of an older commit would need history that is not always there, and
would test once more what the old commit was tested for. What is proven is the promise that counts
on the day of a deployment: the code that is running lives with each step while it runs and
afterwards. That the test can fail is shown at its end, where a step that the running code cannot
live with is run against the advice of preflight.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import Caller, run_ready_jobs
from tests.migrations.api_under_load import Tally, load
from tests.migrations.commands import extend_chain, read_steps, run
from tests.patience import HANG_SECONDS
from tests.running_api import running_api
from webapp.adapters.database import plain_url
from webapp.api.edge import ImprintApp
from webapp.cli import preflight
from webapp.kit.roles import RoleName
from webapp.services.operations import backfills
from webapp.services.operations.backfills import BACKFILLS, Backfill
from webapp.settings import Settings
from workers.context import WorkerContext

LEGACY, EXPAND, INDEX, REQUIRE, CONTRACT, TOO_EARLY = (f"f0a00000000{n}" for n in range(1, 7))
WAITING_STEP = text(
    "SELECT pid FROM pg_locks WHERE relation = CAST('content' AS regclass)"
    " AND mode = 'AccessExclusiveLock' AND NOT granted"
)
ITEMS, PUBLIC_ITEMS = 5_000, 20
# More than the clients that can have had their answers on the way when the step began to wait.
ANSWERED_MEANWHILE = 40
COPY = Backfill(
    name="copy-excerpt-to-summary",
    table="content",
    statement=(
        "UPDATE content SET summary = excerpt"
        " WHERE id > :after AND id <= :until AND summary IS NULL"
    ),
    unfilled="summary IS NULL",
    rows_a_batch=500,
)
COPY_ITEMS = """
    INSERT INTO content (author_id, title, slug, body, excerpt)
    SELECT author_id, title, slug || '-' || number, body, 'excerpt ' || number
    FROM content, generate_series(1, :items) AS number
    WHERE content.id = (SELECT min(id) FROM content)
"""


@pytest.fixture
def database_url(database_url_at_head: str) -> str:
    """A database at the head of this release, instead of the empty one of the other tests here."""
    return database_url_at_head


@pytest.fixture
def ini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An alembic.ini whose chain goes on with the steps of the next release."""
    steps = tmp_path / "steps"
    steps.mkdir()
    head = read_steps()[-1].revision
    for path in (Path(__file__).parent / "next_release").glob("*.py"):
        (steps / path.name).write_text(path.read_text().replace('"HEAD"', f'"{head}"'))
    path = tmp_path / "alembic.ini"
    extend_chain(steps, path)
    monkeypatch.setattr(preflight, "CONFIGURATION", path)
    monkeypatch.setitem(BACKFILLS, COPY.name, COPY)
    return path


def upgrade(ini: Path, url: str, revision: str) -> str:
    """Upgrade with the command that a deployment runs; returns what it said."""
    finished = run(["alembic", "-c", str(ini), "upgrade", revision], url)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr


def refused(commands: FlaskCliRunner, ini: Path) -> set[str]:
    """Return what preflight refuses, with a fresh dump."""
    dump = ini.with_suffix(".dump")
    dump.write_text("PGDMP")
    result = commands.invoke(args=["db", "preflight", "--json", "--backup", str(dump)])
    return set(json.loads(result.stdout)["refused"])


@contextmanager
def long_report(engine: Engine, tally: Tally) -> Iterator[None]:
    """Hold the table as somebody's long read does, until others get past a step that waits for it.

    Whoever comes while the step waits has to wait behind it. So the step must give way, and many
    requests be answered, while the table is still held.
    """
    has_begun, is_over = threading.Event(), threading.Event()

    def read() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT count(*) FROM content"))
            has_begun.set()
            while connection.execute(WAITING_STEP).first() is None and not is_over.is_set():
                time.sleep(0.01)
            before = tally.requests
            while tally.requests < before + ANSWERED_MEANWHILE and not is_over.is_set():
                time.sleep(0.01)

    thread = threading.Thread(target=read)
    thread.start()
    has_begun.wait()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def backfill(sessions: sessionmaker[Session], worker: WorkerContext) -> None:
    """Run the backfill to its end, as a worker does."""
    with sessions.begin() as session:
        backfills.start(session, COPY.name)
    give_up_at = time.monotonic() + HANG_SECONDS
    while not progress(sessions).is_finished:
        assert time.monotonic() < give_up_at, progress(sessions)
        run_ready_jobs(worker, kinds={"backfill.run"})
        time.sleep(0.05)


def progress(sessions: sessionmaker[Session]) -> backfills.Progress:
    """Return how far the backfill is."""
    with sessions() as session:
        return backfills.read_progress(session, COPY.name)


def publish_items(editor: Caller) -> list[str]:
    """Publish some items for the readers and return their slugs."""
    slugs = []
    for number in range(PUBLIC_ITEMS):
        made = editor.call("POST", "/content", {"title": f"Public {number}", "body": "Text."})
        path = f"/content/{made.get_json()['id']}/publish"
        answer = editor.call("POST", path, {}, If_Match=made.headers["ETag"])
        assert answer.status_code < 300, answer.get_json()
        slugs.append(made.get_json()["slug"])
    return slugs


def migrate_while_it_serves(
    ini: Path,
    commands: FlaskCliRunner,
    engine: Engine,
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    tally: Tally,
) -> None:
    """Do what a deployment of the next release does, with preflight before each part."""
    url = engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    assert refused(commands, ini) == {REQUIRE, TOO_EARLY}
    with long_report(engine, tally):
        assert "A table is busy" in upgrade(ini, url, EXPAND)
    upgrade(ini, url, INDEX)
    backfill(sessions, worker)
    assert refused(commands, ini) == {TOO_EARLY}
    upgrade(ini, url, REQUIRE)
    upgrade(ini, url, CONTRACT)
    assert refused(commands, ini) == {TOO_EARLY}


def await_answers(tally: Tally) -> None:
    """Wait until the clients have had many more answers."""
    wanted, give_up_at = tally.requests + ANSWERED_MEANWHILE, time.monotonic() + HANG_SECONDS
    while tally.requests < wanted:
        assert time.monotonic() < give_up_at, tally
        time.sleep(0.01)


def assert_served(tally: Tally) -> None:
    """Assert that every request was answered, and well."""
    assert tally.failures == []
    assert set(tally.statuses) == {200, 201}
    assert tally.requests > 100


@pytest.mark.long
def test_this_release_serves_while_the_next_is_migrated(
    ini: Path,
    settings: Settings,
    app: ImprintApp,
    commands: FlaskCliRunner,
    engine: Engine,
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    tmp_path: Path,
) -> None:
    editor = Caller(app.test_client(), RoleName.EDITOR)
    slugs = publish_items(editor)
    with sessions.begin() as session:
        session.execute(text(COPY_ITEMS), {"items": ITEMS})
    url = plain_url(settings)
    upgrade(ini, url, LEGACY)

    with running_api(settings, tmp_path) as api:
        with load(api.port, editor.token, slugs) as tally:
            await_answers(tally)
            migrate_while_it_serves(ini, commands, engine, sessions, worker, tally)
            await_answers(tally)
        assert_served(tally)
        with engine.connect() as connection:
            unequal = "SELECT count(*) FROM content WHERE summary IS DISTINCT FROM excerpt"
            assert connection.scalar(text(unequal)) == 0
            written = "SELECT count(*) FROM content WHERE summary LIKE '%, edited'"
            assert (connection.scalar(text(written)) or 0) > 10

        with load(api.port, editor.token, slugs) as tally:
            upgrade(ini, url, TOO_EARLY)
            await_answers(tally)
        assert any(": 500 " in failure for failure in tally.failures)
