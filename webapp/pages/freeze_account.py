"""The page behind the link of a notice by which an owner says: this was not me."""

from flask import Flask, Response, request

from webapp.api.auth import public
from webapp.api.edge import open_session
from webapp.pages import layout
from webapp.services.accounts import freezes
from webapp.services.accounts.freezes import WRONG_TOKEN
from webapp.services.errors import AuthenticationError

HEADING = "Was this not you?"
BUTTON = "Freeze the account"
WHAT_IT_DOES = (
    "Nobody can sign in any more, and all sessions and API keys end at once. You get a mail with a "
    "link to set a new password; with it the account works again."
)
ADDRESS_COMES_BACK = "The address that this mail came to becomes that of the account again."
WAY_ON = "If you cannot sign in, ask for a new password, or tell the people who run the site."


def install_freeze_account(app: Flask) -> None:
    """Add `/freeze-account`."""
    app.add_url_rule("/freeze-account", "freeze_account_page", show_form, methods=["GET"])
    app.add_url_rule("/freeze-account", "freeze_account", freeze, methods=["POST"])


@public
def show_form() -> Response:
    """Say what the button does, and to which account."""
    token = request.args.get("token", "")
    if not token:
        return layout.show(HEADING, WHAT_IT_DOES, layout.form(BUTTON, ""))
    shown = freezes.look_at(open_session(), token)
    if shown is None:
        return layout.show(HEADING, WAY_ON, error=WRONG_TOKEN, status=404)
    if shown.is_done:
        return _done()
    return layout.show(
        HEADING,
        f"If somebody else has changed the account {shown.login}, freeze it. {WHAT_IT_DOES}",
        *([ADDRESS_COMES_BACK] if shown.brings_address_back else []),
        "If it was you, close this page.",
        layout.form(BUTTON, token),
    )


@public
def freeze() -> Response:
    """Freeze the account."""
    try:
        freezes.freeze(open_session(), request.form.get("token", ""))
    except AuthenticationError as error:
        return layout.show(HEADING, WAY_ON, error=str(error), status=404)
    return _done()


def _done() -> Response:
    return layout.show(
        "The account is frozen",
        "Nobody can sign in to it, and all its sessions and API keys have ended.",
        "A mail with a link to set a new password is on its way to you. With it the account works "
        "again. If none comes, tell the people who run the site.",
    )
