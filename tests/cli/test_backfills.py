"""Promises of `flask db backfill`: it starts, shows, resumes, and says what holds it up."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import run_ready_jobs
from tests.workers.operations.backfill_process import COUNT_ROWS, MAKE_TABLE, ROWS
from webapp.cli import backfills as command
from webapp.services.operations.backfills import BACKFILLS, Backfill
from workers.context import WorkerContext

NAME = COUNT_ROWS.name
ARGUMENTS = ["db", "backfill", NAME]


@pytest.fixture
def runner(
    commands: FlaskCliRunner, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> FlaskCliRunner:
    """A runner of the commands, with a table to fill."""
    monkeypatch.setitem(BACKFILLS, NAME, COUNT_ROWS)
    with sessions.begin() as session:
        session.execute(text(MAKE_TABLE))
    return commands


@contextmanager
def working(worker: WorkerContext) -> Iterator[None]:
    """Run ready jobs in a thread until the end of the block."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.is_set():
            run_ready_jobs(worker)
            time.sleep(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_it_starts_and_watches_until_the_end(runner: FlaskCliRunner, worker: WorkerContext) -> None:
    with working(worker):
        result = runner.invoke(args=ARGUMENTS)
    assert result.exit_code == 0, result.output
    assert result.output.endswith(f"{NAME}: finished, {ROWS:,} rows.\n")
    again = runner.invoke(args=ARGUMENTS)
    assert again.output == f"{NAME}: finished, {ROWS:,} rows.\n"


def test_detached_it_only_writes_the_job(runner: FlaskCliRunner, worker: WorkerContext) -> None:
    before = runner.invoke(args=[*ARGUMENTS, "--status"])
    assert before.output == f"{NAME}: not started.\n"
    detached = runner.invoke(args=[*ARGUMENTS, "--detach"])
    under_way = f"{NAME}: under way, 0 of about {ROWS:,} rows.\n"
    assert (detached.exit_code, detached.output) == (0, under_way)
    every = runner.invoke(args=["db", "backfill", "--status"])
    assert under_way in every.output
    assert "seal-present-versions: not started.\n" in every.output


def test_one_that_gave_up_ends_the_command_with_its_reason(
    runner: FlaskCliRunner, worker: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = Backfill(NAME, "counted", "SELECT :after, :until", unfilled="times = 0")
    monkeypatch.setitem(BACKFILLS, NAME, idle)
    with working(worker):
        result = runner.invoke(args=ARGUMENTS)
    assert result.exit_code == 1
    assert "stopped after 0 of about" in result.output
    assert "counted.id = 10 is still: times = 0" in result.output


@pytest.fixture
def _heard_interrupt() -> Iterator[None]:
    """Let SIGINT interrupt, also where a shell started the tests in its background without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heard_interrupt")
def test_it_says_when_nobody_works_and_stops_watching_without_stopping_the_backfill(
    runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SILENT_AFTER_SECONDS", 0.5)
    interrupt = threading.Timer(2.0, signal.raise_signal, [signal.SIGINT])
    interrupt.start()
    result = runner.invoke(args=ARGUMENTS)
    assert result.exit_code == 0
    assert "is a dispatcher running, and a worker of the housekeeping queue?" in result.output
    assert f"`flask db backfill {NAME}` shows it again" in result.output
    status = runner.invoke(args=[*ARGUMENTS, "--status"])
    assert "under way" in status.output


@pytest.mark.parametrize("options", [["--status"], ["--detach"], []])
def test_an_unknown_one_is_named(runner: FlaskCliRunner, options: list[str]) -> None:
    result = runner.invoke(args=["db", "backfill", "nonsense", *options])
    assert result.exit_code == 1
    assert result.output.startswith("Error: There is no backfill nonsense in this release. Known: ")
    assert runner.invoke(args=["db", "backfill"]).exit_code == 2
