"""A new password, set by who knows the present one."""

from flask import Response

from webapp.api.accounts.accounts import Password
from webapp.api.accounts.password_once_more import CurrentPassword, password_once_more
from webapp.api.answers import no_content
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session, web_context
from webapp.api.fields import Input
from webapp.api.password_door import of_passwords
from webapp.kit.permissions import Permission
from webapp.services.accounts import password_changes

blueprint = Blueprint("passwords", title="Change of password")


class PasswordChange(Input):
    """The password that the account has, and the one that it shall have."""

    current_password: CurrentPassword
    new_password: Password


@blueprint.put("/accounts/me/password", responses={204: None, **ACCOUNT_PROBLEMS}, security=BEARER)
@requires(Permission.CREDENTIAL_MANAGE)
@of_passwords
def change_password(body: PasswordChange) -> Response:
    """Set a new password.

    This session goes on. All others end, and all API keys, and a mail tells the owner. No key may
    do it.
    """
    login = password_once_more(body.current_password)
    password_changes.change(
        open_session(),
        current_actor(),
        login,
        body.new_password,
        site_words=web_context().settings.site_words,
    )
    return no_content()
