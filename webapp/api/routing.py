"""How an address finds its view: one address for each thing, and no other spelling of it."""

from flask import Flask
from werkzeug.routing import IntegerConverter


class PlainIntegerConverter(IntegerConverter):
    """A whole number as the API itself writes it: ASCII digits, and no zero in front."""

    regex = "(?:0|[1-9][0-9]{0,99})"


def install_routing(app: Flask) -> None:
    """Set how rules match, before there are any.

    An address with a doubled slash is none: werkzeug would redirect it to where the Host header
    says, and whoever sends that header decides where it leads.
    """
    app.url_map.converters["int"] = PlainIntegerConverter
    app.url_map.merge_slashes = False
