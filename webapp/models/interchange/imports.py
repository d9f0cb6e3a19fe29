"""What an import knows of an item's source, and what stands here for its names."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, json_object


class ImportRecord(Base):
    """What the source of an item said at the last import, and what that import did about it.

    `said` holds the source's title, slug, status, moments and first author, so that the next import
    sees what changed there. The rest tells what is the import's own and not an editor's: the slug
    and the author that it gave, the schedules that it made, and with `act` and `publish_sequence`
    the publication that is its doing. `private` holds what the source has beside and the public
    never gets, such as unknown keys of front matter.
    """

    __tablename__ = "import_records"
    __table_args__ = (
        CheckConstraint(
            "act IN ('none', 'published', 'scheduled', 'withdrawn')", name="act_is_known"
        ),
        Index("ix_import_records_collection_content_id", "collection", "content_id"),
        Index("ix_import_records_author_id", "author_id"),
        Index("ix_import_records_publish_schedule_id", "publish_schedule_id"),
        Index("ix_import_records_unpublish_schedule_id", "unpublish_schedule_id"),
    )

    content_id: Mapped[int] = mapped_column(
        ForeignKey("content.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    collection: Mapped[str] = mapped_column(Text)
    said: Mapped[json_object]
    private: Mapped[json_object]
    slug: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    act: Mapped[str] = mapped_column(Text, server_default="none")
    publish_sequence: Mapped[int] = mapped_column(server_default="0")
    publish_schedule_id: Mapped[int | None] = mapped_column(
        ForeignKey("schedules.id", ondelete="SET NULL")
    )
    unpublish_schedule_id: Mapped[int | None] = mapped_column(
        ForeignKey("schedules.id", ondelete="SET NULL")
    )
    created_at: Mapped[created_timestamp]
    updated_at: Mapped[created_timestamp]


class ImportedAuthor(Base):
    """The account that an import made for an author's name, so that no other is taken for it."""

    __tablename__ = "imported_authors"
    __table_args__ = (Index("ix_imported_authors_user_id", "user_id"),)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[created_timestamp]


class ImportedCategory(Base):
    """The category that stands for a source's, whatever it is called here by now.

    `slug` is the source's own, empty where it has none. Without a `category_id` the category was
    deleted here.
    """

    __tablename__ = "imported_categories"
    __table_args__ = (Index("ix_imported_categories_category_id", "category_id"),)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    category_id: Mapped[int | None] = mapped_column(
        ForeignKey("categories.id", ondelete="SET NULL")
    )
    created_at: Mapped[created_timestamp]
