"""The page of one version that may not be public: its text, with a word about it above."""

from base64 import b64encode
from hashlib import sha256

from flask import Response
from markupsafe import Markup

from webapp.api.content.previews import NOT_FOR_ROBOTS
from webapp.pages import layout

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
_PAGE = Markup("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow, noarchive">
<meta name="referrer" content="no-referrer">
<title>{kind}: {title}</title>
<style>{style}</style>
</head>
<body>
<main>
<p class="notice" role="note">{notice}</p>
<article>
<h1>{title}</h1>
{html}
</article>
{below}
</main>
</body>
</html>
""")


class VersionPage:
    """A kind of such pages: its name, its style besides, and where it may send a form."""

    def __init__(self, kind: str, style: str = "", *, form_action: str = "'none'") -> None:
        """Let the page have its own style, and nothing that runs."""
        self._kind = kind
        self._style = _STYLE + style
        digest = b64encode(sha256(self._style.encode()).digest()).decode()
        # The text may show pictures and films from elsewhere, as it will when it is public.
        self._headers = {
            **NOT_FOR_ROBOTS,
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
            "img-src http: https:; media-src http: https:; base-uri 'none'; "
            f"form-action {form_action}; frame-ancestors 'none'",
        }

    def show(self, title: str, notice: str, html: str, below: Markup | None = None) -> Response:
        """Answer with a version: `html` is its text as the renderer has made it safe."""
        page = _PAGE.format(
            kind=self._kind,
            title=title,
            style=Markup(self._style),  # noqa: S704 - a constant of the code
            notice=notice,
            html=Markup(html),  # noqa: S704 - the renderer has made it safe
            below=below or Markup(),
        )
        return Response(page, headers=self._headers, content_type="text/html; charset=utf-8")
