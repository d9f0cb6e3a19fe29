"""Second factors: the second step of a login, authenticator apps, and recovery codes."""

from datetime import datetime
from typing import Annotated, Any

from flask import Response, g, request
from pydantic import AfterValidator, BaseModel, Field

from webapp.api.accounts.auth_tokens import WRONG_CREDENTIALS, TokenAnswer, answer_with_token
from webapp.api.accounts.password_once_more import CurrentPassword, password_once_more
from webapp.api.accounts.shown_factors import (
    ShownFactor,
    TotpCode,
    count_try,
    forgive,
    means,
    session_terms,
    use_up_shown,
)
from webapp.api.answers import answer, no_content
from webapp.api.auth import current_actor, public, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import idempotency_key, keeps_no_answer, open_session, web_context
from webapp.api.fields import Input
from webapp.api.password_door import of_passwords
from webapp.kit.json_values import check_text
from webapp.kit.permissions import Permission
from webapp.services.accounts import passkeys, pending_sign_ins, second_factors, totp

blueprint = Blueprint("factors", title="Second factors")

SecondFactorToken = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_text)]


class FirstStep(Input):
    """The token of the first step."""

    second_factor_token: SecondFactorToken


class SecondStep(ShownFactor):
    """The token of the first step, and a second factor."""

    second_factor_token: SecondFactorToken


class PasswordAndFactor(ShownFactor):
    """The password of the account once more, and a second factor."""

    password: CurrentPassword


class PasswordOnceMore(Input):
    """The password of the account once more."""

    password: CurrentPassword


class FirstCode(Input):
    """A first code of the new app."""

    code: TotpCode


class PasskeyOptionsAnswer(BaseModel):
    """What a browser makes or asks a passkey with."""

    options: dict[str, Any] = Field(
        description="For `PublicKeyCredential.parseCreationOptionsFromJSON`, or of its "
        "`parseRequestOptionsFromJSON`; good for five minutes and once."
    )


class FactorsAnswer(BaseModel):
    """The second factors of one's account."""

    totp_since: datetime | None = Field(description="Since when it has an app; null for none.")
    passkeys: int = Field(description="How many passkeys it has.")
    recovery_codes_left: int
    is_required: bool = Field(description="Whether the role has to have one.")


class NewTotpAnswer(BaseModel):
    """The secret for the app; it is shown here once and never again."""

    secret: str
    otpauth_uri: str = Field(description="Show it as a QR code for the app to read.")


class RecoveryCodesAnswer(BaseModel):
    """New recovery codes; they are shown here once and never again."""

    recovery_codes: list[str] = Field(description="Empty where the account goes on with its own.")


@blueprint.post(
    "/auth/second-factor", responses={200: TokenAnswer, **WRONG_CREDENTIALS}, security=[]
)
@public
@of_passwords
@keeps_no_answer
def finish_sign_in(body: SecondStep) -> Response:
    """Exchange the token of the first step and a second factor for a bearer token.

    A code of an app is good once, and so is a recovery code. After some wrong ones there is a wait,
    which grows; see Retry-After. With an Idempotency-Key the same request once more gets the same
    token back.
    """
    session, proof = open_session(), body.proof()
    half = pending_sign_ins.find(session, body.second_factor_token)
    attempt = count_try(half.login)
    g.known_user_id = half.user_id
    opened = pending_sign_ins.finish(
        session,
        half,
        body.second_factor_token,
        use_up_shown(proof),
        means(),
        repeat_key=idempotency_key(),
        terms=session_terms(request.headers.get("User-Agent", "")),
    )
    forgive(attempt, half.user_id)
    return answer_with_token(opened)


@blueprint.post(
    "/auth/second-factor/passkey-options",
    responses={200: PasskeyOptionsAnswer, **WRONG_CREDENTIALS},
    security=[],
)
@public
@of_passwords
@keeps_no_answer
def ask_passkey(body: FirstStep) -> Response:
    """Return what a browser asks one of the account's passkeys with, for the second step."""
    session = open_session()
    half = pending_sign_ins.find(session, body.second_factor_token)
    options = passkeys.ask(session, web_context().settings.passkey_site, half.user_id)
    return answer(PasskeyOptionsAnswer(options=options))


@blueprint.get(
    "/auth/second-factors", responses={200: FactorsAnswer, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE, for_enrolment=True)
def show_factors() -> Response:
    """Show which second factors one's account has."""
    actor = current_actor()
    factors = second_factors.describe(open_session(), actor.user_id)
    return answer(
        FactorsAnswer(
            totp_since=factors.totp_since,
            passkeys=len(factors.passkeys),
            recovery_codes_left=factors.recovery_codes_left,
            is_required=web_context().settings.wants_second_factor(actor.role),
        )
    )


@blueprint.post(
    "/auth/second-factors/totp",
    responses={201: NewTotpAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE, for_enrolment=True)
@keeps_no_answer
def begin_totp(body: PasswordOnceMore) -> Response:
    """Make the secret for an authenticator app, with the password of the account once more.

    It counts from its first right code on; until then a new secret takes its place. An account has
    one app (409).
    """
    settings = web_context().settings
    login = password_once_more(body.password)
    made = totp.begin(
        open_session(),
        current_actor(),
        login,
        settings.secret_keys,
        issuer=settings.site_name,
    )
    return answer(NewTotpAnswer(secret=made.secret, otpauth_uri=made.address), 201)


@blueprint.post(
    "/auth/second-factors/totp/confirm",
    responses={200: RecoveryCodesAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE, for_enrolment=True)
@keeps_no_answer
def confirm_totp(body: FirstCode) -> Response:
    """Let the app count, by a first code of it; answers with ten recovery codes."""
    settings = web_context().settings
    codes = totp.confirm(open_session(), current_actor().user_id, body.code, settings.secret_keys)
    return answer(RecoveryCodesAnswer(recovery_codes=codes))


@blueprint.post(
    "/auth/second-factors/totp/remove",
    responses={204: None, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE)
@keeps_no_answer
def remove_totp(body: PasswordAndFactor) -> Response:
    """Take the authenticator app away, with the password and a second factor."""
    proof, actor = body.proof(), current_actor()
    login = password_once_more(body.password)
    attempt = count_try(actor.login)
    second_factors.remove_totp(open_session(), actor, login, use_up_shown(proof), means())
    forgive(attempt, actor.user_id)
    return no_content()


@blueprint.post(
    "/auth/second-factors/recovery-codes",
    responses={200: RecoveryCodesAnswer, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE)
@keeps_no_answer
def renew_recovery_codes(body: PasswordAndFactor) -> Response:
    """Make ten new recovery codes, with the password and a second factor; the old ones are void."""
    proof, actor = body.proof(), current_actor()
    login = password_once_more(body.password)
    attempt = count_try(actor.login)
    codes = second_factors.renew_recovery_codes(
        open_session(), actor, login, use_up_shown(proof), means()
    )
    forgive(attempt, actor.user_id)
    return answer(RecoveryCodesAnswer(recovery_codes=codes))
