"""The page behind the link in the mails of events, and what a mail program sends to the same place.

A look at it changes nothing, because programs look at the links in mails before people do.
"""

from flask import Flask, Response, request

from webapp.api.auth import public
from webapp.api.edge import open_session, web_context
from webapp.pages import layout
from webapp.services.audience import unsubscribing
from webapp.services.errors import NotFoundError

HEADING = "Mails about what you follow"
WHAT = "You get a mail when what you follow is published or updated."
BUTTON = "End these mails"
DONE = "You get no more of these mails. Your account, your inbox and what you follow stay."
UNKNOWN = "This link does not work: it is not whole, or too old."
WAY_ON = "The newest mail has another one, and your account has a setting for these mails."


def install_unsubscribe(app: Flask) -> None:
    """Add `/unsubscribe`: a form for people, one click for mail programs (RFC 8058)."""
    app.add_url_rule("/unsubscribe", "unsubscribe_page", unsubscribe_page, methods=["GET"])
    app.add_url_rule("/unsubscribe", "unsubscribe", unsubscribe, methods=["POST"])


@public
def unsubscribe_page() -> Response:
    """Return the form; whose link it is shows when it is sent."""
    link = layout.hidden_fields(
        reader=request.args.get("reader", ""), key=request.args.get("key", "")
    )
    return layout.show(HEADING, WHAT, layout.form_of(link, BUTTON))


@public
def unsubscribe() -> Response:
    """End the mails of events to the reader whose link this is; a person reads what comes of it.

    A form says whose it is in its fields, a mail program in the address.
    """
    reader, key = request.values.get("reader", ""), request.values.get("key", "")
    if not (reader.isascii() and reader.isdigit() and len(reader) < 19):
        return _unknown()
    secret_key = web_context().settings.require_secret_key()
    try:
        unsubscribing.unsubscribe(open_session(), secret_key, int(reader), key)
    except NotFoundError:
        return _unknown()
    return layout.show(HEADING, DONE)


def _unknown() -> Response:
    return layout.show(HEADING, WAY_ON, error=UNKNOWN, status=404)
