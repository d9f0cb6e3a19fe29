"""Another address for an account, asked for with its password."""

from flask import Response

from webapp.api.accounts.accounts import EmailAddress
from webapp.api.accounts.password_once_more import CurrentPassword, password_once_more
from webapp.api.accounts.verifications import MailOnItsWay
from webapp.api.answers import answer
from webapp.api.auth import current_actor, requires
from webapp.api.blueprint import ACCOUNT_PROBLEMS, BEARER, Blueprint
from webapp.api.edge import open_session
from webapp.api.fields import Input
from webapp.kit.permissions import Permission
from webapp.services.accounts import address_changes

blueprint = Blueprint("addresses", title="Change of address")


class AddressChange(Input):
    """The address that the account shall have, and the password that it has."""

    email: EmailAddress
    current_password: CurrentPassword


@blueprint.put(
    "/accounts/me/email",
    responses={202: MailOnItsWay, **ACCOUNT_PROBLEMS},
    security=BEARER,
)
@requires(Permission.CREDENTIAL_MANAGE)
def change_address(body: AddressChange) -> Response:
    """Ask for another address; three times an hour at most.

    The account keeps its address until the new one is confirmed by the link in the mail that goes
    there, within 24 hours. Then a mail tells the former one. The answer is the same for an address
    that another account has. No key may do it.
    """
    login = password_once_more(body.current_password)
    address_changes.ask(open_session(), current_actor(), login, body.email)
    return answer(MailOnItsWay(), 202)
