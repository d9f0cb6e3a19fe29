"""What an account is opened with beside its password, and the logins that wait for it."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class TotpFactor(Base):
    """The secret that an account shares with an authenticator app, sealed with the secret key.

    It counts from `confirmed_at` on, when a first code of it was right. `last_step` is the time
    step of the last code that was taken, so that none is taken twice.
    """

    __tablename__ = "totp_factors"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[created_timestamp]
    confirmed_at: Mapped[timestamp | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class RecoveryCode(Base):
    """One of the codes for a lost second factor, of which only the SHA-256 is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (
        CheckConstraint("octet_length(code_hash) = 32", name="code_hash_is_sha256"),
        Index("uq_recovery_codes_user_id_code_hash", "user_id", "code_hash", unique=True),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[created_timestamp]
    used_at: Mapped[timestamp | None]


class PendingSignIn(Base):
    """A login whose password was right and whose second factor is awaited.

    The token is no session's: it is in a table of its own, which no other request is looked up in.
    `ended_at` is when the second step was done, or all sessions of the account were ended.
    """

    __tablename__ = "pending_sign_ins"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        Index("ix_pending_sign_ins_user_id", "user_id"),
        Index("ix_pending_sign_ins_expires_at", "expires_at"),
    )

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    ended_at: Mapped[timestamp | None]


class Passkey(Base):
    """A public key whose private half never leaves the device of its owner.

    `user_handle` is what the device calls the account by. `sign_count` is what the device counted
    at the last use; 0 for one that counts nothing.
    """

    __tablename__ = "passkeys"
    __table_args__ = (Index("ix_passkeys_user_id_id", "user_id", "id"),)

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    user_handle: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    created_at: Mapped[created_timestamp]
    last_used_at: Mapped[timestamp | None]


class PasskeyChallenge(Base):
    """What a passkey is to sign, once and soon, of which only the SHA-256 is kept.

    `user_id` is whose passkey it has to be; None where a passkey is to say who signs in.
    """

    __tablename__ = "passkey_challenges"
    __table_args__ = (
        CheckConstraint("octet_length(challenge_hash) = 32", name="challenge_hash_is_sha256"),
        CheckConstraint("purpose IN ('add', 'prove', 'sign_in')", name="purpose_is_known"),
        CheckConstraint("(user_id IS NULL) = (purpose = 'sign_in')", name="whose_is_known"),
        Index("ix_passkey_challenges_user_id", "user_id"),
        Index("ix_passkey_challenges_expires_at", "expires_at"),
    )

    id: Mapped[identity]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(Text)
    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[created_timestamp]
    expires_at: Mapped[timestamp]
    used_at: Mapped[timestamp | None]
