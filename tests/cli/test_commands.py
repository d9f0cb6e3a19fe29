"""Promises of the operators' commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskCliRunner
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from tests.patience import HANG_SECONDS
from webapp.bootstrap import web_context, worker_context
from webapp.cli.app import create_app
from webapp.cli.preparation import prepare
from webapp.jobs import leases
from webapp.jobs.messages import PruneTable
from webapp.jobs.outbox import enqueue
from webapp.models import Job, Publication, User
from webapp.services.accounts import accounts
from webapp.services.accounts import sessions as login_sessions
from webapp.settings import MissingSettingError, Settings

PASSWORD = "a password for tests"
ROOT = Path(__file__).resolve().parents[2]


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
    assert (again.exit_code, "is taken" in again.output) == (1, True)
    short = commands.invoke(args=[*command, "--password", "short"])
    assert (short.exit_code, "12" in short.output) == (2, True)
    common = commands.invoke(args=[*command, "--password", "password1234"])
    assert (common.exit_code, "common password" in common.output) == (1, True)


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
    commands = prepare(create_app(), Settings(_env_file=None)).test_cli_runner()
    result = commands.invoke(args=command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: DATABASE_URL is not set.")


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("DATABASE_URL", "mysql://root:hidden@localhost/x", "PostgreSQL URL"),
        ("SMTP_URL", "http://localhost", "smtp://"),
        ("IMPRINT_MAIL_FROM", "nobody", "address"),
        ("SECRET_KEY", "hidden-w0rd" * 4, "repeated"),
        ("SECRET_KEY", " development-only-secret-key-do-not-deploy ", "placeholder"),
        ("SECRET_KEY", " " * 40, "32 characters"),
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
    assert sentence.startswith(f"{name}: ")
    assert wrong in sentence
    assert "hidden" not in sentence


@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_guessable_key_is_refused_in_every_environment(
    monkeypatch: pytest.MonkeyPatch, environment: str
) -> None:
    monkeypatch.setenv("IMPRINT_ENVIRONMENT", environment)
    monkeypatch.setenv("SECRET_KEY", "changemechangemechangemechangeme")
    with pytest.raises(SystemExit, match="SECRET_KEY: is a placeholder"):
        Settings.from_environment()


ENTRIES = ["import wsgi", "import celery_app"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_nothing_serves_without_a_secret_key(entry: str) -> None:
    ended = run_python(entry, DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing")
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("SECRET_KEY is not set: make one with `python3 -c ")
    making = sentence.split("`")[1].removeprefix("python3 -c ").strip("'")
    made = run_python(making).stdout.strip()
    assert run_python(entry, SECRET_KEY=made).returncode == 0


def test_the_development_key_serves_by_a_clear_word_and_is_told_of(
    settings: Settings,
) -> None:
    for entry in ENTRIES:
        assert run_python(entry, IMPRINT_ENVIRONMENT="development").returncode == 0
    with capture_logs() as lines:
        web_context(settings)
    assert lines == []
    careless = settings.model_copy(
        update={"environment": "development", "secret_key": SecretStr("")}
    )
    with capture_logs() as lines:
        web_context(careless)
        worker_context(careless, application_name="tests")
    assert [line["event"] for line in lines] == ["secret_key.development"] * 2
    assert {line["log_level"] for line in lines} == {"warning"}
    with pytest.raises(MissingSettingError, match="SECRET_KEY"):
        web_context(careless.model_copy(update={"environment": "production"}))


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Python from the project's folder, with these settings and no others."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, check=False, timeout=HANG_SECONDS,
    )  # fmt: skip
