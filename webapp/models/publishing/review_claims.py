"""Who is reviewing something, so that no two do it at once without knowing."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, timestamp


class ReviewClaim(Base):
    """One person's word that they are reviewing; it holds until `expires_at`, and binds nobody."""

    __tablename__ = "review_claims"
    __table_args__ = (
        Index("ix_review_claims_claimed_by_id", "claimed_by_id"),
        Index("ix_review_claims_expires_at", "expires_at"),
    )

    review_id: Mapped[int] = mapped_column(
        ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True
    )
    claimed_by_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    claimed_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
