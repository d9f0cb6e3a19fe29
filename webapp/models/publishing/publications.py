"""What the public reads: finished documents, in a table that no draft ever enters."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, timestamp


class Publication(Base):
    """One public item: the answers to a read of it and to a list that holds it, ready to send.

    `document` and `summary` are `json`, not `jsonb`, because they are passed through as bytes and
    never looked into. `tags` holds the slugs of the tags.
    """

    __tablename__ = "publications"
    __table_args__ = (
        CheckConstraint("slug <> ''", name="slug_is_given"),
        Index("ix_publications_published_at_content_id", "published_at", "content_id"),
        Index("ix_publications_author_id", "author_id", "published_at", "content_id"),
        Index("ix_publications_category_id", "category_id", "published_at", "content_id"),
        Index("ix_publications_version_id", "version_id"),
        CheckConstraint("origin IN ('human', 'assisted', 'generated')", name="origin_is_known"),
        Index(
            "ix_publications_origin",
            "origin",
            "published_at",
            "content_id",
            postgresql_where=text("origin IS NOT NULL"),
        ),
        Index("ix_publications_tags", "tags", postgresql_using="gin"),
    )

    content_id: Mapped[int] = mapped_column(
        ForeignKey("content.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version_id: Mapped[int] = mapped_column(ForeignKey("content_versions.id", ondelete="NO ACTION"))
    slug: Mapped[str] = mapped_column(Text, unique=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    origin: Mapped[str | None] = mapped_column(Text)
    document: Mapped[Any] = mapped_column(JSON)
    summary: Mapped[Any] = mapped_column(JSON)
    etag: Mapped[str] = mapped_column(Text)
    published_at: Mapped[timestamp]
    updated_at: Mapped[created_timestamp]
