"""Backfills: fill what a migration added, batch by batch, beside everything else that runs.

A batch is one transaction: one set-based statement over a range of keys, and the cursor that moves
behind it. A kill loses the batch that was under way and nothing else, and no row is done twice.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Row, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.messages import RunBackfill, SealVersion
from webapp.jobs.outbox import enqueue_anew
from webapp.jobs.payloads import version_mark
from webapp.models import BackfillState, Job
from webapp.services.content import draft_index, renderings, sealing
from webapp.services.errors import NotFoundError


@dataclass(frozen=True)
class Backfill:
    """What a backfill does.

    `statement` handles the rows of `table` with `:after < key <= :until`, or `fill` does, where it
    takes more than SQL; `key` is a positive integer column that leads an index. `unfilled` is a
    condition that no row of the range may satisfy any more once the statement has run; without one
    the statement is taken at its word. Rows that are written while it runs are not its business: a
    trigger, or code that writes both, has to be there before it starts.

    A start of a backfill that `undoes` another one takes that one's state away, and so its end.
    """

    name: str
    table: str
    statement: str = ""
    key: str = "id"
    unfilled: str | None = None
    rows_a_batch: int = 1_000
    fill: Callable[[Session, int, int], None] | None = None
    undoes: str | None = None


@dataclass(frozen=True)
class Progress:
    """How far a backfill is. `rows_total` is an estimate, and never below `rows_done`.

    `job_state` is that of its latest job, None where there is none (any more).
    """

    name: str
    rows_done: int
    rows_total: int
    is_finished: bool
    job_state: str | None
    last_error: str | None


# The states of a job that will go on with a backfill by itself.
ON_ITS_WAY = frozenset({"ready", "held", "running"})


class UnfilledRowsError(Exception):
    """The statement of a backfill left rows as they were, and would do so again."""


SEAL_PRESENT_VERSIONS = Backfill(
    name="seal-present-versions",
    table="content_versions",
    statement=f"""
        INSERT INTO jobs (queue, kind, dedupe_key, payload)
        SELECT '{SealVersion.queue.value}', '{SealVersion.kind}', id::text,
               jsonb_build_object('version_id', id)
               || CAST('{json.dumps(version_mark(SealVersion))}' AS jsonb)
        FROM content_versions WHERE id > :after AND id <= :until AND sealed_at IS NULL
        ON CONFLICT DO NOTHING
    """,  # noqa: S608 - all parts are constants of the code
)

# A batch may be of the longest texts, each with the two that it is compared with.
PACK_VERSIONS = Backfill(
    name=sealing.PACK_VERSIONS,
    table="content_versions",
    fill=sealing.pack_range,
    rows_a_batch=50,
    undoes=sealing.UNPACK_VERSIONS,
)
UNPACK_VERSIONS = Backfill(
    name=sealing.UNPACK_VERSIONS,
    table="content_versions",
    fill=sealing.unpack_range,
    unfilled="packed IS NOT NULL",
    rows_a_batch=20,
    undoes=sealing.PACK_VERSIONS,
)

# What the search of later releases finds by; a batch may be of the longest texts.
INDEX_RENDERINGS = Backfill(
    name="index-renderings",
    table="renderings",
    key="version_id",
    fill=renderings.index_range,
    rows_a_batch=50,
)
INDEX_DRAFTS = Backfill(
    name="index-drafts", table="content", fill=draft_index.index_range, rows_a_batch=50
)

# A backfill may leave this list with the release after the one whose contract step needed it.
BACKFILLS: dict[str, Backfill] = {
    backfill.name: backfill
    for backfill in (
        SEAL_PRESENT_VERSIONS,
        PACK_VERSIONS,
        UNPACK_VERSIONS,
        INDEX_RENDERINGS,
        INDEX_DRAFTS,
    )
}


def find_backfill(name: str) -> Backfill:
    """Return a backfill by its name. Raises NotFoundError."""
    if name not in BACKFILLS:
        known = ", ".join(sorted(BACKFILLS)) or "none"
        raise NotFoundError(f"There is no backfill {name} in this release. Known: {known}.")
    return BACKFILLS[name]


def start(session: Session, name: str) -> Progress:
    """Write the job that begins a backfill or goes on with it, unless one is on its way.

    One that is finished stays so. Raises NotFoundError.
    """
    backfill = find_backfill(name)
    if backfill.undoes is not None:
        # It waits for those who work by that state, and have not committed yet.
        session.execute(delete(BackfillState).where(BackfillState.name == backfill.undoes))
    total = _estimate_rows(session, backfill)
    values = insert(BackfillState).values(name=name, rows_total=total)
    session.execute(values.on_conflict_do_nothing())
    state = _lock_state(session, name)
    assert state is not None  # noqa: S101 - it was written above
    job = _find_job(session, state)
    is_on_its_way = job is not None and job.state in ON_ITS_WAY
    if state.finished_at is None and not is_on_its_way:
        state.runs += 1
        session.flush()
        # A state that was taken away and came back has jobs of its former runs.
        enqueue_anew(session, RunBackfill(name=name, run=state.runs))
    return read_progress(session, name)


def run_batch(session: Session, backfill: Backfill) -> bool:
    """Do the next batch of a backfill that was started; returns whether it was the last.

    There is no other for one whose state was taken away by the start of its opposite.

    The row of the state is locked, so two that work on the same backfill take turns. Raises
    UnfilledRowsError, after which nothing of the batch may be committed.
    """
    state = _lock_state(session, backfill.name)
    if state is None or state.finished_at is not None:
        return True
    until, rows = _next_range(session, backfill, state.cursor)
    if until is None:
        _note(session, state, finished_at=text("clock_timestamp()"))
        return True
    bounds = {"after": state.cursor, "until": until}
    if backfill.fill is not None:
        backfill.fill(session, state.cursor, until)
    else:
        session.execute(text(backfill.statement), bounds)
    _refuse_unfilled(session, backfill, bounds)
    _note(session, state, cursor=until, rows_done=state.rows_done + rows)
    return False


def read_progress(session: Session, name: str) -> Progress:
    """Return how far a backfill is; one that never started has done no rows."""
    statement = select(BackfillState).where(BackfillState.name == name)
    state = session.scalar(statement.execution_options(populate_existing=True))
    if state is None:
        return Progress(name, 0, 0, is_finished=False, job_state=None, last_error=None)
    job = _find_job(session, state)
    return Progress(
        name=name,
        rows_done=state.rows_done,
        rows_total=max(state.rows_done, state.rows_total),
        is_finished=state.finished_at is not None,
        job_state=None if job is None else job.state,
        last_error=None if job is None else job.last_error,
    )


def _lock_state(session: Session, name: str) -> BackfillState | None:
    """Lock a state against others who move it, and not against those who only want it to stay."""
    statement = select(BackfillState).where(BackfillState.name == name)
    statement = statement.with_for_update(key_share=True)
    return session.scalars(statement.execution_options(populate_existing=True)).one_or_none()


def _note(session: Session, state: BackfillState, **values: object) -> None:
    session.execute(
        update(BackfillState)
        .where(BackfillState.name == state.name)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _find_job(session: Session, state: BackfillState) -> Row[str, str | None] | None:
    key = RunBackfill(name=state.name, run=state.runs).dedupe_key()
    return session.execute(
        select(Job.state, Job.last_error).where(Job.kind == RunBackfill.kind, Job.dedupe_key == key)
    ).one_or_none()


def _next_range(session: Session, backfill: Backfill, after: int) -> tuple[int | None, int]:
    statement = text(
        f"SELECT max({backfill.key}), count(*) FROM ("  # noqa: S608 - names from the code
        f"SELECT {backfill.key} FROM {backfill.table} WHERE {backfill.key} > :after"
        f" ORDER BY {backfill.key} LIMIT :size) AS batch"
    )
    until, rows = session.execute(statement, {"after": after, "size": backfill.rows_a_batch}).one()
    return until, rows


def _refuse_unfilled(session: Session, backfill: Backfill, bounds: dict[str, int]) -> None:
    if backfill.unfilled is None:
        return
    statement = text(
        f"SELECT min({backfill.key}) FROM {backfill.table} WHERE {backfill.key} > :after"  # noqa: S608
        f" AND {backfill.key} <= :until AND ({backfill.unfilled})"
    )
    left = session.scalar(statement, bounds)
    if left is not None:
        raise UnfilledRowsError(
            f"{backfill.table}.{backfill.key} = {left} is still: {backfill.unfilled}"
        )


def _estimate_rows(session: Session, backfill: Backfill) -> int:
    """Return the table's rows as the statistics have them, or counted where there are none."""
    estimate = session.scalar(
        text("SELECT reltuples FROM pg_class WHERE oid = CAST(:name AS regclass)"),
        {"name": backfill.table},
    )
    if estimate is None or estimate < 0:
        count = text(f"SELECT count(*) FROM {backfill.table}")  # noqa: S608 - a name from the code
        return int(session.scalar(count) or 0)
    return int(estimate)
