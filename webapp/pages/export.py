"""The page behind the link in a mail that says that a copy of somebody's data is ready."""

from flask import Flask, Response, request
from markupsafe import Markup

from webapp.api.answers import zip_answer
from webapp.api.auth import public
from webapp.api.edge import open_session
from webapp.pages import layout
from webapp.services.errors import NotFoundError
from webapp.services.operations import account_exports
from webapp.services.operations.account_exports import WRONG_LINK

HEADING = "A copy of your data"
WAY_ON = "Log in and ask for another copy."
_NUMBER = Markup('<input type="hidden" name="number" value="{number}">\n')


def install_export(app: Flask) -> None:
    """Add `/export`."""
    app.add_url_rule("/export", "export_page", show_files, methods=["GET"])
    app.add_url_rule("/export", "export", fetch, methods=["POST"])


@public
def show_files() -> Response:
    """Show a button for each file; to look at them takes nothing."""
    token = request.args.get("token", "")
    numbers = account_exports.file_numbers(open_session(), token) if token else []
    if token and not numbers:
        return layout.show(HEADING, WAY_ON, error=WRONG_LINK, status=404)
    forms = [
        layout.form(
            "Fetch it" if len(numbers) < 2 else f"Fetch file {number} of {len(numbers)}",
            token,
            _NUMBER.format(number=number),
        )
        for number in numbers or [1]
    ]
    return layout.show(HEADING, "It is a zip of text files.", *forms)


@public
def fetch() -> Response:
    """Send a file."""
    number = request.form.get("number", "")
    try:
        data = account_exports.fetch_by_link(
            open_session(), request.form.get("token", ""), int(number) if _is_small(number) else 0
        )
    except NotFoundError as error:
        return layout.show(HEADING, WAY_ON, error=str(error), status=404)
    return zip_answer(data, f"my-data-{number}.zip")


def _is_small(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) < 5
