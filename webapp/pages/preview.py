"""The page that shows a version to whoever has a link to it."""

from base64 import b64encode
from hashlib import sha256

from flask import Flask, Response, request
from markupsafe import Markup

from webapp.api.auth import public
from webapp.api.content.previews import NOT_FOR_ROBOTS
from webapp.api.edge import open_session
from webapp.pages import layout
from webapp.services.content import previews
from webapp.services.content.previews import Preview
from webapp.services.errors import NotFoundError

HEADING = "A preview"
_STYLE = (
    layout.STYLE
    + """
main { max-width: 44rem; }
img, video { max-width: 100%; height: auto; }
pre { overflow-x: auto; }
table { display: block; overflow-x: auto; }
.notice { border: 1px solid #6b6b6b; border-radius: .25rem; padding: .75rem 1rem; }
"""
)
_STYLE_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()
# The text may show pictures and films from elsewhere, as it will when it is public.
_HEADERS = {
    **NOT_FOR_ROBOTS,
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; "
    "img-src http: https:; media-src http: https:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}
# Unlike the pages that mails lead to it keeps the token in its address: it may be read again.
_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow, noarchive">
<meta name="referrer" content="no-referrer">
<title>Preview: {title}</title>
<style>{style}</style>
</head>
<body>
<main>
<p class="notice" role="note">Preview of version {number}, which may not be public.
This link ends on {expires_at} UTC.</p>
<article>
<h1>{title}</h1>
{html}
</article>
</main>
</body>
</html>
""")


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
    return Response(_page(preview), headers=_HEADERS, content_type="text/html; charset=utf-8")


def _page(preview: Preview) -> str:
    return _PAGE.format(
        title=preview.version.title or "Without a title",
        style=Markup(_STYLE),  # noqa: S704 - it stands above
        number=preview.version.number,
        expires_at=f"{preview.expires_at:%d %B %Y, %H:%M}",
        html=Markup(preview.html),  # noqa: S704 - the renderer has made it safe
    )
