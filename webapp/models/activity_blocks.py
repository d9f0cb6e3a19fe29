"""The chain over the activity log."""

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, timestamp


class ActivityBlock(Base):
    """What seals the lines with `after_id < id <= until_id`, and the block before.

    `digests` holds 8 bytes of id and 32 bytes of SHA-256 for each line; it is empty once the lines
    are pruned. `rows_hash` is that of `digests`, and `hash` that of the rest of the row. A rule of
    the database lets a block be pruned, and changed in no other way.
    """

    __tablename__ = "activity_blocks"
    __table_args__ = (UniqueConstraint("until_id"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    after_id: Mapped[int]
    until_id: Mapped[int]
    row_count: Mapped[int]
    last_created_at: Mapped[timestamp]
    sealed_at: Mapped[timestamp]
    digests: Mapped[bytes] = mapped_column(LargeBinary)
    rows_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    pruned_at: Mapped[timestamp | None]
