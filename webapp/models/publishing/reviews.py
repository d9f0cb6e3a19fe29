"""What editors say of a version before it goes public."""

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Review(Base):
    """One version that was submitted, and what came of it.

    An approval is a review in the state `approved`. It is of that one version, which never changes,
    and of its digest; a later version needs one of its own. `steps` are those that the settings
    wanted when it was submitted, and `schedule_id` is the schedule that rests on the approval. A
    review is `voided` by the next edit; one of an older version that is still `open` was left by a
    release that knows no reviews, and counts as voided.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'approved', 'changes_wanted', 'rejected', 'withdrawn', 'voided')",
            name="state_is_known",
        ),
        CheckConstraint("octet_length(digest) = 32", name="digest_is_sha256"),
        Index(
            "uq_reviews_content_id_open",
            "content_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_reviews_content_id_id", "content_id", "id"),
        Index("ix_reviews_state_id", "state", "id"),
        Index("ix_reviews_version_id", "version_id"),
        Index("ix_reviews_submitted_by_id_id", "submitted_by_id", "id"),
        Index("ix_reviews_schedule_id", "schedule_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(ForeignKey("content_versions.id", ondelete="NO ACTION"))
    number: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(Text, server_default="open")
    steps: Mapped[str] = mapped_column(Text)
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id", ondelete="SET NULL"))
    due_at: Mapped[timestamp | None]
    created_at: Mapped[created_timestamp]
    ended_at: Mapped[timestamp | None]


class ReviewDecision(Base):
    """What one person said in one step of a review; `taken back` is said of an approval."""

    __tablename__ = "review_decisions"
    __table_args__ = (
        UniqueConstraint("review_id", "step"),
        CheckConstraint(
            "decision IN ('approve', 'changes_wanted', 'reject')", name="decision_is_known"
        ),
        Index("ix_review_decisions_decided_by_id", "decided_by_id"),
    )

    id: Mapped[identity]
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(Text)
    decision: Mapped[str] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text, server_default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    decided_at: Mapped[created_timestamp]
