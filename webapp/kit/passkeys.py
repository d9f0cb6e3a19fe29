"""What passes between Imprint and a browser about passkeys, by the standard WebAuthn.

A passkey is asked for by name and verifies its owner itself, by a PIN or a finger, so that it may
stand alone. Who made a device is not asked.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from webapp.kit.passkey_sites import Site

Purpose = Literal["add", "prove", "sign_in"]

_MILLISECONDS = 300_000
# What the library raises for bytes that a stranger has made up, besides its own.
_REFUSALS = (
    WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError,
    OverflowError, struct.error,
)  # fmt: skip


class PasskeyError(Exception):
    """What a browser sent is no answer of a passkey to what it was asked."""


@dataclass(frozen=True)
class NewPasskey:
    """A passkey that a device has made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True)
class Assertion:
    """What a passkey says: which it is, whose, and what it has signed.

    `is_first_try` says that nobody has tried to sign in, or to prove anything, with this challenge.
    """

    credential_id: bytes
    user_handle: bytes | None
    challenge: bytes
    credential: dict[str, Any] = field(repr=False)
    is_first_try: bool = False

    @property
    def signature(self) -> str:
        """The signature, as it was sent."""
        return str(self.credential["response"]["signature"])


def ask_for_new(
    site: Site, *, challenge: bytes, user_handle: bytes, login: str, known: Sequence[bytes]
) -> dict[str, Any]:
    """Return what `navigator.credentials.create` takes; `known` are the account's passkeys."""
    options = generate_registration_options(
        rp_id=site.domain,
        rp_name=site.domain,
        user_id=user_handle,
        user_name=login,
        user_display_name=login,
        challenge=challenge,
        timeout=_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return dict(options_to_json_dict(options))


def ask_for_known(site: Site, *, challenge: bytes, known: Sequence[bytes]) -> dict[str, Any]:
    """Return what `navigator.credentials.get` takes; none `known` lets a person choose."""
    options = generate_authentication_options(
        rp_id=site.domain,
        challenge=challenge,
        timeout=_MILLISECONDS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options_to_json_dict(options))


def challenge_of_new(credential: dict[str, Any]) -> bytes:
    """Return the challenge that a new passkey answers. Raises PasskeyError."""
    try:
        parsed = parse_registration_credential_json(credential)
        return bytes(parse_client_data_json(parsed.response.client_data_json).challenge)
    except _REFUSALS as error:
        raise PasskeyError from error


def check_new(site: Site, credential: dict[str, Any], challenge: bytes) -> NewPasskey:
    """Return the passkey that a device has made for this site. Raises PasskeyError."""
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=list(site.origins),
            require_user_verification=True,
        )
    except _REFUSALS as error:
        raise PasskeyError from error
    return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count)


def read_assertion(credential: dict[str, Any]) -> Assertion:
    """Return what a passkey says, unchecked. Raises PasskeyError."""
    try:
        parsed = parse_authentication_credential_json(credential)
        challenge = parse_client_data_json(parsed.response.client_data_json).challenge
    except _REFUSALS as error:
        raise PasskeyError from error
    return Assertion(parsed.raw_id, parsed.response.user_handle, bytes(challenge), credential)


def check_assertion(site: Site, assertion: Assertion, public_key: bytes, sign_count: int) -> int:
    """Return the new count of a passkey whose signature is right. Raises PasskeyError.

    A count that does not grow is that of a copy.
    """
    try:
        checked = verify_authentication_response(
            credential=assertion.credential,
            expected_challenge=assertion.challenge,
            expected_rp_id=site.domain,
            expected_origin=list(site.origins),
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except _REFUSALS as error:
        raise PasskeyError from error
    return int(checked.new_sign_count)
