"""What people of the newsroom say to each other about an item."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class CommentThread(Base):
    """Comments that answer each other: on an item, on a version of it, or on a line of that.

    `quote` is how the line begins in that version, so that it is found again in a later one, and
    is known once the version is pruned.
    """

    __tablename__ = "comment_threads"
    __table_args__ = (
        CheckConstraint("version_number > 0", name="version_number_is_positive"),
        CheckConstraint("line > 0", name="line_is_positive"),
        CheckConstraint("line IS NULL OR version_number IS NOT NULL", name="line_has_version"),
        CheckConstraint("(line IS NULL) = (quote IS NULL)", name="line_has_quote"),
        CheckConstraint("char_length(quote) <= 500", name="quote_is_bounded"),
        CheckConstraint(
            "resolved_by_id IS NULL OR resolved_at IS NOT NULL", name="resolver_has_time"
        ),
        Index("ix_comment_threads_content_id_id", "content_id", "id"),
        Index("ix_comment_threads_resolved_by_id", "resolved_by_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    version_number: Mapped[int | None]
    line: Mapped[int | None]
    quote: Mapped[str | None] = mapped_column(Text)
    resolved_at: Mapped[timestamp | None]
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[created_timestamp]


class Comment(Base):
    """What one person says in a thread. One that was deleted, and that others follow, is empty."""

    __tablename__ = "comments"
    __table_args__ = (
        CheckConstraint(
            "CASE WHEN deleted_at IS NULL THEN char_length(body) BETWEEN 1 AND 10000"
            " ELSE body = '' END",
            name="body_is_said_or_deleted",
        ),
        Index("ix_comments_thread_id_id", "thread_id", "id"),
        Index("ix_comments_author_id", "author_id"),
    )

    id: Mapped[identity]
    thread_id: Mapped[int] = mapped_column(ForeignKey("comment_threads.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
    edited_at: Mapped[timestamp | None]
    deleted_at: Mapped[timestamp | None]
