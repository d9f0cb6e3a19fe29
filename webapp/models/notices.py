"""What accounts of the newsroom are told of the desk."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, json_object, timestamp

_UNREAD = text("read_at IS NULL")
_UNMAILED = text("mail_state = 'queued'")


class Notice(Base):
    """One cause, told to one person; the key is the promise that it is told once.

    The words of a comment or a decision are not copied: they are read where they stand, so that
    what was changed or deleted since is told no more as it was. `by_id` is whose deed it was.

    `mail_group` names what goes in one mail while it is queued. `mailed_with_id` is the id of the
    notice that a mail was begun for, and with it the mail's: it is written before the mail goes
    out, so a second copy tells of the same notices under the same Message-ID.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("user_id", "dedupe_key"),
        CheckConstraint(
            "mail_state IN ('none', 'queued', 'sent', 'failed', 'suppressed')",
            name="mail_state_is_known",
        ),
        Index("ix_notices_user_id_id", "user_id", "id"),
        Index("ix_notices_user_id_unread", "user_id", "id", postgresql_where=_UNREAD),
        Index("ix_notices_user_id_unmailed", "user_id", postgresql_where=_UNMAILED),
        Index("ix_notices_mailed_with_id_unmailed", "mailed_with_id", postgresql_where=_UNMAILED),
        Index("ix_notices_content_id", "content_id"),
        Index("ix_notices_by_id", "by_id"),
        Index("ix_notices_created_at", "created_at"),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    subject_kind: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[int]
    content_id: Mapped[int | None] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    details: Mapped[json_object]
    dedupe_key: Mapped[str] = mapped_column(Text)
    mail_group: Mapped[str | None] = mapped_column(Text)
    mail_state: Mapped[str] = mapped_column(Text, server_default="none")
    mailed_with_id: Mapped[int | None]
    created_at: Mapped[created_timestamp]
    read_at: Mapped[timestamp | None]
