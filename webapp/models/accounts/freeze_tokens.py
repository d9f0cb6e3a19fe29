"""Single-use tokens of notices, by which an owner says: this was not me."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class FreezeToken(Base):
    """A token that freezes an account; only its SHA-256 is kept, and a mail holds the only copy.

    `verification_id` is the proof of another address that the notice told of: freezing gives the
    account back the address that it had before. `used_at` is when the token was used, or one that
    goes before it.
    """

    __tablename__ = "freeze_tokens"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        Index("ix_freeze_tokens_user_id", "user_id"),
        Index("ix_freeze_tokens_verification_id", "verification_id"),
        Index("ix_freeze_tokens_expires_at", "expires_at"),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    verification_id: Mapped[int | None] = mapped_column(
        ForeignKey("email_verifications.id", ondelete="CASCADE")
    )
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    used_at: Mapped[timestamp | None]
