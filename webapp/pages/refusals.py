"""What a person reads where a page that a mail leads to cannot be shown: a page as well."""

import orjson
from flask import Flask, Response, request

from webapp.api.problems import PROBLEM_JSON
from webapp.pages import layout

PATHS = frozenset(
    {
        "/reset-password",
        "/verify-email",
        "/freeze-account",
        "/export",
        "/unsubscribe",
        "/preview",
        "/review",
    }
)
HEADING = "This did not work"
AGAIN = "Open the link again then."
_OF_THE_BODY = frozenset({"content-type", "content-length"})


def install_page_refusals(app: Flask) -> None:
    """Show the refusals of these pages as pages: too many tries, a body too large, a fault here."""

    @app.after_request
    def show(response: Response) -> Response:
        if request.path not in PATHS or response.mimetype != PROBLEM_JSON:
            return response
        problem = orjson.loads(response.get_data())
        page = layout.show(HEADING, AGAIN, error=problem["detail"], status=response.status_code)
        for name, value in response.headers:
            if name.lower() not in _OF_THE_BODY:
                page.headers.setdefault(name, value)
        return page
