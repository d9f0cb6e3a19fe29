"""Jobs as rows: outbox, retry schedule, poison counter and operator's record in one table."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Job(Base):
    """One duty, written in the transaction of its cause.

    `ready` waits for `run_at`, and `held` for the end of the pause `held_by_id`; `running` is held
    by the worker that knows `lease_token` until `lease_until`; `done`, `failed` and `discarded` are
    final. `starts` is counted before the body runs, so a job that kills its worker stops after
    `max_starts`; a worker that puts the job back unharmed takes its start back as well. `declines`
    counts the workers that in turn could not do it, because their release does not know how.

    `attempts` counts every start there ever was; `started_at`, `worker` (host and process id) and
    `release` are those of the last one.

    No foreign key leads to the pause: each new job would pay for it. The lock on the pause's row
    keeps it from going while a job is held by it.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("kind", "dedupe_key"),
        CheckConstraint(
            "state IN ('ready', 'held', 'running', 'done', 'failed', 'discarded')",
            name="state_is_known",
        ),
        CheckConstraint(
            "(state = 'running') = (lease_token IS NOT NULL)", name="running_is_leased"
        ),
        CheckConstraint("octet_length(payload::text) <= 16384", name="payload_is_small"),
        Index(
            "ix_jobs_queue_run_at_id_ready",
            "queue",
            "run_at",
            "id",
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_jobs_lease_until_running", "lease_until", postgresql_where=text("state = 'running'")
        ),
        Index("ix_jobs_state_id", "state", "id"),
        Index("ix_jobs_finished_at_done", "finished_at", postgresql_where=text("state = 'done'")),
        Index(
            "ix_jobs_queue_kind_run_at_ready",
            "queue",
            "kind",
            "run_at",
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_jobs_held_by_id_id_held",
            "held_by_id",
            "id",
            postgresql_where=text("state = 'held'"),
        ),
    )

    id: Mapped[identity]
    queue: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    dedupe_key: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="ready")
    run_at: Mapped[created_timestamp]
    starts: Mapped[int] = mapped_column(server_default="0")
    max_starts: Mapped[int] = mapped_column(server_default="8")
    declines: Mapped[int] = mapped_column(server_default="0")
    dispatched_at: Mapped[timestamp | None]
    dispatches: Mapped[int] = mapped_column(server_default="0")
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[timestamp | None]
    held_by_id: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[timestamp | None]
    worker: Mapped[str | None] = mapped_column(Text)
    release: Mapped[str | None] = mapped_column(Text)
    last_error: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
    finished_at: Mapped[timestamp | None]


class JobKind(Base):
    """When a worker last started a job of a kind, to some seconds: each notes it now and then."""

    __tablename__ = "job_kinds"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    last_started_at: Mapped[timestamp]


class Tick(Base):
    """One slot of one periodic task; the key lets any number of dispatchers run."""

    __tablename__ = "ticks"
    __table_args__ = (Index("ix_ticks_slot", "slot"),)

    task: Mapped[str] = mapped_column(Text, primary_key=True)
    slot: Mapped[timestamp] = mapped_column(primary_key=True)
    created_at: Mapped[created_timestamp]
