"""The immutable, numbered copies of an item: one for each acknowledged save."""

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, json_object, timestamp


class ContentVersion(Base):
    """One complete copy of an item's text, written in the transaction of the save that made it.

    `digest` is the SHA-256 of the text at the time of the save; the versions worker checks it and
    adds the statistics when it seals the row.

    A packed version has its text in `packed`, whole or as what differs from the version
    `reference_id`, and no `body` and no `excerpt` any more; its other columns stay as they were.
    Who wants a text asks `webapp/services/content/version_texts.py`.

    Numbers have gaps where versions were pruned, and none is given twice. `restored_from` is the
    number of the version that a restore brought back. `origin` says who wrote it, where somebody
    has said so, and `tool` with what.
    """

    __tablename__ = "content_versions"
    __table_args__ = (
        UniqueConstraint("content_id", "number"),
        CheckConstraint("number > 0", name="number_is_positive"),
        CheckConstraint("octet_length(digest) = 32", name="digest_is_sha256"),
        CheckConstraint("body_format IN ('markdown', 'html')", name="body_format_is_known"),
        CheckConstraint("origin IN ('human', 'assisted', 'generated')", name="origin_is_known"),
        CheckConstraint("(body IS NULL) = (packed IS NOT NULL)", name="text_is_whole_or_packed"),
        CheckConstraint(
            "reference_id IS NULL OR packed IS NOT NULL AND reference_id < id",
            name="reference_is_of_a_packed_one",
        ),
        Index("ix_content_versions_author_id", "author_id"),
        Index("ix_content_versions_category_id", "category_id"),
        Index("ix_content_versions_reference_id", "reference_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    number: Mapped[int]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    title: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    body_format: Mapped[str] = mapped_column(Text, server_default="markdown")
    excerpt: Mapped[str] = mapped_column(Text, server_default="")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    details: Mapped[json_object] = mapped_column("metadata")
    reason: Mapped[str] = mapped_column(Text, server_default="save")
    restored_from: Mapped[int | None]
    origin: Mapped[str | None] = mapped_column(Text)
    tool: Mapped[str | None] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[created_timestamp]
    sealed_at: Mapped[timestamp | None]
    words: Mapped[int | None]
    words_added: Mapped[int | None]
    words_removed: Mapped[int | None]
    packed: Mapped[bytes | None] = mapped_column(LargeBinary)
    reference_id: Mapped[int | None] = mapped_column(
        ForeignKey("content_versions.id", ondelete="RESTRICT")
    )


class Rendering(Base):
    """The sanitised HTML of one version and its search words.

    Made before the version goes public, so that neither rendering nor the search index is paid for
    at the moment of publishing. One that nothing public or scheduled needs is deleted after a
    while, and made again where it is wanted. `words` is what it is searched by, in a `language`;
    a row of a release before the one that brought them has none, and is searched by `search`.
    """

    __tablename__ = "renderings"
    __table_args__ = (
        Index(
            "ix_renderings_words",
            "words",
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": "256"},
        ),
        Index("ix_renderings_wordless", "version_id", postgresql_where=text("words IS NULL")),
        Index("ix_renderings_search", "search", postgresql_using="gin"),
        Index("ix_renderings_rendered_at", "rendered_at"),
    )

    version_id: Mapped[int] = mapped_column(
        ForeignKey("content_versions.id", ondelete="CASCADE"), primary_key=True
    )
    html: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text)
    search: Mapped[Any] = mapped_column(TSVECTOR)
    words: Mapped[Any | None] = mapped_column(TSVECTOR)
    language: Mapped[str | None] = mapped_column(Text)
    rendered_at: Mapped[created_timestamp]
