"""Starts of jobs that ended otherwise than well, kept for whoever asks what happened."""

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, timestamp


class JobAttempt(Base):
    """One start of a job that did not end in success or progress, by its number among all starts.

    A start that went well leaves its time, worker and release in the job's row alone, until the
    next one: to write a row for each would cost every job of a fan-out. They go with their job.
    """

    __tablename__ = "job_attempts"
    __table_args__ = (
        CheckConstraint(
            "ended_as IN ('retried', 'failed', 'declined', 'lease_ended', 'cut_off')",
            name="ended_as_is_known",
        ),
    )

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[timestamp | None]
    ended_at: Mapped[created_timestamp]
    worker: Mapped[str | None] = mapped_column(Text)
    release: Mapped[str | None] = mapped_column(Text)
    ended_as: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
