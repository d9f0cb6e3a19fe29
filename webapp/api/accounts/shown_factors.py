"""A second factor as requests show it, and the brake for those who guess one."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from webapp.api.clients import client_address, client_network
from webapp.api.edge import open_session, web_context
from webapp.api.fields import Input, Omittable
from webapp.kit.json_values import check_text
from webapp.kit.passkeys import Assertion, PasskeyError, read_assertion
from webapp.services.accounts import passkey_challenges, sign_in_throttles
from webapp.services.accounts.pending_sign_ins import SessionTerms
from webapp.services.accounts.second_factors import Means, Proof
from webapp.services.accounts.sign_in_throttles import Attempt
from webapp.services.errors import InvalidInputError

TotpCode = Annotated[str, Field(pattern=r"^[0-9]{6}$", description="What the app shows.")]
Base64Url = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]*$", max_length=16_384)]


class PasskeyResponse(Input):
    """The `response` of `navigator.credentials.get`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    client_data: Annotated[Base64Url, Field(alias="clientDataJSON")]
    authenticator_data: Annotated[Base64Url, Field(alias="authenticatorData")]
    signature: Base64Url
    user_handle: Annotated[Base64Url | None, Field(alias="userHandle")] = None


class PasskeyAssertion(Input):
    """What `navigator.credentials.get` returned, as its `toJSON` writes it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: Base64Url
    raw_id: Annotated[Base64Url, Field(alias="rawId")]
    type: Literal["public-key"]
    response: PasskeyResponse

    def read(self) -> Assertion:
        """Return what the passkey says. Raises InvalidInputError."""
        try:
            return read_assertion(self.model_dump(by_alias=True))
        except PasskeyError as error:
            raise InvalidInputError("passkey", "is nothing that a passkey says") from error


class ShownFactor(Input):
    """A second factor, as one of these three."""

    code: Omittable[TotpCode] = None
    recovery_code: Annotated[
        Omittable[Annotated[str, Field(min_length=1, max_length=60), AfterValidator(check_text)]],
        Field(description="Each is good once; in any case, with or without its hyphens."),
    ] = None
    passkey: Omittable[PasskeyAssertion] = None

    def proof(self) -> Proof:
        """Return what is shown. Raises InvalidInputError unless it is one thing."""
        shown: list[Any] = [self.code, self.recovery_code, self.passkey]
        if len([each for each in shown if each is not None]) != 1:
            raise InvalidInputError("code", "send one of code, recovery_code and passkey")
        assertion = None if self.passkey is None else self.passkey.read()
        return Proof(self.code, self.recovery_code, assertion)


def use_up(assertion: Assertion) -> Assertion:
    """Note the try at what a passkey was asked, whatever becomes of it, and if it is the first.

    It is a transaction of its own, which ends here.
    """
    session = open_session()
    is_first_try = passkey_challenges.use_up(session, assertion.challenge)
    session.commit()
    return replace(assertion, is_first_try=is_first_try)


def use_up_shown(proof: Proof) -> Proof:
    """Do the same where what is shown is a passkey."""
    if proof.assertion is None:
        return proof
    return replace(proof, assertion=use_up(proof.assertion))


def means() -> Means:
    """Return what a proof is held against."""
    settings = web_context().settings
    return Means(settings.secret_keys, settings.passkey_site)


def session_terms(user_agent: str) -> SessionTerms:
    """Return how long a session that is opened now may last, and from where it is."""
    settings = web_context().settings
    return SessionTerms(
        days=settings.access_token_days,
        user_agent=user_agent,
        address=client_address(),
        most=settings.quota_sessions,
    )


def count_try(login: str) -> Attempt | None:
    """Count a try at a second factor as failed, before it is looked at.

    Raises TooManyTriesError.
    """
    settings, session = web_context().settings, open_session()
    if not settings.rate_limits:
        return None
    attempt = sign_in_throttles.begin(
        session, settings.require_secret_key(), login, client_network(), of_second_step=True
    )
    # Counted whatever happens from here on, so that tries at once are counted too.
    session.commit()
    return attempt


def forgive(attempt: Attempt | None, user_id: int) -> None:
    """Take back what `count_try` counted, because the factor was right."""
    if attempt is not None:
        sign_in_throttles.succeed(open_session(), attempt, user_id)
