"""What shall happen to an item, and when."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Text,
    false,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp

OPEN_STATES = ("pending", "handed", "waiting")
"""The states of an action that may still happen; the last one waits for somebody's decision."""

COMING_STATES = ("pending", "handed")
"""The states of one that happens at its moment unless somebody decides otherwise."""

_IS_OPEN = text("state IN ('pending', 'handed', 'waiting')")


class Schedule(Base):
    """One action of an item's timeline, due at a moment; one that publishes pins a version.

    `pending` waits for its moment; `handed` has been given to the publishing queue; `waiting` waits
    for an answer to the question in `failure`. `fired`, `missed`, `failed` and `cancelled` are
    final, and `failure` says why where it was nobody's wish. An item has any number of open ones,
    each at a moment of its own.

    `pinned_at` is when an editor last chose the version; without one (a row of an older release)
    that was when the schedule was made. One that `rests_on_approval` ends with the approval of its
    version. `due_at` alone decides; where an editor meant a wall time, `local_time` in the `zone`
    (with `fold`, where clocks show it twice) is what was meant, by the `zone_rules` of then.
    `rehearsal` is what the last rehearsal found, as the fields of findings.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("action IN ('publish', 'unpublish', 'archive')", name="action_is_known"),
        CheckConstraint("if_missed IN ('run', 'skip', 'ask')", name="if_missed_is_known"),
        CheckConstraint(
            "state IN ('pending', 'handed', 'waiting', 'fired', 'missed', 'failed', 'cancelled')",
            name="state_is_known",
        ),
        CheckConstraint(
            "action <> 'publish' OR version_id IS NOT NULL", name="publish_pins_a_version"
        ),
        CheckConstraint("(zone IS NULL) = (local_time IS NULL)", name="wall_time_is_whole"),
        CheckConstraint("fold IN ('earlier', 'later')", name="fold_is_known"),
        CheckConstraint("late_limit_seconds > 0", name="late_limit_is_positive"),
        Index(
            "uq_schedules_content_id_due_at_open",
            "content_id",
            "due_at",
            unique=True,
            postgresql_where=_IS_OPEN,
        ),
        Index(
            "ix_schedules_zone_open",
            "zone",
            "zone_rules",
            "id",
            postgresql_where=text(f"zone IS NOT NULL AND {_IS_OPEN.text}"),
        ),
        Index(
            "ix_schedules_due_at_pending",
            "due_at",
            "id",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_schedules_due_at_id", "due_at", "id"),
        Index(
            "ix_schedules_due_at_content_id_publish",
            "due_at",
            "content_id",
            postgresql_where=text("action = 'publish' AND state IN ('pending', 'handed')"),
        ),
        Index("ix_schedules_content_id_id", "content_id", "id"),
        Index("ix_schedules_version_id", "version_id"),
        Index("ix_schedules_created_by_id", "created_by_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    version_id: Mapped[int | None] = mapped_column(
        ForeignKey("content_versions.id", ondelete="NO ACTION")
    )
    action: Mapped[str] = mapped_column(Text)
    due_at: Mapped[timestamp]
    if_missed: Mapped[str] = mapped_column(Text, server_default="run")
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    revision: Mapped[int] = mapped_column(server_default="1")
    request_id: Mapped[str | None] = mapped_column(Text)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    pinned_at: Mapped[timestamp | None]
    created_at: Mapped[created_timestamp]
    updated_at: Mapped[created_timestamp]
    fired_at: Mapped[timestamp | None]
    failure: Mapped[str | None] = mapped_column(Text)
    late_limit_seconds: Mapped[int | None]
    zone: Mapped[str | None] = mapped_column(Text)
    local_time: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    fold: Mapped[str | None] = mapped_column(Text)
    zone_rules: Mapped[str | None] = mapped_column(Text)
    rests_on_approval: Mapped[bool] = mapped_column(server_default=false())
    rehearsed_at: Mapped[timestamp | None]
    rehearsal: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)


# The states are constants, because with parameters a prepared plan could not use partial indexes.
IS_OPEN = Schedule.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES])
