"""Accounts whose owners have asked to be deleted, and when that is to be done."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class AccountDeletion(Base):
    """An owner's wish that is not carried out yet: the row goes when it is, or is taken back.

    `heir_id` is who was named to get the items; None where nobody was.
    """

    __tablename__ = "account_deletions"
    __table_args__ = (Index("ix_account_deletions_heir_id", "heir_id"),)

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    heir_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    asked_at: Mapped[created_timestamp]
    due_at: Mapped[timestamp]
