"""Links under which somebody without an account reads a version that is not public."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class PreviewLink(Base):
    """A link to one version. Only the SHA-256 of its token is kept.

    It opens until `expires_at`, unless `revoked_at` came before, and as long as the account of its
    maker works. `views` counts how often it was opened.
    """

    __tablename__ = "preview_links"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        Index("ix_preview_links_content_id_id", "content_id", "id"),
        Index("ix_preview_links_version_id", "version_id"),
        Index("ix_preview_links_created_by_id", "created_by_id"),
        Index("ix_preview_links_expires_at", "expires_at"),
    )

    id: Mapped[identity]
    content_id: Mapped[int] = mapped_column(ForeignKey("content.id", ondelete="CASCADE"))
    version_id: Mapped[int] = mapped_column(ForeignKey("content_versions.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    revoked_at: Mapped[timestamp | None]
    views: Mapped[int] = mapped_column(server_default="0")
    last_viewed_at: Mapped[timestamp | None]
