"""Secret addresses under which a calendar program reads what is planned."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class CalendarFeed(Base):
    """A feed of one account, in a zone of its choice. Only the SHA-256 of its token is kept.

    It shows what its account may see by now, and goes when it is revoked. `uses` counts how often
    it was read.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        Index("ix_calendar_feeds_user_id_id", "user_id", "id"),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    zone: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[created_timestamp]
    last_used_at: Mapped[timestamp | None]
    uses: Mapped[int] = mapped_column(server_default="0")
