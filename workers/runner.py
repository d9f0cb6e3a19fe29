"""Run one job: claim it, call its handler, settle how it ended."""

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from webapp.adapters.database_errors import DATABASE_ERRORS, describe, is_passing
from webapp.jobs import leases
from webapp.jobs.dispatch import unmark_dispatched
from webapp.jobs.leases import ClaimedJob
from webapp.jobs.message import Message
from webapp.jobs.outcomes import (
    Decline,
    Done,
    GiveUp,
    LeaseLostError,
    Outcome,
    PermanentError,
    Retry,
    Snooze,
)
from webapp.jobs.payloads import NewerPayloadError, read_payload
from webapp.kit.redaction import without_addresses
from workers.batches import note_start_if_due, run_together
from workers.context import Handler, InBatch, InOneTransaction, RunningJob, WorkerContext
from workers.stopping import JobCutOff

log = structlog.get_logger()

PAUSE_SECONDS = 1.0


def run_jobs(
    context: WorkerContext, handlers: Mapping[str, Handler], job_ids: Sequence[int]
) -> None:
    """Run the jobs that a hint names: together where their kind allows it, else one by one.

    A worker that is asked to stop begins no other: the rest gets new hints at once.

    While the database is away the hint is dropped, after a pause: without one a worker would burn
    through all the hints on the broker in a moment. The dispatcher sends them again.
    """
    try:
        if context.stop.is_asked:
            _leave(context, job_ids)
            return
        alone = run_together(context, handlers, job_ids)
        for place, job_id in enumerate(alone):
            if context.stop.is_asked:
                _leave(context, alone[place:])
                return
            run_job(context, handlers, job_id)
    except DATABASE_ERRORS as error:
        if not is_passing(error):
            raise
        log.warning("worker.database_away", error=describe(error))
        time.sleep(PAUSE_SECONDS)


def _leave(context: WorkerContext, job_ids: Sequence[int]) -> None:
    with context.transaction() as session:
        unmark_dispatched(session, job_ids)
    log.info("hint.left", jobs=len(job_ids))


def run_job(context: WorkerContext, handlers: Mapping[str, Handler], job_id: int) -> None:
    """Run the job with this id, if it is ready and due; a hint that comes twice does nothing.

    No error of a handler leaves this function: it is recorded in the job's row. An error of the
    database does, because then there is no row to write to; the lease takes the job back.
    """
    with context.transaction() as session:
        claimed = leases.claim(session, job_id, context.settings.lease_seconds, context.starter)
    if claimed is None:
        return
    with bound_contextvars(request_id=claimed.request_id, job_id=claimed.id, kind=claimed.kind):
        started = time.monotonic()
        try:
            _run_claimed(context, handlers, claimed)
        except LeaseLostError:
            log.warning("job.lease_lost", starts=claimed.starts)
        else:
            log.info(
                "job.ran",
                starts=claimed.starts,
                milliseconds=round((time.monotonic() - started) * 1000, 1),
            )


def _run_claimed(
    context: WorkerContext, handlers: Mapping[str, Handler], claimed: ClaimedJob
) -> None:
    try:
        handler = handlers.get(claimed.kind)
        if handler is None:
            _decline(context, claimed, Decline(f"This release knows no jobs {claimed.kind}."))
            return
        message = read_payload(handler.message, claimed.payload)
        note_start_if_due(context, claimed.kind)
        _call(context, handler, claimed, message)
    except LeaseLostError:
        raise
    except JobCutOff:
        _put_back(context, claimed)
    except NewerPayloadError as error:
        _decline(context, claimed, Decline(str(error)))
    except (PermanentError, ValidationError) as error:
        _settle_failure(context, claimed, GiveUp(_describe(error)))
    except Exception as error:
        log.exception("job.raised")
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        _settle_failure(context, claimed, Retry(_describe(error)))


class _RollBack(Exception):  # noqa: N818 - a way out of the transaction, not an error
    def __init__(self, outcome: Retry | GiveUp | Decline) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def _call(context: WorkerContext, handler: Handler, claimed: ClaimedJob, message: Message) -> None:
    """Call the handler and settle a good end in its own transaction, any other in a new one."""
    try:
        if isinstance(handler, InOneTransaction | InBatch):
            run = handler.run_alone if isinstance(handler, InBatch) else handler.run
            with context.stop.may_cut_off(), context.transaction() as session:
                outcome = run(session, context, message)
                _settle(session, claimed, outcome)
        else:
            job = RunningJob(claimed, context)
            with context.stop.may_cut_off() if handler.may_be_cut_off else nullcontext():
                outcome = handler.run(job, message)
            with context.transaction() as session:
                _settle(session, claimed, outcome)
    except _RollBack as ended:
        if isinstance(ended.outcome, Decline):
            _decline(context, claimed, ended.outcome)
        else:
            _settle_failure(context, claimed, ended.outcome)


def _settle(session: Session, claimed: ClaimedJob, outcome: Outcome) -> None:
    if isinstance(outcome, Done):
        leases.finish(session, claimed)
    elif isinstance(outcome, Snooze):
        leases.snooze(session, claimed, outcome.seconds)
    else:
        raise _RollBack(outcome)


def _put_back(context: WorkerContext, claimed: ClaimedJob) -> None:
    """Give a job back that was cut off; what its handler had not committed is rolled back."""
    with context.transaction() as session:
        leases.put_back(session, claimed)
    log.warning("job.cut_off", starts=claimed.starts - 1)


def _decline(context: WorkerContext, claimed: ClaimedJob, outcome: Decline) -> None:
    """Leave the job to a worker of another release."""
    with context.transaction() as session:
        seconds = leases.decline(session, claimed, outcome.reason)
    log.warning("job.declined", reason=outcome.reason, declines=claimed.declines + 1,
                seconds=round(seconds, 1))  # fmt: skip


def _settle_failure(context: WorkerContext, claimed: ClaimedJob, outcome: Retry | GiveUp) -> None:
    reason = without_addresses(outcome.reason)
    with context.transaction() as session:
        state = leases.fail(
            session,
            claimed,
            reason,
            final=isinstance(outcome, GiveUp),
            after_seconds=outcome.after_seconds if isinstance(outcome, Retry) else None,
        )
    report = log.error if state == "failed" else log.warning
    report("job.failed" if state == "failed" else "job.will_retry", reason=reason,
           starts=claimed.starts)  # fmt: skip


def _describe(error: Exception) -> str:
    """Name an error for the job's row, by its first line: others may hold the values of a row."""
    return f"{type(error).__name__}: {describe(error)}"
