"""What every URL among the settings has in common: how a `%` is read, and what no part may hold."""

import re
from urllib.parse import unquote

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def decode_part(part: str) -> str:
    """Return the text that a part of a URL stands for.

    Where each `%` begins an escape (RFC 3986, section 2.1), the part is decoded; where none does,
    each stands for itself. Raises ValueError, without the part, where both are mixed, because
    programs differ in what they make of it, and where a control character comes out.
    """
    escapes = len(_ESCAPE.findall(part))
    if escapes and escapes != part.count("%"):
        message = "holds % both as itself and as the start of an escape; write each % as %25"
        raise ValueError(message)
    try:
        text = unquote(part, errors="strict") if escapes else part
    except UnicodeDecodeError:
        message = "holds an escape that is not UTF-8; write a % that means itself as %25"
        raise ValueError(message) from None
    if _CONTROL.search(text):
        message = "holds a control character, such as the end of a line"
        raise ValueError(message)
    return text


def check_port(port: str) -> None:
    """Raise ValueError unless this is the decimal number of a port, 1 to 65535."""
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= 65_535):
        message = "names a port that is no number from 1 to 65535"
        raise ValueError(message)
