"""What the public is told of a text that was wrong: what was corrected, or that it is retracted."""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity


class Correction(Base):
    """A public note about one publication of an item; it is shown for as long as the item is.

    `sequence` is the item's `publish_sequence` of the publication that it came with.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        UniqueConstraint("content_id", "sequence"),
        Index("ix_corrections_corrected_by_id", "corrected_by_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    number: Mapped[int]
    note: Mapped[str] = mapped_column(Text)
    corrected_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    corrected_at: Mapped[created_timestamp]


class Retraction(Base):
    """What stands in the place of an item that was retracted, until the item is public again.

    It counts while `sequence` is the item's `publish_sequence`, so that a later publication takes
    it away by itself. `title` is None where it was not to be kept.
    """

    __tablename__ = "retractions"
    __table_args__ = (
        UniqueConstraint("content_id", "sequence"),
        Index("ix_retractions_retracted_by_id", "retracted_by_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    slug: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    retracted_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    retracted_at: Mapped[created_timestamp]
