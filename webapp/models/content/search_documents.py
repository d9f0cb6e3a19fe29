"""What the working copies of items are found by."""

from typing import Any

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp


class SearchDocument(Base):
    """The words of an item's newest version that the versions worker has sealed, for authors.

    `number` is that of the version. Nothing is ever shown from here, and who may find an item is
    asked of the item: a row that is behind finds what the item said a moment ago.
    """

    __tablename__ = "search_documents"
    __table_args__ = (
        Index(
            "ix_search_documents_words",
            "words",
            postgresql_using="gin",
            postgresql_with={"gin_pending_list_limit": "256"},
        ),
        Index("ix_search_documents_language", "language"),
    )

    content_id: Mapped[int] = mapped_column(
        ForeignKey("content.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int]
    language: Mapped[str] = mapped_column(Text)
    words: Mapped[Any] = mapped_column(TSVECTOR)
    indexed_at: Mapped[created_timestamp]
