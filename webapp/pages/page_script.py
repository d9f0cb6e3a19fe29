"""The script of the pages that mails lead to, which work without it."""

from flask import Flask, Response

from webapp.api.auth import public
from webapp.pages.layout import SCRIPT


def install_page_script(app: Flask) -> None:
    """Add `/page.js`."""
    app.add_url_rule("/page.js", "page_script", page_script)


@public
def page_script() -> Response:
    """Return the script."""
    return Response(SCRIPT, content_type="text/javascript; charset=utf-8")
