"""Opaque secrets: made from 256 random bits, kept only as their SHA-256."""

import hashlib
import hmac
import secrets

TOKEN_BYTES = 32


def new_token() -> str:
    """Return a URL-safe secret of 256 random bits, as 43 characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_token(token: str) -> bytes:
    """Return the 32 bytes under which a token is stored and looked up.

    A plain SHA-256 is enough, because the input has 256 random bits and cannot be guessed.
    """
    return hashlib.sha256(token.encode()).digest()


def keyed_digest(secret: bytes, *parts: str) -> str:
    """Return the 64 hexadecimal digits that belong to `parts` under this secret.

    Nothing that lets anybody in may be made of the secret key of the settings alone: who reads it
    once could make it for ever. It serves where a forger gains no more than a nuisance.
    """
    message = "\x1f".join(parts).encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()


def hash_email(email: str) -> bytes:
    """Return the 32 bytes that stand for an address where the address itself must not be kept.

    The case of an address is ignored, so the same bytes also make addresses unique.
    """
    return hashlib.sha256(email.strip().casefold().encode()).digest()
