"""The page behind the link in a mail that asks whether an address is the reader's own."""

from flask import Flask, Response, request

from webapp.api.auth import public
from webapp.api.edge import open_session
from webapp.pages import layout
from webapp.services.accounts import verifications
from webapp.services.accounts.verifications import WRONG_TOKEN
from webapp.services.errors import AuthenticationError

HEADING = "Confirm your address"
WAY_ON = "Log in and ask for another mail, or change the address of your account."


def install_verify_email(app: Flask) -> None:
    """Add `/verify-email`."""
    app.add_url_rule("/verify-email", "verify_email_page", show_form, methods=["GET"])
    app.add_url_rule("/verify-email", "verify_email", confirm, methods=["POST"])


@public
def show_form() -> Response:
    """Show which account the address would belong to, and the button."""
    token = request.args.get("token", "")
    if not token:
        return layout.show(HEADING, layout.form("Confirm", ""))
    shown = verifications.look_at(open_session(), token)
    if shown is None:
        return layout.show(HEADING, WAY_ON, error=WRONG_TOKEN, status=404)
    return layout.show(
        HEADING,
        f"Is {shown.address} to be the address of the account {shown.login}? "
        "If you do not know this account, close this page.",
        layout.form("Yes, it is mine", token),
    )


@public
def confirm() -> Response:
    """Prove the address."""
    try:
        verifications.confirm(open_session(), request.form.get("token", ""))
    except AuthenticationError as error:
        return layout.show(HEADING, WAY_ON, error=str(error), status=404)
    return layout.show("Your address is confirmed", "You can close this page.")
