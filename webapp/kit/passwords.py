"""Password hashing with Argon2id."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

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


@cache
def unmatchable_hash() -> str:
    """Return a hash that costs as much to check as a real one.

    Checking it when the login is unknown keeps the time of the answer from telling so.
    """
    return hash_password("no account has this password")
