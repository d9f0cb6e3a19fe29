"""Single-use tokens that let a person set a new password."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class PasswordResetToken(Base):
    """A reset token, of which only the SHA-256 is kept; the mail holds the only copy.

    `mailed_at` is when the mail server took that mail or refused it for good. `used_at` is when the
    token was used, or a newer one took its place.
    """

    __tablename__ = "password_reset_tokens"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        Index("ix_password_reset_tokens_user_id", "user_id"),
        Index("ix_password_reset_tokens_expires_at", "expires_at"),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    mailed_at: Mapped[timestamp | None]
    used_at: Mapped[timestamp | None]
