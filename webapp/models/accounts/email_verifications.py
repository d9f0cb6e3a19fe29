"""Proofs of an address that are asked for: one row for each mail with such a token."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class EmailVerification(Base):
    """An account is to show that `email` is its own, by the token that is mailed there.

    `email` differs from the account's where it is to take its place. Only the SHA-256 of the token
    is kept. `minted_at` is when a mail was last made for this row, with a token, or without one
    where another account has proven the address. `ended_at` is when the token was used, or a newer
    row took its place. The `former_…` are what the account had before, where it got a new address.
    """

    __tablename__ = "email_verifications"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        CheckConstraint("octet_length(email_hash) = 32", name="email_hash_is_sha256"),
        Index("ix_email_verifications_user_id_id", "user_id", "id"),
        Index("ix_email_verifications_email_hash_minted_at", "email_hash", "minted_at"),
        Index("ix_email_verifications_created_at", "created_at"),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(Text)
    email_hash: Mapped[bytes] = mapped_column(LargeBinary)
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[created_timestamp]
    minted_at: Mapped[timestamp | None]
    expires_at: Mapped[timestamp | None]
    ended_at: Mapped[timestamp | None]
    former_email: Mapped[str | None] = mapped_column(Text)
    former_email_proven_at: Mapped[timestamp | None]
