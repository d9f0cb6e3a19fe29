"""Brakes: which jobs wait until somebody, or a moment, lets them go on."""

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class JobPause(Base):
    """One brake: no job of `target` starts before `ends_at`, or without it before it is lifted.

    `target` is the name of a queue or a kind, or the id of an event. To lift a pause is to let it
    end now; the row goes once the jobs that it held are ready again.
    """

    __tablename__ = "job_pauses"
    __table_args__ = (
        UniqueConstraint("scope", "target"),
        CheckConstraint("scope IN ('queue', 'kind', 'event')", name="scope_is_known"),
        CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name="reason_is_given"),
    )

    id: Mapped[identity]
    scope: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    paused_by: Mapped[str] = mapped_column(Text)
    ends_at: Mapped[timestamp | None]
    created_at: Mapped[created_timestamp]
