"""Answers kept under an Idempotency-Key, so that a repeated POST has one effect."""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.models import IdempotencyKey
from webapp.services.errors import ConflictError


class KeyReusedError(ConflictError):
    """The key was used before for another request."""


@dataclass(frozen=True)
class StoredAnswer:
    """What was answered the first time."""

    status: int
    headers: dict[str, str]
    body: bytes


def fingerprint_of(
    secret_key: str, method: str, path: str, if_match: str, role: str, body: bytes
) -> bytes:
    """Return what makes two requests the same: a keyed SHA-256 of all that decides their effect.

    The caller's role is a part of it: who has lost a right does not get the answer once more that
    it gave. A body may hold a password, which a plain hash would let a reader of the table guess.
    """
    message = b"\n".join([*(part.encode() for part in (method, path, if_match, role)), body])
    return hmac.digest(secret_key.encode(), message, "sha256")


def find_answer(session: Session, scope: str, key: str, fingerprint: bytes) -> StoredAnswer | None:
    """Return the kept answer, or None when this request is the first with its key.

    Raises KeyReusedError when the key belongs to another request, and ConflictError while the first
    request is still under way: its lock ends with its transaction.
    """
    digest = hashlib.sha256(f"{scope}\x1f{key}".encode()).digest()
    lock_key = int.from_bytes(digest[:8], "big", signed=True)
    if not session.scalar(select(func.pg_try_advisory_xact_lock(lock_key))):
        raise ConflictError("The first request with this Idempotency-Key is still under way.")
    kept = session.get(IdempotencyKey, (scope, key))
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        raise KeyReusedError(
            "This Idempotency-Key was used for another request, or in another role."
        )
    return StoredAnswer(kept.status, kept.headers, kept.body)


def keep_answer(
    session: Session, scope: str, key: str, fingerprint: bytes, answer: StoredAnswer
) -> None:
    """Keep an answer in the transaction of its effect."""
    session.execute(
        insert(IdempotencyKey).values(
            scope=scope,
            key=key,
            fingerprint=fingerprint,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
        )
    )
