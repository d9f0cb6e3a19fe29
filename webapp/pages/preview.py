"""The page that shows a version to whoever has a link to it."""

from flask import Flask, Response, request

from webapp.api.auth import public
from webapp.api.edge import open_session
from webapp.pages import layout
from webapp.pages.version_page import VersionPage
from webapp.services.content import previews
from webapp.services.errors import NotFoundError

HEADING = "A preview"
# Unlike the pages that mails lead to it keeps the token in its address: it may be read again.
_PAGE = VersionPage("Preview")


def install_preview(app: Flask) -> None:
    """Add `/preview`."""
    app.add_url_rule("/preview", "preview", show, methods=["GET"])


@public
def show() -> Response:
    """Show the version that a link is for."""
    try:
        preview = previews.open_link(open_session(), request.args.get("token", "")[:100])
    except NotFoundError as error:
        return layout.show(HEADING, error=str(error), status=404)
    notice = (
        f"Preview of version {preview.version.number}, which may not be public. "
        f"This link ends on {preview.expires_at:%d %B %Y, %H:%M} UTC."
    )
    return _PAGE.show(preview.version.title or "Without a title", notice, preview.html)
