"""Proofs of an address: the mail is asked for again, and its token is used."""

from typing import Annotated

from flask import Response
from pydantic import AfterValidator, BaseModel, Field

from webapp.api.answers import answer, no_content
from webapp.api.auth import current_actor, public, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint, Responses
from webapp.api.edge import keeps_no_answer, open_session
from webapp.api.fields import Input
from webapp.api.problems import problem_response
from webapp.kit.json_values import check_text
from webapp.kit.permissions import Permission
from webapp.services.accounts import verifications

blueprint = Blueprint("verifications", title="Proofs of addresses")

WRONG_TOKEN: Responses = {"401": problem_response("The token is unknown, used or expired.")}


class MailedToken(Input):
    """A token from a mail."""

    token: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_text)]


class MailOnItsWay(BaseModel):
    """The mail will be sent."""

    detail: str = "A mail is on its way."


@blueprint.post("/auth/verify-email", responses={204: None, **WRONG_TOKEN}, security=[])
@public
@keeps_no_answer
def verify_email(body: MailedToken) -> Response:
    """Prove an address with the token that was mailed to it."""
    verifications.confirm(open_session(), body.token)
    return no_content()


@blueprint.post(
    "/auth/verify-email/resend", responses={202: MailOnItsWay, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.CREDENTIAL_MANAGE)
def resend_verification() -> Response:
    """Ask for another mail to the address of one's account; three times an hour at most."""
    verifications.request_again(open_session(), current_actor().user_id)
    return answer(MailOnItsWay(), 202)
