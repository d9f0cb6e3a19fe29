"""Run fresh jobs of one kind together: claimed by one statement, done and ended in one transaction.

What does not go well together is run alone: each job after an error, and one that does not end with
Done. So one bad job costs its neighbours a second start, and holds up none.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from webapp.jobs import leases
from webapp.jobs.leases import ClaimedJob
from webapp.jobs.message import Message
from webapp.jobs.outcomes import Done, Outcome, PermanentError, Snooze
from webapp.jobs.payloads import NewerPayloadError, read_payload
from webapp.jobs.waiting import note_start
from webapp.services.operations import clocks
from workers.context import Handler, InBatch, WorkerContext
from workers.stopping import JobCutOff

log = structlog.get_logger()


def run_together(
    context: WorkerContext, handlers: Mapping[str, Handler], job_ids: Sequence[int]
) -> Sequence[int]:
    """Run those jobs of a hint that may run together; returns the ids of the others, to run alone.

    A worker that dies among them has started each once, so the next one runs them alone. Errors of
    a database that is away leave this function, as they leave `run_job`.
    """
    batches = {kind: handler for kind, handler in handlers.items() if isinstance(handler, InBatch)}
    if len(job_ids) < 2 or not batches:
        return job_ids
    with context.transaction() as session:
        lease_seconds = context.settings.lease_seconds
        claimed = leases.claim_together(
            session, job_ids, batches.keys(), lease_seconds, context.starter
        )
    by_kind: dict[str, list[ClaimedJob]] = defaultdict(list)
    for job in claimed:
        by_kind[job.kind].append(job)
    settled: set[int] = set()
    for kind, jobs in by_kind.items():
        settled |= _run_batch(context, batches[kind], jobs)
    return [job_id for job_id in job_ids if job_id not in settled]


def note_start_if_due(context: WorkerContext, kind: str) -> None:
    """Note that somebody serves this kind, in a transaction of its own that holds no lock long."""
    if context.served_kinds.is_due(kind):
        with context.transaction() as session:
            note_start(session, kind)
            if context.served_kinds.is_clock_due():
                clocks.note_own(session, "worker")


def _run_batch(context: WorkerContext, handler: InBatch, jobs: Sequence[ClaimedJob]) -> set[int]:
    """Run jobs of one kind; returns the ids of those that are settled, or left for later."""
    note_start_if_due(context, handler.message.kind)
    started = time.monotonic()
    try:
        with context.stop.may_cut_off(), context.transaction() as session:
            readable = _read_payloads(handler, jobs)
            outcomes = handler.run(session, context, [message for _, message in readable])
            ended = {
                job.id: outcome
                for (job, _), outcome in zip(readable, outcomes, strict=True)
                if isinstance(outcome, Done | Snooze)
            }
            leases.finish_together(session, _those(jobs, ended, Done))
            leases.snooze_together(session, _those(jobs, ended, Snooze), _longest_snooze(ended))
            leases.leave_to_be_run_alone(session, [job for job in jobs if job.id not in ended])
    except JobCutOff:
        with context.transaction() as session:
            leases.put_back_together(session, jobs)
        log.warning("jobs.cut_off", jobs=len(jobs), kind=handler.message.kind)
        return {job.id for job in jobs}
    except Exception as error:
        log.exception("jobs.raised", jobs=len(jobs), kind=handler.message.kind)
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        with context.transaction() as session:
            leases.leave_to_be_run_alone(session, jobs)
        return set()
    milliseconds = round((time.monotonic() - started) * 1000, 1)
    log.info("jobs.ran", jobs=len(ended), kind=handler.message.kind, milliseconds=milliseconds)
    return set(ended)


def _read_payloads(
    handler: InBatch, jobs: Sequence[ClaimedJob]
) -> list[tuple[ClaimedJob, Message]]:
    """Return the messages that can be read; what is wrong with another, it says when run alone."""
    readable: list[tuple[ClaimedJob, Message]] = []
    for job in jobs:
        try:
            readable.append((job, read_payload(handler.message, job.payload)))
        except (NewerPayloadError, PermanentError, ValidationError):
            continue
    return readable


def _longest_snooze(ended: Mapping[int, Outcome]) -> float:
    snoozes = (outcome.seconds for outcome in ended.values() if isinstance(outcome, Snooze))
    return max(snoozes, default=0.0)


def _those(
    jobs: Sequence[ClaimedJob], ended: Mapping[int, Outcome], end: type[Done | Snooze]
) -> list[ClaimedJob]:
    return [job for job in jobs if isinstance(ended.get(job.id), end)]
