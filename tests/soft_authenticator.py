"""A device with passkeys, in software, for tests: keys, counts and signatures as WebAuthn has them.

The browser that stands between a device and a site is left out: what it would write is written
here, so that a test can write something else.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class SoftAuthenticator:
    """A device that holds one passkey.

    `flags` is what it says of its owner, `counts` whether it counts its uses.
    """

    domain: str = "127.0.0.1"
    origin: str = "http://127.0.0.1:8000"
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    sign_count: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes = b""
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer what a site asks of a new passkey."""
        self.user_handle = decoded(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"),
                -3: numbers.y.to_bytes(32, "big")}  # fmt: skip
        length = len(self.credential_id).to_bytes(2, "big")
        attested = bytes(16) + length + self.credential_id + cbor2.dumps(cose)
        statement = {
            "fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested,
        }  # fmt: skip
        client = self._client_data("webauthn.create", options["challenge"])
        return self._shape(clientDataJSON=client, attestationObject=cbor2.dumps(statement))

    def say(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer what a site asks of a known passkey."""
        self.sign_count += self.counts
        client = self._client_data("webauthn.get", options["challenge"])
        data = self._data(0)
        signed = data + hashlib.sha256(client).digest()
        return self._shape(
            clientDataJSON=client,
            authenticatorData=data,
            signature=self.key.sign(signed, ec.ECDSA(SHA256())),
            userHandle=self.user_handle,
        )

    def _data(self, flags: int) -> bytes:
        domain = hashlib.sha256(self.domain.encode()).digest()
        return domain + bytes([self.flags | flags]) + self.sign_count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data).encode()

    def _shape(self, **response: bytes) -> dict[str, Any]:
        written = {name: encoded(value) for name, value in response.items()}
        name = encoded(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": written,
                "clientExtensionResults": {}, "authenticatorAttachment": "platform"}  # fmt: skip


def encoded(value: bytes) -> str:
    """Return bytes as browsers write them."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes that a browser has written."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
