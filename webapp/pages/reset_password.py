"""The page behind the link in a reset mail, for installations without a front end of their own."""

from flask import Flask, Response, request
from markupsafe import Markup

from webapp.api.accounts.auth_tokens import set_password_with_token
from webapp.api.auth import public
from webapp.api.password_door import of_passwords
from webapp.kit.json_values import check_text
from webapp.kit.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH, check_length
from webapp.pages import layout
from webapp.services.errors import AuthenticationError, InvalidInputError

HEADING = "Set a new password"
FIELD = Markup("""<label for="password">New password
<span class="hint" id="rule">{minimum} to {maximum} characters of any kind; several words are
fine.</span></label>
<input id="password" name="password" type="password" autocomplete="new-password" required
 minlength="{minimum}" aria-describedby="rule{described}"{invalid}>
""")


def install_reset_password(app: Flask) -> None:
    """Add `/reset-password`."""
    app.add_url_rule("/reset-password", "reset_password_page", show_form, methods=["GET"])
    app.add_url_rule("/reset-password", "reset_password", set_password, methods=["POST"])


@public
@of_passwords
def show_form() -> Response:
    """Return the form, whatever the token is; whether it is good shows when it is sent."""
    return _page(request.args.get("token", ""))


@public
@of_passwords
def set_password() -> Response:
    """Use the token up and set the password, and say what came of it."""
    token, password = request.form.get("token", ""), request.form.get("password", "")
    try:
        check_text(token)
        check_text(password)
        check_length(password)
        set_password_with_token(token, password)
    except AuthenticationError as error:
        return layout.show(HEADING, "Ask for a new mail.", error=str(error), status=401)
    except InvalidInputError as error:
        return _page(token, error.reason)
    except ValueError as error:
        return _page(token, str(error))
    return layout.show(
        "Your password is set", "You can log in with it now. All sessions of before have ended."
    )


def _page(token: str, reason: str | None = None) -> Response:
    field = FIELD.format(
        minimum=MINIMUM_LENGTH,
        maximum=MAXIMUM_LENGTH,
        described=" error" if reason else "",
        invalid=Markup(' aria-invalid="true"') if reason else "",
    )
    return layout.show(
        HEADING,
        layout.form("Set password", token, field),
        error=f"The password {reason}." if reason else None,
        status=422 if reason else 200,
    )
