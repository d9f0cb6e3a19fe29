"""Accounts and the roles they hold."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.base import Base, created_timestamp, identity, timestamp


class Role(Base):
    """One of the five levels of trust; a higher rank may do all that a lower one may."""

    __tablename__ = "roles"

    id: Mapped[identity]
    name: Mapped[str] = mapped_column(Text, unique=True)
    rank: Mapped[int] = mapped_column(SmallInteger, unique=True)


class User(Base):
    """An account: a person who reads, writes or runs the place.

    Several may claim an address as long as it is proven by none; the first that proves it has it.
    `second_factor_at` is since when it has any second factor; None where it has none.
    `disabled_at` is when those who run the place switched it off, `frozen_at` when its owner did.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("login = lower(login)", name="login_is_lower_case"),
        CheckConstraint("octet_length(email_hash) = 32", name="email_hash_is_sha256"),
        Index("ix_users_role_id", "role_id"),
        Index("ix_users_email_hash", "email_hash"),
        Index(
            "uq_users_email_hash_proven",
            "email_hash",
            unique=True,
            postgresql_where=text("email_proven_at IS NOT NULL"),
        ),
        Index(
            "ix_users_created_at_unproven",
            "created_at",
            postgresql_where=text("email_proven_at IS NULL"),
        ),
    )

    id: Mapped[identity]
    login: Mapped[str] = mapped_column(Text, unique=True)
    email: Mapped[str] = mapped_column(Text)
    email_hash: Mapped[bytes] = mapped_column(LargeBinary)
    email_proven_at: Mapped[timestamp | None]
    password_hash: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text)
    bio: Mapped[str] = mapped_column(Text, server_default="")
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id", ondelete="RESTRICT"))
    disabled_at: Mapped[timestamp | None]
    second_factor_at: Mapped[timestamp | None]
    frozen_at: Mapped[timestamp | None]
    created_at: Mapped[created_timestamp]
    updated_at: Mapped[created_timestamp]

    role: Mapped[Role] = relationship(lazy="raise")
