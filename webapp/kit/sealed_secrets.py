"""Secrets that have to be read again, kept so that the database alone tells none of them.

They are sealed with AES-256-GCM under a key that is made of the secret key of the settings for one
purpose, and bound to their owner, so that a row that was moved to another account opens nothing.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# The first byte of what is sealed, so that another way of sealing can be told from this one.
_VERSION = b"\x01"
# NIST SP 800-38D, 8.2: 96 random bits, for fewer than 2^32 secrets under one key.
_NONCE_BYTES = 12


class UnreadableSecretError(Exception):
    """It was sealed under another key, for another purpose or owner, or was changed."""


def seal(secret_key: str, purpose: str, owner_id: int, secret: str) -> bytes:
    """Return a secret of somebody as it may be stored; each call returns another text."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(secret_key, purpose).encrypt(nonce, secret.encode(), _bound_to(owner_id))
    return _VERSION + nonce + sealed


def unseal(secret_key: str, purpose: str, owner_id: int, sealed: bytes) -> str:
    """Return a secret that was sealed under this key. Raises UnreadableSecretError."""
    start = len(_VERSION) + _NONCE_BYTES
    if not sealed.startswith(_VERSION) or len(sealed) <= start:
        raise UnreadableSecretError
    nonce, text = sealed[len(_VERSION) : start], sealed[start:]
    try:
        return _cipher(secret_key, purpose).decrypt(nonce, text, _bound_to(owner_id)).decode()
    except InvalidTag as error:
        raise UnreadableSecretError from error


def _cipher(secret_key: str, purpose: str) -> AESGCM:
    derivation = HKDF(SHA256(), length=32, salt=None, info=f"imprint {purpose}".encode())
    return AESGCM(derivation.derive(secret_key.encode()))


def _bound_to(owner_id: int) -> bytes:
    return str(owner_id).encode()
