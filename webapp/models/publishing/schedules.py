"""What shall happen to an item, and when."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Schedule(Base):
    """A publish or unpublish that is due at a moment and pins one version.

    `pending` waits for its moment; `handed` has been given to the publishing queue; `fired`,
    `missed`, `failed` and `cancelled` are final, and `failure` says why where it was nobody's wish.
    `pinned_at` is when an editor last chose the version; without one (a row of an older release)
    that was when the schedule was made. `rehearsal` is what the last rehearsal found, as the fields
    of findings.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        CheckConstraint("action IN ('publish', 'unpublish')", name="action_is_known"),
        CheckConstraint("if_missed IN ('run', 'skip')", name="if_missed_is_known"),
        CheckConstraint(
            "state IN ('pending', 'handed', 'fired', 'missed', 'failed', 'cancelled')",
            name="state_is_known",
        ),
        CheckConstraint(
            "action = 'unpublish' OR version_id IS NOT NULL", name="publish_pins_a_version"
        ),
        Index(
            "uq_schedules_content_id_action_open",
            "content_id",
            "action",
            unique=True,
            postgresql_where=text("state IN ('pending', 'handed')"),
        ),
        Index(
            "ix_schedules_due_at_pending",
            "due_at",
            "id",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_schedules_due_at_id", "due_at", "id"),
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
    rehearsed_at: Mapped[timestamp | None]
    rehearsal: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB)
