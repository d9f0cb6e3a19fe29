"""Login sessions: one row for each token that was handed out."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.accounts.users import User
from webapp.models.base import Base, created_timestamp, identity, timestamp


class AccessToken(Base):
    """A bearer token, of which only the SHA-256 is kept.

    `last_used_at`, with the `address` that it was used from, is noted once a minute at most; None
    is not since the login.
    """

    __tablename__ = "access_tokens"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        Index("ix_access_tokens_user_id_id", "user_id", "id"),
        Index("ix_access_tokens_expires_at", "expires_at"),
        Index(
            "ix_access_tokens_revoked_at",
            "revoked_at",
            postgresql_where=text("revoked_at IS NOT NULL"),
        ),
        Index(
            "ix_access_tokens_user_id_live", "user_id", postgresql_where=text("revoked_at IS NULL")
        ),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_agent: Mapped[str] = mapped_column(Text, server_default="")
    address: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    revoked_at: Mapped[timestamp | None]
    last_used_at: Mapped[timestamp | None]

    user: Mapped[User] = relationship(lazy="raise")
