"""Categories (a tree) and tags (a flat list).

A slug is an address. Who looks for a category or a tag by what it is called looks for its name.
"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, func, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import Function

from webapp.models.base import Base, created_timestamp, identity


def key_of_name(name: ColumnElement[str]) -> Function[str]:
    """Return what names have in common that differ in case and Unicode form alone."""
    return func.lower(func.normalize(name, literal_column("NFKC")))


class Category(Base):
    """A shelf that an item stands on; shelves may stand inside others.

    `was_public` says that the public may know of it: it was made by a person through the API, or
    something in it, or below it, has been public. One that only imported drafts have is as secret
    as they are.
    """

    __tablename__ = "categories"
    __table_args__ = (
        CheckConstraint("parent_id <> id", name="parent_is_another"),
        Index("ix_categories_parent_id", "parent_id"),
        Index("ix_categories_key_of_name", key_of_name(literal_column("name"))),
        Index("ix_categories_id_was_public", "id", postgresql_where=text("was_public")),
    )

    id: Mapped[identity]
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id", ondelete="SET NULL"))
    was_public: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[created_timestamp]


class CategoryAlias(Base):
    """A slug under which a category was public, or one that was merged into it.

    A trigger keeps the slugs of categories and these apart, so that one names one thing.
    """

    __tablename__ = "category_aliases"
    __table_args__ = (Index("ix_category_aliases_category_id", "category_id"),)

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id", ondelete="CASCADE"))
    created_at: Mapped[created_timestamp]


class Tag(Base):
    """A word that readers can follow; made the first time an author uses it, named by managers.

    `was_public` says that something public has had it. Until then its name is how the first draft
    spells it; the first publication gives it its own spelling.
    """

    __tablename__ = "tags"
    __table_args__ = (
        Index("ix_tags_key_of_name", key_of_name(literal_column("name"))),
        Index("ix_tags_slug_was_public", "slug", postgresql_where=text("was_public")),
    )

    id: Mapped[identity]
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    was_public: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[created_timestamp]


class TagAlias(Base):
    """What a tag was called, or another one that was merged into it.

    Versions keep the slugs of their time, and authors write the names that they know: both find the
    tag. `slug` is None where the name alone changed. `was_public` says that the public knew it.
    """

    __tablename__ = "tag_aliases"
    __table_args__ = (
        Index("ix_tag_aliases_tag_id", "tag_id"),
        Index("ix_tag_aliases_key_of_name", key_of_name(literal_column("name"))),
    )

    id: Mapped[identity]
    slug: Mapped[str | None] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"))
    was_public: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[created_timestamp]
