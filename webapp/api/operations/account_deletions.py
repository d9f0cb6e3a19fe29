"""The owner of an account asks to be deleted, looks at it, and takes it back."""

from datetime import datetime

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.accounts.accounts import Login
from webapp.api.accounts.password_once_more import CurrentPassword, password_once_more
from webapp.api.answers import answer, no_content
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import keeps_no_answer, open_session, web_context
from webapp.api.fields import Input
from webapp.kit.permissions import Permission
from webapp.services.operations import account_deletions

blueprint = Blueprint("deletions", title="Deletion of one's account")


class DeletionWish(Input):
    """The password of the account, and who gets its items."""

    password: CurrentPassword
    heir: Login | None = Field(
        None, description="The login of an account that writes. Items stay public in any case."
    )


class DeletionAnswer(BaseModel):
    """When the account is deleted, unless that is taken back."""

    model_config = ConfigDict(from_attributes=True)

    asked_at: datetime
    due_at: datetime
    heir: str | None


@blueprint.post(
    "/accounts/me/deletion", responses={202: DeletionAnswer, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.ACCOUNT_DELETE)
@keeps_no_answer
def ask(body: DeletionWish) -> Response:
    """Ask to be deleted, with the password once more.

    It is done after IMPRINT_ACCOUNT_DELETION_DAYS; the account works until then, and a mail says
    when. What was published stays; its author is the heir, or nobody. 409 for the last admin.
    """
    login = password_once_more(body.password)
    wish = account_deletions.ask(
        open_session(),
        login,
        heir_login=body.heir,
        days=web_context().settings.account_deletion_days,
    )
    return answer(DeletionAnswer.model_validate(wish), 202)


@blueprint.get(
    "/accounts/me/deletion", responses={200: DeletionAnswer, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.ACCOUNT_DELETE)
def show() -> Response:
    """Show when the account is deleted; 404 where nobody has asked for it."""
    wish = account_deletions.show(open_session(), current_actor().user_id)
    return answer(DeletionAnswer.model_validate(wish))


@blueprint.delete(
    "/accounts/me/deletion", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER
)
@requires(Permission.ACCOUNT_DELETE)
def cancel() -> Response:
    """Take it back: the account stays as it is."""
    account_deletions.cancel(open_session(), current_actor().user_id)
    return no_content()
