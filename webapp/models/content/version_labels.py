"""Names that people give to versions, such as "as printed"."""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity


class VersionLabel(Base):
    """A name of one version, unlike all others of its item. A version that has one is kept."""

    __tablename__ = "version_labels"
    __table_args__ = (
        UniqueConstraint("content_id", "name"),
        Index("ix_version_labels_version_id", "version_id"),
        Index("ix_version_labels_created_by_id", "created_by_id"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(ForeignKey("content_versions.id", ondelete="NO ACTION"))
    name: Mapped[str] = mapped_column(Text)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[created_timestamp]
