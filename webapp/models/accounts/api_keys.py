"""API keys: what machines and agents come with in place of a session."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class ApiKey(Base):
    """A key, of which only the SHA-256 is kept, and the first characters to know it again by.

    `last_used_at` is noted every minute at most; None is never.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("octet_length(key_hash) = 32", name="key_hash_is_sha256"),
        CheckConstraint("cardinality(scopes) > 0", name="scopes_are_given"),
        Index("ix_api_keys_user_id_id", "user_id", "id"),
        # Names tell keys apart, so no two that are not revoked have the same.
        Index(
            "uq_api_keys_user_id_name", "user_id", "name", unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_api_keys_expires_at", "expires_at"),
        Index(
            "ix_api_keys_revoked_at", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")
        ),
    )  # fmt: skip

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    prefix: Mapped[str] = mapped_column(Text)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    revoked_at: Mapped[timestamp | None]
    last_used_at: Mapped[timestamp | None]
