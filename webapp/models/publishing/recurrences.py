"""Rules by which actions of an item recur, and the moments that come of them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Recurrence(Base):
    """An action of an item that recurs by a rule, over the wall time of a zone.

    `which` says which version a publication takes, at the time when its schedule is made. `start`
    is a wall time. `until` is the last day and `count` how many moments there are. `in_gap` and
    `in_fold` say what becomes of times that clocks leave out or show twice. It goes on by the
    rights of `made_by_id`, who made it or changed it last. `planned_until` is the instant up to
    which its moments were looked for. `paused` it goes on when somebody says so; `ended` is final,
    and `ended_because` says why.
    """

    __tablename__ = "recurrences"
    __table_args__ = (
        CheckConstraint("action IN ('publish', 'unpublish')", name="action_is_known"),
        CheckConstraint("which IN ('newest', 'newest_approved')", name="which_is_known"),
        CheckConstraint("if_missed IN ('run', 'skip')", name="if_missed_is_known"),
        CheckConstraint("in_gap IN ('after', 'skip')", name="in_gap_is_known"),
        CheckConstraint("in_fold IN ('earlier', 'later')", name="in_fold_is_known"),
        CheckConstraint("state IN ('active', 'paused', 'ended')", name="state_is_known"),
        Index("ix_recurrences_content_id_id", "content_id", "id"),
        Index("ix_recurrences_made_by_id", "made_by_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    action: Mapped[str] = mapped_column(Text)
    which: Mapped[str] = mapped_column(Text)
    rule: Mapped[str] = mapped_column(Text)
    zone: Mapped[str] = mapped_column(Text)
    start: Mapped[datetime] = mapped_column(DateTime())
    in_gap: Mapped[str] = mapped_column(Text)
    in_fold: Mapped[str] = mapped_column(Text)
    if_missed: Mapped[str] = mapped_column(Text)
    until: Mapped[date | None] = mapped_column(Date)
    count: Mapped[int | None]
    state: Mapped[str] = mapped_column(Text, server_default="active")
    ended_because: Mapped[str | None] = mapped_column(Text)
    planned_until: Mapped[timestamp | None]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    revision: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[created_timestamp]
    updated_at: Mapped[created_timestamp]


class Occurrence(Base):
    """One moment of a recurrence: expected, until a schedule is made for it or it is skipped.

    `local_time` is as the rule says it, and makes it one of its kind; `due_at` is the instant.
    `skipped` says why there is no schedule.
    """

    __tablename__ = "occurrences"
    __table_args__ = (
        CheckConstraint("skipped IS NULL OR schedule_id IS NULL", name="skipped_has_no_schedule"),
        Index("ix_occurrences_schedule_id", "schedule_id"),
        Index(
            "ix_occurrences_due_at_expected",
            "due_at",
            "recurrence_id",
            postgresql_where=text("schedule_id IS NULL AND skipped IS NULL"),
        ),
    )

    recurrence_id: Mapped[int] = mapped_column(
        ForeignKey("recurrences.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    local_time: Mapped[datetime] = mapped_column(DateTime(), primary_key=True)
    due_at: Mapped[timestamp]
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id", ondelete="SET NULL"))
    skipped: Mapped[str | None] = mapped_column(Text)
