"""Whom an issuer of OpenID Connect signs in as which account, and the sign-ins under way."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Identity(Base):
    """A person as an issuer knows them (its url and its `subject`), and their account here.

    An account has one of an issuer at most, so that an address that a company gives to somebody
    else brings nobody a second key to the account of before.
    """

    __tablename__ = "identities"
    __table_args__ = (
        Index("uq_identities_issuer_subject", "issuer", "subject", unique=True),
        Index("uq_identities_user_id_issuer", "user_id", "issuer", unique=True),
        Index("ix_identities_user_id_id", "user_id", "id"),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
    last_used_at: Mapped[created_timestamp]


class IssuerSignIn(Base):
    """A sign-in that a client has begun, by the name of the issuer that it was sent to.

    `state` comes back with the browser and `handle` stays with the client; only the SHA-256 of each
    is kept, and what proves the answer is made of the handle. `used_at` is when they came back.
    """

    __tablename__ = "issuer_sign_ins"
    __table_args__ = (
        CheckConstraint("octet_length(state_hash) = 32", name="state_hash_is_sha256"),
        CheckConstraint("octet_length(handle_hash) = 32", name="handle_hash_is_sha256"),
        Index("ix_issuer_sign_ins_expires_at", "expires_at"),
    )

    id: Mapped[identity]
    issuer: Mapped[str] = mapped_column(Text)
    state_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    handle_hash: Mapped[bytes] = mapped_column(LargeBinary)
    return_url: Mapped[str] = mapped_column(Text)
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    used_at: Mapped[timestamp | None]
