"""Links by which somebody without an account says what they think of a version."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class ReviewLink(Base):
    """A link to one review, for one guest and one answer. Only the SHA-256 of its token is kept.

    With a `step` the answer decides that step in the place of `created_by_id`, who could decide it
    themselves; without one it is an opinion, which decides nothing. `decision_id` is the decision
    that it made. The address is kept until the guest has answered or the link is revoked; one that
    is still to be mailed has no token yet.
    """

    __tablename__ = "review_links"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        CheckConstraint(
            "decision IN ('approve', 'changes_wanted', 'reject')", name="decision_is_known"
        ),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decision_has_moment"),
        Index("ix_review_links_review_id_id", "review_id", "id"),
        Index("ix_review_links_created_by_id_created_at", "created_by_id", "created_at"),
        Index(
            "ix_review_links_expires_at", "expires_at", postgresql_where=text("decided_at IS NULL")
        ),
    )

    id: Mapped[identity]
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"))
    step: Mapped[str | None] = mapped_column(Text)
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    guest_name: Mapped[str] = mapped_column(Text)
    guest_address: Mapped[str | None] = mapped_column(Text)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    revoked_at: Mapped[timestamp | None]
    decision: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text, server_default="")
    decided_at: Mapped[timestamp | None]
    decision_id: Mapped[int | None] = mapped_column(
        ForeignKey("review_decisions.id", ondelete="SET NULL"), unique=True
    )
