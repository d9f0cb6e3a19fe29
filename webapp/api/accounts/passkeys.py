"""Passkeys: added, listed, named and removed by their owner; and a login by one alone."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Response, g, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from webapp.api.accounts.auth_tokens import WRONG_CREDENTIALS, TokenAnswer, answer_with_token
from webapp.api.accounts.password_once_more import password_once_more
from webapp.api.accounts.second_factors import (
    PasskeyOptionsAnswer,
    PasswordAndFactor,
    PasswordOnceMore,
)
from webapp.api.accounts.shown_factors import (
    Base64Url,
    PasskeyAssertion,
    count_try,
    forgive,
    means,
    session_terms,
    use_up,
    use_up_shown,
)
from webapp.api.answers import answer, no_content, page_of
from webapp.api.auth import current_actor, public, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import idempotency_key, keeps_no_answer, open_session, web_context
from webapp.api.fields import Id, Input, PageQuery, Query
from webapp.api.password_door import of_passwords
from webapp.kit.cursors import decode_cursor
from webapp.kit.permissions import Permission
from webapp.kit.visible_lines import check_line
from webapp.services.accounts import passkeys, pending_sign_ins, second_factors
from webapp.services.accounts.passkeys import PasskeyLine

blueprint = Blueprint("passkeys", title="Passkeys")

PasskeyName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_line)]


class MadeResponse(Input):
    """The `response` of `navigator.credentials.create`."""

    model_config = ConfigDict(extra="ignore", strict=True)

    client_data: Annotated[Base64Url, Field(alias="clientDataJSON")]
    attestation_object: Annotated[Base64Url, Field(alias="attestationObject")]


class MadePasskey(Input):
    """What `navigator.credentials.create` returned, as its `toJSON` writes it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: Base64Url
    raw_id: Annotated[Base64Url, Field(alias="rawId")]
    type: Literal["public-key"]
    response: MadeResponse


class NewPasskey(Input):
    """A passkey that a browser has made, and a name to know it by."""

    name: PasskeyName
    credential: MadePasskey


class NewName(Input):
    """What a passkey shall be called."""

    name: PasskeyName


class PasskeySignIn(Input):
    """What a passkey says that was chosen in the browser."""

    passkey: PasskeyAssertion


class PasskeyAnswer(BaseModel):
    """One passkey."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


class NewPasskeyAnswer(PasskeyAnswer):
    """A new passkey, and the recovery codes that come with a first factor, shown once."""

    recovery_codes: list[str] = Field(description="Empty where the account goes on with its own.")


class PasskeyPage(BaseModel):
    """A page of passkeys."""

    items: list[PasskeyAnswer]
    next: str | None


class PasskeyPath(Query):
    """Which passkey."""

    passkey_id: Id


@blueprint.post(
    "/auth/passkeys/sign-in-options", responses={200: PasskeyOptionsAnswer}, security=[]
)
@public
@of_passwords
@keeps_no_answer
def ask_anybody() -> Response:
    """Return what a browser lets a person choose a passkey with; the same for everybody."""
    site = web_context().settings.passkey_site
    return answer(PasskeyOptionsAnswer(options=passkeys.ask(open_session(), site, None)))


@blueprint.post(
    "/auth/passkeys/sign-in", responses={200: TokenAnswer, **WRONG_CREDENTIALS}, security=[]
)
@public
@of_passwords
@keeps_no_answer
def sign_in(body: PasskeySignIn) -> Response:
    """Exchange what a passkey says for a bearer token, without a password and a second step."""
    user_id, opened = pending_sign_ins.sign_in_by_passkey(
        open_session(),
        use_up(body.passkey.read()),
        web_context().settings.passkey_site,
        repeat_key=idempotency_key(),
        terms=session_terms(request.headers.get("User-Agent", "")),
    )
    g.known_user_id = user_id
    return answer_with_token(opened)


@blueprint.post(
    "/auth/passkeys/creation-options",
    responses={200: PasskeyOptionsAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE, for_enrolment=True)
@keeps_no_answer
def begin(body: PasswordOnceMore) -> Response:
    """Return what a browser makes a passkey with, for the password of the account once more."""
    settings = web_context().settings
    login = password_once_more(body.password)
    options = passkeys.begin(
        open_session(),
        current_actor(),
        login,
        settings.passkey_site,
        settings.require_secret_key(),
    )
    return answer(PasskeyOptionsAnswer(options=options))


@blueprint.post(
    "/auth/passkeys", responses={201: NewPasskeyAnswer, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE, for_enrolment=True)
@keeps_no_answer
def add(body: NewPasskey) -> Response:
    """Keep the passkey that a browser has made; it counts from now on."""
    settings, session = web_context().settings, open_session()
    credential = body.credential.model_dump(by_alias=True)
    is_first_try = passkeys.use_up_question(session, credential)
    # Used up whatever becomes of it.
    session.commit()
    added = passkeys.add(
        session,
        current_actor(),
        credential,
        settings.passkey_site,
        settings.require_secret_key(),
        name=body.name,
        is_first_try=is_first_try,
    )
    shown = _shape(added.line).model_dump()
    return answer(NewPasskeyAnswer(**shown, recovery_codes=added.recovery_codes), 201)


@blueprint.get("/auth/passkeys", responses={200: PasskeyPage, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CREDENTIAL_MANAGE)
def list_passkeys(query: PageQuery) -> Response:
    """List one's passkeys, oldest first."""
    after_id = 0
    if query.cursor is not None:
        (after_id,) = decode_cursor(query.cursor, int)  # type: ignore[assignment]
    rows = passkeys.list_passkeys(
        open_session(), current_actor().user_id, after_id=after_id, limit=query.limit + 1
    )
    return answer(PasskeyPage(**page_of(rows, query.limit, _shape, lambda row: (row.id,))))


@blueprint.patch(
    "/auth/passkeys/<int:passkey_id>",
    responses={200: PasskeyAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE)
def rename(path: PasskeyPath, body: NewName) -> Response:
    """Give one of one's passkeys another name."""
    return answer(
        _shape(passkeys.rename(open_session(), current_actor(), path.passkey_id, body.name))
    )


@blueprint.post(
    "/auth/passkeys/proof-options",
    responses={200: PasskeyOptionsAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE)
@keeps_no_answer
def ask_own() -> Response:
    """Return what a browser asks one of one's passkeys with, for a change that wants a factor."""
    site = web_context().settings.passkey_site
    options = passkeys.ask(open_session(), site, current_actor().user_id)
    return answer(PasskeyOptionsAnswer(options=options))


@blueprint.post(
    "/auth/passkeys/<int:passkey_id>/remove",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE)
@keeps_no_answer
def remove(path: PasskeyPath, body: PasswordAndFactor) -> Response:
    """Take one of one's passkeys away, with the password and a second factor."""
    proof, actor = body.proof(), current_actor()
    login = password_once_more(body.password)
    attempt = count_try(actor.login)
    shown = use_up_shown(proof)
    second_factors.remove_passkey(open_session(), actor, login, shown, means(), path.passkey_id)
    forgive(attempt, actor.user_id)
    return no_content()


def _shape(line: PasskeyLine) -> PasskeyAnswer:
    return PasskeyAnswer.model_validate(line)
