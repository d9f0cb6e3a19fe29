"""Who was erased: what is left to do, and what a restored backup has to do once more."""

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, timestamp


class Erasure(Base):
    """One account that was erased, by its number and the moment at which it was made.

    Both together say which account it was, also in a backup from before. There is no foreign key to
    the account: the row outlives whatever is restored. `heir_id` has the items, None where they
    stay with the account that has no name any more. `ended_at` is when nothing was left to erase.
    """

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_heir_id", "heir_id"),)

    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    account_created_at: Mapped[timestamp]
    heir_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    began_at: Mapped[created_timestamp]
    ended_at: Mapped[timestamp | None]
