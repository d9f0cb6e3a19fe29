"""How failed logins are counted, and from where an account's owner is known to come."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, timestamp


class SignInThrottle(Base):
    """The failed logins of one thing that they are counted by, and how long it has to wait.

    The key is a digest, because what was typed as a login may be a password.
    """

    __tablename__ = "sign_in_throttles"
    __table_args__ = (
        CheckConstraint("octet_length(key_hash) = 32", name="key_hash_is_sha256"),
        Index("ix_sign_in_throttles_failed_at", "failed_at"),
    )

    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[timestamp]
    blocked_until: Mapped[timestamp]


class FamiliarNetwork(Base):
    """A network from which an account was logged in to, or its password set with a mailed token."""

    __tablename__ = "familiar_networks"
    __table_args__ = (Index("ix_familiar_networks_seen_at", "seen_at"),)

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    network: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[timestamp]
