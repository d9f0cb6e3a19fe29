"""Copies of what is kept of a person, made for them, and kept for some days."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp, identity, timestamp


class AccountExport(Base):
    """One copy that an owner has asked for.

    `rows_done` and `byte_count` grow while a worker makes it; `ready_at` is when all its files were
    there, and `expires_at` when they go. Only the SHA-256 of the token of the mailed link is kept.
    `fetched_at` is when a file of it was last taken.
    """

    __tablename__ = "account_exports"
    __table_args__ = (
        CheckConstraint("octet_length(token_hash) = 32", name="token_hash_is_sha256"),
        Index("ix_account_exports_user_id_id", "user_id", "id"),
        # One is made at a time.
        Index(
            "uq_account_exports_user_id_unready", "user_id", unique=True,
            postgresql_where=text("ready_at IS NULL"),
        ),
        Index("ix_account_exports_expires_at", "expires_at"),
    )  # fmt: skip

    id: Mapped[identity]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    asked_at: Mapped[created_timestamp]
    rows_done: Mapped[int] = mapped_column(server_default="0")
    byte_count: Mapped[int] = mapped_column(server_default="0")
    ready_at: Mapped[timestamp | None]
    expires_at: Mapped[timestamp | None]
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    fetched_at: Mapped[timestamp | None]


class AccountExportFile(Base):
    """One file of a copy: a zip of its own, of some 16 MiB at most."""

    __tablename__ = "account_export_files"

    export_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("account_exports.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
