"""The texts of API keys: `imprint_`, 43 characters of 256 random bits, and 6 of their CRC-32.

The prefix and the checksum let a scanner of secrets know a key for certain, wherever it was left,
and let a text that is none be refused without a look into the database.
"""

import secrets
import string
import zlib

PREFIX = "imprint_"
SHOWN_LENGTH = len(PREFIX) + 6
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# 62 ** 43 is more than 2 ** 256, and 62 ** 6 is more than 2 ** 32.
_SECRET_LENGTH = 43
_CHECKSUM_LENGTH = 6
KEY_LENGTH = len(PREFIX) + _SECRET_LENGTH + _CHECKSUM_LENGTH


def new_key() -> str:
    """Return a new key; only digits and letters follow the prefix, so that a click selects it."""
    secret = PREFIX + _spell(secrets.randbits(256), _SECRET_LENGTH)
    return secret + _checksum(secret)


def is_key(text: str) -> bool:
    """Say whether a text is spelt as a key, with the checksum that belongs to it."""
    secret = text[:-_CHECKSUM_LENGTH]
    return (
        len(text) == KEY_LENGTH
        and text.isascii()
        and text.startswith(PREFIX)
        and text[-_CHECKSUM_LENGTH:] == _checksum(secret)
    )


def _checksum(secret: str) -> str:
    return _spell(zlib.crc32(secret.encode()), _CHECKSUM_LENGTH)


def _spell(number: int, length: int) -> str:
    """Write a number with 62 digits, filled up with zeros."""
    spelt = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        spelt.append(_DIGITS[digit])
    return "".join(reversed(spelt))
