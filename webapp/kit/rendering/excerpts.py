"""Plain text of HTML, and its opening as an excerpt."""

import html

from webapp.kit.rendering.elements import ALLOWED, BLOCKS
from webapp.kit.rendering.tags import Tag, read_pieces

_PARTING = BLOCKS | {"br"}


def excerpt(source: str, limit: int = 280) -> str:
    """Give the opening of an HTML text as plain text of at most `limit` characters."""
    text, taken = "", 4 * limit + 1000
    while True:
        text = plain_text(source[:taken])
        # The margin keeps an entity or a word that the slice cut in two out of the answer.
        if taken >= len(source) or len(text) > limit + 100:
            return shorten(text, limit)
        taken *= 2


def shorten(text: str, limit: int) -> str:
    """Cut plain text to at most `limit` characters at a word's end, marking a cut with "…"."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    cut = text[:limit]
    words, space, _ = cut.rpartition(" ")
    return (words if space else cut[:-1]).rstrip(" ,;:-–—") + "…"


def plain_text(source: str) -> str:
    """Give the text of HTML with single spaces, also where only a block's edge parts words."""
    built = []
    for piece in read_pieces(without_surrogates(source), ALLOWED):
        if not isinstance(piece, Tag):
            built.append(piece)
        elif piece.name in _PARTING:
            built.append(" ")
    return " ".join(html.unescape("".join(built)).split())


def without_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which are not characters and cannot be encoded."""
    return text.encode("utf-8", "replace").decode("utf-8")
