"""Who wants to hear of what."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity


def _followed(column: str) -> Index:
    """Make a follow unique, and give the fan-out its followers in the order of their ids."""
    return Index(
        f"uq_follows_{column}_user_id",
        column,
        "user_id",
        unique=True,
        postgresql_where=text(f"{column} IS NOT NULL"),
    )


class Follow(Base):
    """One reader follows one author, category, tag or item: exactly one of the four is set.

    With `include_subtree` what stands below a category is followed as well.
    """

    __tablename__ = "follows"
    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(author_id, category_id, tag_id, content_id) = 1",
            name="follows_exactly_one",
        ),
        _followed("author_id"),
        _followed("category_id"),
        _followed("tag_id"),
        _followed("content_id"),
        Index("ix_follows_user_id_id", "user_id", "id"),
        Index(
            "ix_follows_category_id_user_id_subtree",
            "category_id",
            "user_id",
            postgresql_where=text("include_subtree"),
        ),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id", ondelete="CASCADE"))
    tag_id: Mapped[int | None] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"))
    content_id: Mapped[int | None] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    include_subtree: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[created_timestamp]
