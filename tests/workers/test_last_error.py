"""Promises of what a failed job's row and its reason tell."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from webapp.adapters.logs import configure_logs
from webapp.jobs.messages import SealVersion
from webapp.jobs.outcomes import Outcome
from webapp.models import Job
from workers.context import InOneTransaction, WorkerContext
from workers.runner import run_job

SECRET = "a secret draft"


def breaks_a_guard(session: Session, _context: WorkerContext, _message: SealVersion) -> Outcome:
    """Break a CHECK of the table of items; PostgreSQL then shows the whole row."""
    session.execute(text("UPDATE content SET status = 'unknown', body = :body"), {"body": SECRET})
    raise AssertionError("the guard did not hold")


def tells_more_than_a_line(
    _session: Session, _context: WorkerContext, _message: SealVersion
) -> Outcome:
    """Fail as a library does that shows what it was given."""
    raise ValueError(f"no such thing\ninput: {SECRET}")


@pytest.mark.parametrize(
    ("handle", "start", "reason"),
    [
        (breaks_a_guard, "IntegrityError: ", "ck_content_status_is_known"),
        (tells_more_than_a_line, "ValueError: ", "no such thing"),
    ],
)
def test_neither_the_last_error_of_a_job_nor_the_log_holds_what_it_was_given(
    worker: WorkerContext,
    capsys: pytest.CaptureFixture[str],
    handle: Callable[[Session, WorkerContext, SealVersion], Outcome],
    start: str,
    reason: str,
) -> None:
    configure_logs(worker.settings)
    with worker.transaction() as session:
        make_content(session, make_actor(session), body=SECRET)
        job_id = session.scalars(select(Job.id).where(Job.kind == SealVersion.kind)).one()

    run_job(worker, {SealVersion.kind: InOneTransaction(SealVersion, handle)}, job_id)

    with worker.transaction() as session:
        last_error = session.get_one(Job, job_id).last_error
    assert last_error is not None
    assert last_error.startswith(start)
    assert reason in last_error
    assert SECRET not in last_error
    assert "\n" not in last_error
    logged = capsys.readouterr().err
    assert reason in logged
    assert "job.raised" in logged
    assert "test_last_error.py" in logged
    assert SECRET not in logged
