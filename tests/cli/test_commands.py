"""Promises of the operators' commands."""

import json

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from webapp.cli.app import create_app
from webapp.jobs import leases
from webapp.jobs.messages import PruneTable
from webapp.jobs.outbox import enqueue
from webapp.models import Job, Publication, User
from webapp.services.accounts import accounts
from webapp.services.accounts import sessions as login_sessions
from webapp.settings import Settings

PASSWORD = "a password for tests"


@pytest.fixture
def failed_job(sessions: sessionmaker[Session]) -> int:
    """The id of a job that gave up."""
    with sessions.begin() as session:
        job_id = enqueue(session, PruneTable(table="jobs"))
        assert job_id is not None
        claimed = leases.claim(session, job_id, 30)
        assert claimed is not None
        leases.fail(session, claimed, "it broke", final=True, after_seconds=None)
    return job_id


def test_an_admin_is_made_and_can_log_in(
    commands: FlaskCliRunner, sessions: sessionmaker[Session]
) -> None:
    command = ["accounts", "create-admin", "--login", "Root", "--email", "root@localhost.test"]
    made = commands.invoke(args=[*command, "--password", PASSWORD])
    assert (made.exit_code, "root" in made.output) == (0, True)
    with sessions() as session:
        account = accounts.get_account(
            session, login_sessions.log_in(session, "root", PASSWORD).user_id
        )
    assert account.role == "admin"
    again = commands.invoke(args=[*command, "--password", PASSWORD])
    assert (again.exit_code, "already exists" in again.output) == (1, True)
    short = commands.invoke(args=[*command, "--password", "short"])
    assert (short.exit_code, "10" in short.output) == (2, True)


def test_failed_jobs_are_listed_retried_and_discarded(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], failed_job: int
) -> None:
    listed = commands.invoke(args=["jobs", "list", "--state", "failed"])
    assert str(failed_job) in listed.output
    assert "it broke" in listed.output
    as_json = commands.invoke(args=["jobs", "list", "--json"])
    assert json.loads(as_json.output)["id"] == failed_job

    assert commands.invoke(args=["jobs", "retry", "--all-failed"]).output.startswith("1 of 1")
    with sessions() as session:
        assert session.get_one(Job, failed_job).state == "ready"
    assert commands.invoke(args=["jobs", "retry", str(failed_job)]).exit_code == 1
    assert commands.invoke(args=["jobs", "discard", str(failed_job)]).exit_code == 0
    assert commands.invoke(args=["jobs", "list", "--state", "ready"]).output == "No jobs.\n"
    assert commands.invoke(args=["jobs", "retry"]).exit_code == 2


def test_the_demo_is_seeded_once(commands: FlaskCliRunner, sessions: sessionmaker[Session]) -> None:
    command = ["demo", "seed", "--login", "admin", "--password", PASSWORD]
    assert commands.invoke(args=command).exit_code == 0
    assert "already" in commands.invoke(args=command).output
    with sessions() as session:
        assert len(session.scalars(select(User)).all()) == 1
        assert len(session.scalars(select(Publication)).all()) == 3


@pytest.mark.parametrize("command", [["jobs", "list"], ["dispatcher"]])
def test_without_a_database_url_a_command_says_what_to_set(command: list[str]) -> None:
    commands = create_app(Settings(_env_file=None)).test_cli_runner()
    result = commands.invoke(args=command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: DATABASE_URL is not set.")


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("DATABASE_URL", "mysql://root:hidden@localhost/x", "PostgreSQL URL"),
        ("SMTP_URL", "http://localhost", "smtp://"),
        ("IMPRINT_MAIL_FROM", "nobody", "address"),
        ("IMPRINT_ENVIRONMENT", "production", "SECRET_KEY"),
        ("IMPRINT_LEASE_SECONDS", "-1", "greater than 0"),
        ("IMPRINT_LOG_LEVEL", "loud", "'WARNING' or 'ERROR'"),
    ],
)
def test_a_wrong_setting_is_one_sentence_without_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, wrong: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        Settings.from_environment()
    title, sentence = str(ended.value).splitlines()
    assert title == "Imprint's settings are wrong."
    assert sentence.startswith("SECRET_KEY must" if wrong == "SECRET_KEY" else f"{name}: ")
    assert wrong in sentence
    assert "hidden" not in sentence
