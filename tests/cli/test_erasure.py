"""Promises of `flask accounts erase`: nothing of a person is left, also in a restored backup."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from dev.postgres_data import find_programs
from tests.activity_chain import seal_all, verify
from tests.cli.erased_person import LOGIN, NAME, Person, find_traces, pass_last_look
from tests.databases import Databases
from tests.factories import make_actor, run_ready_jobs
from webapp.cli.app import create_app as create_command_app
from webapp.cli.preparation import prepare
from webapp.kit.roles import RoleName
from webapp.models import Content, ContentVersion, Erasure, ImportRecord, Publication, User
from webapp.settings import Settings
from workers.context import WorkerContext


@pytest.fixture
def person(client: FlaskClient, sessions: sessionmaker[Session], worker: WorkerContext) -> Person:
    """Somebody whom every table knows that can."""
    return Person(client, sessions, worker)


def erase(commands: FlaskCliRunner, *args: str) -> dict[str, object]:
    """Erase the person by the command."""
    result = commands.invoke(args=["accounts", "erase", LOGIN, "--yes", "--json", *args])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.output))


def replay(settings: Settings, kept: Path) -> dict[str, int]:
    """Erase in another database whom this file names."""
    there = prepare(create_command_app(), settings).test_cli_runner()
    result = there.invoke(args=["accounts", "replay-erasures", str(kept), "--json"])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.output))


def test_nothing_of_an_erased_person_is_left_and_what_is_public_goes_on(
    client: FlaskClient, commands: FlaskCliRunner, sessions: sessionmaker[Session],
    worker: WorkerContext, database_url: str, person: Person,
) -> None:  # fmt: skip
    seal_all(sessions)
    assert {row.split(":")[0] for row in find_traces(database_url)} >= {
        "activity_logs", "api_keys", "email_verifications", "idempotency_keys", "import_records",
        "imported_authors", "jobs", "mail_deliveries", "publications", "users",
    }  # fmt: skip
    assert erase(commands) == {"id": person.id, "heir_id": None, "began": True}
    # The way in is shut at once, before any worker has done anything.
    assert person.call("GET", "/accounts/me") == 401
    run_ready_jobs(worker)
    assert find_traces(database_url) == []
    shown = client.get("/api/v1/published/public").get_json()
    assert shown["author"] == {"id": person.id, "name": "Former author"}
    with sessions() as session:
        assert session.scalars(select(ContentVersion.author_id).where(
            ContentVersion.content_id == person.public)).all() == [None]  # fmt: skip
        assert session.get_one(ImportRecord, person.public).private == {"x": 1}
    assert verify(commands)["lines"]
    pass_last_look(sessions)
    run_ready_jobs(worker)
    with sessions() as session:
        assert session.get_one(Erasure, person.id).ended_at is not None


def test_an_heir_gets_the_items_and_the_public_pages_say_so(
    client: FlaskClient, commands: FlaskCliRunner, sessions: sessionmaker[Session],
    worker: WorkerContext, database_url: str, person: Person,
) -> None:  # fmt: skip
    with sessions.begin() as session:
        session.get_one(User, person.colleague.user_id).display_name = "The Heir"
    heir_id = person.colleague.user_id
    assert erase(commands, "--heir", person.colleague.login)["heir_id"] == heir_id
    run_ready_jobs(worker)
    assert find_traces(database_url) == []
    shown = client.get("/api/v1/published/public").get_json()
    assert shown["author"] == {"id": heir_id, "name": "The Heir"}
    with sessions() as session:
        assert set(session.scalars(select(Content.author_id))) == {heir_id}
        assert set(session.scalars(select(Publication.author_id))) == {heir_id}


def test_a_restored_backup_erases_the_same_people_again_and_nobody_else(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], settings: Settings,
    worker: WorkerContext, database_url: str, databases: Databases, tmp_path: Path, person: Person,
) -> None:  # fmt: skip
    dump, kept = tmp_path / "old.dump", tmp_path / "erasures"
    _run("pg_dump", "--format=custom", f"--file={dump}", database_url)
    with sessions.begin() as session:
        too_new = make_actor(session, RoleName.READER)
    erase(commands)
    other = commands.invoke(args=["accounts", "erase", too_new.login, "--yes"])
    assert other.exit_code == 0, other.output
    kept.write_text(commands.invoke(args=["accounts", "erasures"]).output)
    assert len(kept.read_text().splitlines()) == 2

    with databases.empty() as restored_url:
        _run("pg_restore", "--no-owner", f"--dbname={restored_url}", str(dump))
        assert NAME in str(find_traces(restored_url))
        driver = restored_url.replace("postgresql://", "postgresql+psycopg://", 1)
        engine = create_engine(driver)
        restored = sessionmaker(engine, expire_on_commit=False)
        try:
            with restored.begin() as session:
                # The number of the account that was made after the backup is given once more.
                stranger = make_actor(session, RoleName.READER)
                assert stranger.user_id == too_new.user_id
            there = settings.model_copy(update={"database_url": restored_url})
            first, again = replay(there, kept), replay(there, kept)
            run_ready_jobs(replace(worker, sessions=restored))
            assert find_traces(restored_url) == []
            with restored() as session:
                assert session.get_one(User, stranger.user_id).login == stranger.login
        finally:
            engine.dispose()
    assert first == {"begun": 1, "erased already": 0, "not here": 1}
    assert again == {"begun": 0, "erased already": 1, "not here": 1}


def test_a_file_that_is_cut_off_replays_nothing(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], tmp_path: Path, person: Person
) -> None:
    kept = tmp_path / "erasures"
    with sessions() as session:
        made_at = session.get_one(User, person.id).created_at.isoformat()
    line = json.dumps({"account_id": person.id, "account_created_at": made_at,
                       "heir_id": None, "heir_created_at": None})  # fmt: skip
    kept.write_text(f"{line}\n{line[:30]}")
    result = commands.invoke(args=["accounts", "replay-erasures", str(kept)])
    assert (result.exit_code, "Line 2 is no erasure" in result.output) == (1, True)
    with sessions() as session:
        assert session.get_one(User, person.id).login == LOGIN


def test_the_last_admin_and_an_account_that_was_erased_are_not_erased(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], person: Person
) -> None:
    with sessions.begin() as session:
        boss = make_actor(session, RoleName.ADMIN)
    refused = commands.invoke(args=["accounts", "erase", boss.login, "--yes"])
    assert (refused.exit_code, "the last admin" in refused.output) == (1, True)
    assert erase(commands)["began"] is True
    again = commands.invoke(args=["accounts", "erase", str(person.id), "--yes"])
    assert (again.exit_code, "erased already" in again.output) == (0, True)
    enabled = commands.invoke(args=["accounts", "enable", str(person.id)])
    assert (enabled.exit_code, "was erased" in enabled.output) == (1, True)


def test_the_heir_of_the_settings_counts_where_nobody_is_named(
    settings: Settings, sessions: sessionmaker[Session], person: Person
) -> None:
    named = settings.model_copy(update={"content_heir": person.colleague.login.upper()})
    commands = prepare(create_command_app(), named).test_cli_runner()
    wrong = commands.invoke(args=["accounts", "erase", LOGIN, "--yes", "--heir", "nobody.here"])
    assert (wrong.exit_code, "heir" in wrong.output) == (1, True)
    assert erase(commands)["heir_id"] == person.colleague.user_id


def _run(program: str, *args: str) -> None:
    programs = os.environ.get("IMPRINT_TEST_POSTGRES_BIN") or find_programs()
    subprocess.run([f"{programs}/{program}", *args], check=True)
