"""What an account is opened with beside its password, and the logins that wait for it."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary
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
