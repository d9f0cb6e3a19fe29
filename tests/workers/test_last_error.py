"""Promises of what a failed job's row and its reason tell."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
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


def test_the_last_error_of_a_job_holds_no_values_of_a_row(worker: WorkerContext) -> None:
    with worker.transaction() as session:
        make_content(session, make_actor(session), body=SECRET)
        job_id = session.scalars(select(Job.id).where(Job.kind == SealVersion.kind)).one()

    run_job(worker, {SealVersion.kind: InOneTransaction(SealVersion, breaks_a_guard)}, job_id)

    with worker.transaction() as session:
        last_error = session.get_one(Job, job_id).last_error
    assert last_error is not None
    assert last_error.startswith("IntegrityError: ")
    assert "ck_content_status_is_known" in last_error
    assert SECRET not in last_error
    assert "\n" not in last_error
