"""What happened, and who is told of it: events, the inbox, the mails."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Event(Base):
    """Something that followers hear of, and how far the telling has come.

    The targets are copied from the version that went public, so a later change of its tags does
    not change who is told; `ancestor_ids` are the categories above its own at that moment.
    `cursor_user_id` is the last follower that was reached, `recipients` how many were. `title` and
    `slug` are those that went public; inboxes and mails tell what is public when they are read or
    sent. `version` is the number of the version that went public; events of an older release have
    none. `stopped_at` is when a withdrawal of the item ended the telling before everybody had
    heard.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("kind", "content_id", "sequence"),
        CheckConstraint(
            "kind IN ('content.published', 'content.updated', 'content.corrected')",
            name="kind_is_known",
        ),
        Index("ix_events_content_id", "content_id"),
        Index("ix_events_occurred_at", "occurred_at"),
        Index("ix_events_author_id", "author_id"),
        Index("ix_events_category_id", "category_id"),
    )

    id: Mapped[identity]
    kind: Mapped[str] = mapped_column(Text)
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    sequence: Mapped[int]
    version: Mapped[int | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    ancestor_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    tag_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    title: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[created_timestamp]
    cursor_user_id: Mapped[int] = mapped_column(server_default="0")
    recipients: Mapped[int] = mapped_column(server_default="0")
    fanned_out_at: Mapped[timestamp | None]
    stopped_at: Mapped[timestamp | None]


class Notification(Base):
    """One event in one reader's inbox; the key is the promise that nobody is told twice.

    There are no foreign keys, on purpose: checking two for each of a million rows would lock a
    million users. A row whose user or event is gone is seen by nobody: the inbox joins the event.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index(
            "ix_notifications_user_id_unread",
            "user_id",
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    created_at: Mapped[created_timestamp]
    read_at: Mapped[timestamp | None]


class MailDelivery(Base):
    """One mail of one event to one reader. Without foreign keys, as the notifications are.

    `queued` is to be sent (again) at `next_attempt_at`; `sent`, `failed` (refused for good) and
    `suppressed` (the account is gone, disabled or wants no mail any more, or the item was
    withdrawn) are final.
    """

    __tablename__ = "mail_deliveries"
    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'sent', 'failed', 'suppressed')", name="state_is_known"
        ),
        Index(
            "ix_mail_deliveries_event_id_user_id_queued",
            "event_id",
            "user_id",
            postgresql_where=text("state = 'queued'"),
        ),
    )

    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[created_timestamp]
    created_at: Mapped[created_timestamp]
    sent_at: Mapped[timestamp | None]
    answer: Mapped[str | None] = mapped_column(Text)


class NotificationPreference(Base):
    """What a reader chose; without a row, mail is sent.

    `by_mail` is of news for followers, `notices_by_mail` of what the newsroom tells its people.
    """

    __tablename__ = "notification_preferences"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    by_mail: Mapped[bool] = mapped_column(server_default="true")
    notices_by_mail: Mapped[bool] = mapped_column(server_default="true")
    updated_at: Mapped[created_timestamp]
