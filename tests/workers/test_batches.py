"""Promises of jobs that run together: one transaction for all, and none is harmed by another."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from tests.patience import HANG_SECONDS
from tests.statements import noting_statements
from webapp.jobs.messages import SealVersion
from webapp.jobs.outbox import enqueue
from webapp.jobs.outcomes import Done, GiveUp, Outcome, Retry, Snooze
from webapp.models import ContentVersion, Job
from webapp.services.content import content
from workers.context import InBatch, WorkerContext
from workers.handlers import HANDLERS
from workers.runner import run_jobs
from workers.stopping import JobCutOff

pytestmark = pytest.mark.timeout(HANG_SECONDS)


def write_jobs(worker: WorkerContext, number: int, **values: Any) -> list[int]:
    """Commit jobs about versions 1, 2, 3 and so on, and return their ids."""
    with worker.transaction() as session:
        ids = [enqueue(session, SealVersion(version_id=1 + n)) or 0 for n in range(number)]
        if values:
            session.execute(update(Job).where(Job.id == ids[0]).values(**values))
    return ids


def rows_of(worker: WorkerContext) -> list[Job]:
    """Return the jobs, in the order in which they were written."""
    with worker.transaction() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


class Calls:
    """A handler that notes what it is called with, and ends as it is told."""

    def __init__(self, ends: dict[int, Outcome | Exception | SystemExit] | None = None) -> None:
        self.ends = ends or {}
        self.seen: list[list[int]] = []

    def __call__(
        self, _session: Session, _context: WorkerContext, messages: Sequence[SealVersion]
    ) -> list[Outcome]:
        """Note the versions, and return or raise."""
        ids = [message.version_id for message in messages]
        self.seen.append(ids)
        ends = [self.ends.get(version_id, Done()) for version_id in ids]
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return [end for end in ends if not isinstance(end, BaseException)]

    def run(self, worker: WorkerContext, job_ids: Sequence[int]) -> None:
        """Run jobs by one hint."""
        run_jobs(worker, {SealVersion.kind: InBatch(SealVersion, self)}, job_ids)


def test_what_is_fresh_runs_together_and_what_was_started_alone(worker: WorkerContext) -> None:
    ids, calls = write_jobs(worker, 5, starts=1), Calls()
    calls.run(worker, ids)
    assert calls.seen == [[2, 3, 4, 5], [1]]
    assert [(job.state, job.starts) for job in rows_of(worker)] == [
        ("done", 2), *[("done", 1)] * 4
    ]  # fmt: skip
    calls.run(worker, ids)
    assert len(calls.seen) == 2, "a hint that comes twice does nothing"


def test_an_error_among_them_has_each_run_alone(worker: WorkerContext) -> None:
    ids, calls = write_jobs(worker, 4), Calls({3: ValueError("a defect")})
    calls.run(worker, ids)
    assert calls.seen == [[1, 2, 3, 4], [1], [2], [3], [4]]
    assert [job.state for job in rows_of(worker)] == ["done", "done", "ready", "done"]
    assert rows_of(worker)[2].last_error == "ValueError: a defect"


def test_each_ends_as_its_own_outcome_says(worker: WorkerContext) -> None:
    ids, calls = write_jobs(worker, 5), Calls({2: GiveUp("never"), 3: Snooze(), 4: Retry("later")})
    calls.run(worker, ids)
    rows = rows_of(worker)
    # What was not begun is ready at once, as if it had never been started.
    assert [job.state for job in rows] == ["done", "failed", "ready", "ready", "done"]
    assert [job.last_error for job in rows] == [None, "never", None, "later", None]
    assert (rows[2].starts, rows[3].starts) == (0, 2)
    assert calls.seen == [[1, 2, 3, 4, 5], [2], [4]]


def test_a_payload_that_cannot_be_read_holds_up_no_other(worker: WorkerContext) -> None:
    ids, calls = write_jobs(worker, 3, payload={"version_id": 1, "payload_version": 9}), Calls()
    calls.run(worker, ids)
    assert calls.seen == [[2, 3]]
    rows = rows_of(worker)
    assert [job.state for job in rows] == ["ready", "done", "done"]
    assert (rows[0].declines, rows[0].lease_token) == (1, None)


def test_a_worker_that_is_cut_off_puts_all_of_them_back(worker: WorkerContext) -> None:
    ids, calls = write_jobs(worker, 3), Calls({2: JobCutOff()})
    calls.run(worker, ids)
    assert calls.seen == [[1, 2, 3]]
    assert {(job.state, job.starts, job.lease_token) for job in rows_of(worker)} == {
        ("ready", 0, None)
    }


def test_one_lease_that_was_lost_takes_the_whole_batch_back(worker: WorkerContext) -> None:
    ids = write_jobs(worker, 3)
    seen: list[int] = []

    def lose_the_second(
        session: Session, context: WorkerContext, messages: Sequence[SealVersion]
    ) -> list[Outcome]:
        seen.append(len(messages))
        if len(messages) > 1:
            session.execute(text("INSERT INTO ticks (task, slot) VALUES ('effect', now())"))
            with context.transaction() as another:
                taken = {"lease_token": func.gen_random_uuid()}
                another.execute(update(Job).where(Job.id == ids[1]).values(taken))
        return [Done() for _ in messages]

    run_jobs(worker, {SealVersion.kind: InBatch(SealVersion, lose_the_second)}, ids)
    assert [job.state for job in rows_of(worker)] == ["done", "running", "done"]
    assert seen == [3, 1, 1]
    with worker.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM ticks WHERE task = 'effect'")) == 0


def test_fifty_versions_are_sealed_in_one_transaction_and_a_bad_one_stays(
    worker: WorkerContext,
) -> None:
    with worker.transaction() as session:
        actor = make_actor(session)
        content_id = make_content(session, actor, body="word 0")
        for number in range(1, 50):
            content.edit(session, actor, content_id, None, {"body": f"word {number}"})
        bad = ContentVersion.number == 20
        session.execute(update(ContentVersion).where(bad).values(body="not what was saved"))
        ids = list(session.scalars(select(Job.id).where(Job.kind == SealVersion.kind)))
    with noting_statements(worker.sessions.kw["bind"]) as noted:
        run_jobs(worker, HANDLERS, ids)
    # The claim, the note of the kind, the batch, and the bad one alone with its failure.
    assert noted.count("COMMIT") <= 6
    assert len(noted) <= 30
    with worker.transaction() as session:
        unsealed = select(ContentVersion.number).where(ContentVersion.sealed_at.is_(None))
        assert session.scalars(unsealed).all() == [20]
        failed = select(Job.last_error).where(Job.state == "failed")
        assert session.scalars(failed).all() == [
            "The text of this version is not the one that was saved."
        ]
        changed = select(ContentVersion.words_added, ContentVersion.words_removed)
        assert set(session.execute(changed.where(ContentVersion.number > 21)).all()) == {(1, 1)}
