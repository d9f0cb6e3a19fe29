"""What a passkey is to sign: made at random, good for five minutes, and for one try.

A try is noted and committed before what was signed is looked at, so that a wrong one, whose
transaction is rolled back, has used it up as well.
"""

import hashlib
import secrets

from sqlalchemy import func, insert, select, update
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


def use_up(session: Session, challenge: bytes) -> bool:
    """Say whether this is the first try at a challenge; commit before what was signed is looked at.

    Of many tries at once the guarded update makes one the first.
    """
    used = (
        update(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge_hash == _hash(challenge),
            PasskeyChallenge.used_at.is_(None),
        )
        .values(used_at=func.clock_timestamp())
        .returning(PasskeyChallenge.id)
    )
    return session.scalar(used) is not None


def is_asked(session: Session, challenge: bytes, purpose: Purpose, user_id: int | None) -> bool:
    """Say whether a challenge was made for this purpose and account, and is not too old."""
    made = select(PasskeyChallenge.id).where(
        PasskeyChallenge.challenge_hash == _hash(challenge),
        PasskeyChallenge.purpose == purpose,
        PasskeyChallenge.user_id.is_not_distinct_from(user_id),
        PasskeyChallenge.expires_at > func.clock_timestamp(),
    )
    return session.scalar(made) is not None


def _hash(challenge: bytes) -> bytes:
    return hashlib.sha256(challenge).digest()
