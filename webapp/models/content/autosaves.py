"""What somebody is writing and has not saved yet."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, json_object, timestamp


class Autosave(Base):
    """The unsaved changes of one person to one item: one row, written over as they type.

    `changes` holds the changed fields by the names that the API gives them; they were begun from
    version `base_version`. `conflicted_at` says that the worker which makes versions of what has
    been left could not make one of this, so that it waits for its author.
    """

    __tablename__ = "autosaves"
    __table_args__ = (
        UniqueConstraint("content_id", "user_id"),
        CheckConstraint("base_version > 0", name="base_version_is_positive"),
        Index("ix_autosaves_user_id", "user_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    base_version: Mapped[int]
    changes: Mapped[json_object]
    revision: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[created_timestamp]
    updated_at: Mapped[created_timestamp]
    conflicted_at: Mapped[timestamp | None]
