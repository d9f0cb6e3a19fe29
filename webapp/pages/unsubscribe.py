"""The page behind the link in the mails of events, and what a mail program sends to the same place.

A look at it changes nothing, because programs look at the links in mails before people do.
"""

from flask import Flask, Response, request

from webapp.api.auth import public
from webapp.api.edge import open_session, web_context
from webapp.services.audience import unsubscribing
from webapp.services.errors import NotFoundError

FORM = """<form method="post">
<p>You get a mail when what you follow is published or updated.</p>
<p><button>Send me no more of these mails</button></p>
</form>"""
DONE = (
    """<p>You get no more of these mails. Your account, your inbox and what you follow stay.</p>"""
)
UNKNOWN = """<p>This link does not work: it is not whole, or too old. The newest mail has another
one, and your account has a setting for these mails.</p>"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Mails</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto;
  padding: 0 1rem; }}
button {{ font: inherit; padding: .5rem; }}
</style>
</head>
<body>
<h1>Mails</h1>
{content}
</body>
</html>
"""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'",
}


def install_unsubscribe(app: Flask) -> None:
    """Add `/unsubscribe`: a form for people, one click for mail programs (RFC 8058)."""
    app.add_url_rule("/unsubscribe", "unsubscribe_page", unsubscribe_page, methods=["GET"])
    app.add_url_rule("/unsubscribe", "unsubscribe", unsubscribe, methods=["POST"])


@public
def unsubscribe_page() -> Response:
    """Return the form; whose link it is shows when it is sent."""
    return _page(FORM)


@public
def unsubscribe() -> Response:
    """End the mails of events to the reader whose link this is; a person reads what comes of it."""
    reader, key = request.args.get("reader", ""), request.args.get("key", "")
    if not (reader.isascii() and reader.isdigit() and len(reader) < 19):
        return _page(UNKNOWN, 404)
    secret_key = web_context().settings.require_secret_key()
    try:
        unsubscribing.unsubscribe(open_session(), secret_key, int(reader), key)
    except NotFoundError:
        return _page(UNKNOWN, 404)
    return _page(DONE)


def _page(content: str, status: int = 200) -> Response:
    page = PAGE.format(content=content)
    return Response(page, status, headers=HEADERS, content_type="text/html; charset=utf-8")
