"""Password hashing with Argon2id, of one form of what was typed.

A keyboard decides whether é is one code point or two. So a password is brought into the form NFKC
before it is hashed and checked, as NIST SP 800-63B, 5.1.1.2 has it, and its length is counted so.
Hashes of before that rule are of the form as it was typed; `verify_password` still knows them.
"""

import hashlib
import unicodedata
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret_raw

# Of a new password. Longer and shorter ones of earlier releases still open their accounts.
MINIMUM_LENGTH = 12
MAXIMUM_LENGTH = 128
# As typed: no character comes apart into more than four by its form NFD (UAX 15, section 12), and
# earlier releases took 256.
MAXIMUM_TYPED = 4 * 256


@cache
def _hasher() -> PasswordHasher:
    # The parameters are the second choice of OWASP's password storage cheat sheet: 19 MiB, two
    # passes, one lane.
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def normalized(password: str) -> str:
    """Return the one form of a password that is hashed and checked."""
    return unicodedata.normalize("NFKC", password)


def check_length(password: str) -> str:
    """Return a new password as it is; raises ValueError for one too short or too long."""
    is_short = len(password) <= MAXIMUM_TYPED  # A longer one is not worth the work.
    if not (is_short and MINIMUM_LENGTH <= len(normalized(password)) <= MAXIMUM_LENGTH):
        raise ValueError(f"must have {MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters")
    return password


def hash_password(password: str) -> str:
    """Return the encoded Argon2id hash of a password; it costs about 25 ms on purpose."""
    return _hasher().hash(normalized(password))


def verify_password(password_hash: str, password: str) -> bool:
    """Say whether the password is the one that was hashed, in its one form or as it was typed."""
    form = normalized(password)
    return _matches(password_hash, form) or _matches_as_typed(password_hash, password)


def needs_rehash(password_hash: str, password: str) -> bool:
    """Say whether the hash that a password matches would be made otherwise today.

    It is of the password as it was typed and not of its one form, or of other parameters.
    """
    return _hasher().check_needs_rehash(password_hash) or _matches_as_typed(password_hash, password)


def _matches_as_typed(password_hash: str, password: str) -> bool:
    return normalized(password) != password and _matches(password_hash, password)


def _matches(password_hash: str, form: str) -> bool:
    try:
        return _hasher().verify(password_hash, form)
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
        normalized(password).encode(),
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
