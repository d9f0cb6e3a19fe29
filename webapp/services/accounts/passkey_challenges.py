"""What a passkey is to sign: made at random, good for five minutes, and once."""

import hashlib
import secrets

from sqlalchemy import func, insert, update
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.kit.passkeys import Purpose
from webapp.models import PasskeyChallenge

CHALLENGE_SECONDS = 300.0
# Twice what the standard asks for: WebAuthn Level 3, 13.4.3.
_CHALLENGE_BYTES = 32


def make(session: Session, purpose: Purpose, user_id: int | None) -> bytes:
    """Return a new challenge for one purpose; None for the passkey of whoever it may be."""
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    session.execute(
        insert(PasskeyChallenge).values(
            user_id=user_id,
            purpose=purpose,
            challenge_hash=_hash(challenge),
            expires_at=seconds_from_now(CHALLENGE_SECONDS),
        )
    )
    return challenge


def take(session: Session, challenge: bytes, purpose: Purpose, user_id: int | None) -> bool:
    """Use a challenge up; of many uses of one at once the guarded update lets one through."""
    used = (
        update(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge_hash == _hash(challenge),
            PasskeyChallenge.purpose == purpose,
            PasskeyChallenge.user_id.is_not_distinct_from(user_id),
            PasskeyChallenge.used_at.is_(None),
            PasskeyChallenge.expires_at > func.clock_timestamp(),
        )
        .values(used_at=func.clock_timestamp())
        .returning(PasskeyChallenge.id)
    )
    return session.scalar(used) is not None


def _hash(challenge: bytes) -> bytes:
    return hashlib.sha256(challenge).digest()
