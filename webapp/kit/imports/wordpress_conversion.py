"""What the steps that convert one body share: where it came from, and what it had to give up."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from webapp.kit.imports.wordpress_library import Attachment, Library

_ATTRIBUTE = re.compile(
    r"""(?<![\w:.-])([\w:.-]++)\s*+=\s*+(?:"([^"]*)"|'([^']*)'|([^\s"'<>\[\]]+))"""
)

ELEMENT_ATTRIBUTES: Final = r"[^<>]{0,8000}"
"""What may stand inside a tag behind its name, bounded so that no pattern runs away."""


@dataclass(slots=True)
class Conversion:
    """One body on its way: the item's number, its footnotes, the library, and the notices.

    `library` reads the whole file when it is first asked, so it is asked only when needed.
    """

    number: str
    library: Callable[[], Library]
    footnotes: str = ""
    notices: list[str] = field(default_factory=list)

    def lost(self, what: str) -> str:
        """Note what could not be kept; gives the empty text that stands in its place."""
        self.notices.append(what)
        return ""


def attributes(written: str) -> dict[str, str]:
    """Give the attributes of a tag or a shortcode by name in lower case, with entities resolved."""
    return {
        name.lower(): html.unescape(double or single or plain)
        for name, double, single, plain in _ATTRIBUTE.findall(written)
    }


def link(address: str, text: str = "") -> str:
    """Give a link as HTML, "" for an address that leads nowhere."""
    address = web_address(address)
    if not address:
        return ""
    return f'<a href="{html.escape(address)}">{html.escape(text or address, quote=False)}</a>'


def web_address(written: str) -> str:
    """Give an address that a reader can follow, or "" (`about:blank`, data, a broken one)."""
    address = "".join(written.split())
    if address.startswith("//"):
        address = "https:" + address
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    is_web = parts.scheme in ("http", "https") and bool(parts.netloc)
    return address if is_web or (not parts.scheme and parts.path.startswith("/")) else ""


def figure(attachment: Attachment) -> str:
    """Give a picture with its caption as HTML."""
    caption = attachment.caption
    legend = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"\n\n<figure>{image(attachment.address, attachment.alternative)}{legend}</figure>\n\n"


def image(address: str, alternative: str = "") -> str:
    """Give an `img` element."""
    return f'<img src="{html.escape(address)}" alt="{html.escape(alternative)}">'
