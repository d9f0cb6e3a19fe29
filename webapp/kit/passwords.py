"""Password hashing with Argon2id."""

import hashlib
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret_raw

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 256


@cache
def _hasher() -> PasswordHasher:
    # The parameters are the second choice of OWASP's password storage cheat sheet: 19 MiB, two
    # passes, one lane.
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """Return the encoded Argon2id hash of a password; it costs about 25 ms on purpose."""
    return _hasher().hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Say whether the password is the one that was hashed."""
    try:
        return _hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def password_bound_secret(password: str, password_hash: str, purpose: str) -> bytes:
    """Return 32 bytes that only who knows the password can compute, for one purpose.

    They are Argon2id of the password under a salt that is made of its kept hash, which has a random
    salt of its own: whoever reads that hash gets nothing out of it that is easier to guess than
    the password itself. It costs as much as a hash does.
    """
    hasher = _hasher()
    return hash_secret_raw(
        password.encode(),
        salt=hashlib.sha256(f"{purpose}\x1f{password_hash}".encode()).digest()[:16],
        time_cost=hasher.time_cost,
        memory_cost=hasher.memory_cost,
        parallelism=hasher.parallelism,
        hash_len=32,
        type=Type.ID,
    )


@cache
def unmatchable_hash() -> str:
    """Return a hash that costs as much to check as a real one.

    Checking it when the login is unknown keeps the time of the answer from telling so.
    """
    return hash_password("no account has this password")
