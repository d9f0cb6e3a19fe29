"""Write a job in the transaction of its cause: acknowledged together or not at all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from structlog.contextvars import get_contextvars

from webapp.jobs.message import Message
from webapp.jobs.payloads import write_payload
from webapp.models import Job

WAKE_CHANNEL = "imprint_dispatcher"
_WAKE = func.pg_notify(WAKE_CHANNEL, "").label("woken")


def enqueue(
    session: Session, message: Message, *, run_at: datetime | ColumnElement[datetime] | None = None
) -> int | None:
    """Insert a job and return its id, or None when the same duty is already written.

    `run_at` is the earliest start (default: now); one that is so long from now is told as an
    expression, so that PostgreSQL's clock says what now is. The request id in the log context goes
    into the row, so the worker's lines can be found by it. A dispatcher hears of the job as soon as
    this transaction commits; of a later start it learns by itself, since it looks often until then.
    """
    statement = insert(Job).values(_row(message, run_at))
    wakes = run_at is None or message.queue.is_urgent
    row = session.execute(
        statement.on_conflict_do_nothing(index_elements=["kind", "dedupe_key"]).returning(
            Job.id, *([_WAKE] if wakes else [])
        )
    ).one_or_none()
    return None if row is None else int(row[0])


def enqueue_anew(session: Session, message: Message) -> None:
    """Write a duty that has to be done from its beginning after this transaction has committed.

    There is one row for it. Where the duty waits already, that is enough; where a worker is at it,
    that one loses its lease and can commit no more; where it was done, it is to do again. Ask for
    it before the change that is its cause: then whatever a worker has committed came before.
    """
    statement = insert(Job).values(_row(message, None))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "dedupe_key"],
            set_={
                "queue": statement.excluded.queue,
                "payload": statement.excluded.payload,
                "max_starts": statement.excluded.max_starts,
                "request_id": statement.excluded.request_id,
                "state": "ready",
                "held_by_id": None,
                "run_at": func.clock_timestamp(),
                "starts": 0,
                "declines": 0,
                "lease_token": None,
                "lease_until": None,
                "dispatched_at": None,
                "dispatches": 0,
                "last_error": None,
                "finished_at": None,
            },
        ).returning(_WAKE)
    )


def enqueue_many(session: Session, messages: Iterable[Message]) -> int:
    """Insert many jobs in one statement and return how many were new. Wakes nobody."""
    rows = [_row(message, None) for message in messages]
    if not rows:
        return 0
    statement = insert(Job).on_conflict_do_nothing(index_elements=["kind", "dedupe_key"])
    return len(session.scalars(statement.returning(Job.id), rows).all())


def wake_dispatcher(session: Session) -> None:
    """Let a sleeping dispatcher look at once, as soon as this transaction commits.

    PostgreSQL delivers equal notifications of one transaction once. It holds a global lock while
    it commits one, so bulk writes leave it to the dispatcher, which looks once a second when
    nothing is to do, and several times a second while it hears of anything or jobs run.
    """
    session.execute(select(_WAKE))


def _row(message: Message, run_at: datetime | ColumnElement[datetime] | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "queue": message.queue.value,
        "kind": message.kind,
        "dedupe_key": message.dedupe_key() or uuid4().hex,
        "payload": write_payload(message),
        "max_starts": message.max_starts,
        "request_id": get_contextvars().get("request_id"),
    }
    if run_at is not None:
        row["run_at"] = run_at
    return row


def chunked(ids: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    """Cut ids into runs of at most `size`."""
    return (ids[start : start + size] for start in range(0, len(ids), size))
