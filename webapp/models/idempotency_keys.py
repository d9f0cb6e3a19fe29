"""Answers kept for clients that ask the same thing twice."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, created_timestamp


class IdempotencyKey(Base):
    """The answer to one POST, written in the same transaction as its effect.

    `scope` is the account or the API key, so that a key is private to who chose it; of an anonymous
    request it is its fingerprint. `fingerprint` is the keyed SHA-256 of method, path, If-Match,
    role and body: another request under the same key is an error of the client.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("octet_length(fingerprint) = 32", name="fingerprint_is_sha256"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    scope: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[created_timestamp]
