"""Categories (a tree) and tags (a flat list)."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity


class Category(Base):
    """A shelf that an item stands on; shelves may stand inside others."""

    __tablename__ = "categories"
    __table_args__ = (
        CheckConstraint("parent_id <> id", name="parent_is_another"),
        Index("ix_categories_parent_id", "parent_id"),
    )

    id: Mapped[identity]
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id", ondelete="SET NULL"))
    created_at: Mapped[created_timestamp]


class Tag(Base):
    """A word that readers can follow; made the first time an author uses it."""

    __tablename__ = "tags"

    id: Mapped[identity]
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
