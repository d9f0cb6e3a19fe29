"""Items of content as their authors work on them: the drafts, never what the public reads."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, json_object, timestamp


class Content(Base):
    """The working copy of one item.

    `version` is the number of the newest row in `content_versions`, which holds the same text.
    `revision` counts every change of the item, whatever its kind, and is what an ETag shows.
    `publish_sequence` counts how often the item has gone public, and `retracted_sequence` is that
    count where the item was retracted, so that it is retracted until it goes public again. Where
    the item stands follows from `status` and four more columns, by `services/content/lifecycle.py`:
    a release that does not know of unpublished, retracted and archived items reads the former two
    as drafts and the last as trash.
    """

    __tablename__ = "content"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'published', 'trashed')", name="status_is_known"),
        CheckConstraint("body_format IN ('markdown', 'html')", name="body_format_is_known"),
        CheckConstraint("origin IN ('human', 'assisted', 'generated')", name="origin_is_known"),
        Index("ix_content_author_id_id", "author_id", "id"),
        Index("ix_content_author_id_draft", "author_id", postgresql_where=text("status = 'draft'")),
        Index("ix_content_category_id", "category_id"),
        Index(
            "ix_content_origin_id",
            "origin",
            "id",
            postgresql_where=text("origin IS NOT NULL"),
        ),
        Index("ix_content_status_id", "status", "id"),
        Index(
            "ix_content_unpublished",
            "id",
            postgresql_where=text("status = 'draft' AND publish_sequence > 0"),
        ),
        Index(
            "ix_content_retracted",
            "id",
            postgresql_where=text("status = 'draft' AND retracted_sequence = publish_sequence"),
        ),
        Index(
            "ix_content_trashed",
            "id",
            postgresql_where=text(
                "status = 'trashed' AND (trashed_at IS NOT NULL OR archived_at IS NULL)"
            ),
        ),
        Index(
            "ix_content_archived",
            "id",
            postgresql_where=text(
                "status = 'trashed' AND trashed_at IS NULL AND archived_at IS NOT NULL"
            ),
        ),
    )

    id: Mapped[identity]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    title: Mapped[str] = mapped_column(Text)
    slug: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text, server_default="")
    body_format: Mapped[str] = mapped_column(Text, server_default="markdown")
    excerpt: Mapped[str] = mapped_column(Text, server_default="")
    details: Mapped[json_object] = mapped_column("metadata")
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    version: Mapped[int] = mapped_column(server_default="0")
    revision: Mapped[int] = mapped_column(server_default="1")
    publish_sequence: Mapped[int] = mapped_column(server_default="0")
    retracted_sequence: Mapped[int | None]
    import_source: Mapped[str | None] = mapped_column(Text, unique=True)
    origin: Mapped[str | None] = mapped_column(Text)
    tool: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
    updated_at: Mapped[created_timestamp]
    published_at: Mapped[timestamp | None]
    trashed_at: Mapped[timestamp | None]
    archived_at: Mapped[timestamp | None]


class ContentTag(Base):
    """The tags of an item's working copy, as its author spells them (None: as the tag's name)."""

    __tablename__ = "content_tags"
    __table_args__ = (Index("ix_content_tags_tag_id_content_id", "tag_id", "content_id"),)

    content_id: Mapped[int] = mapped_column(
        ForeignKey("content.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    spelling: Mapped[str | None] = mapped_column(Text)


class Slug(Base):
    """A public name that belongs to one item, so that no publication can collide with another.

    The row is made when the item is published or scheduled under the name. Once it was public the
    name stays the item's own, and answers with a redirect; one that no open schedule pins and that
    was never public is free for whoever asks.
    """

    __tablename__ = "slugs"
    __table_args__ = (Index("ix_slugs_content_id", "content_id"),)

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    was_public: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[created_timestamp]
