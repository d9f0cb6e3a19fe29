"""Foreign HTML turned into HTML that is safe to publish.

Whatever an author, an import or an API client sends, only what `elements.py` names reaches a
reader: no script, no style, no frame, no event handler, no address but the web's, mail's and the
telephone's.
"""

import functools
import html
import re
import unicodedata

import nh3

from webapp.kit.rendering.elements import (
    ALIGNED,
    ALIGNMENTS,
    ALLOWED,
    ATTRIBUTES,
    LINK_TARGETS,
)
from webapp.kit.rendering.excerpts import plain_text, without_surrogates
from webapp.kit.rendering.growth import Growth
from webapp.kit.rendering.refusals import RenderingRefusedError
from webapp.kit.rendering.tags import Tag, read_pieces

OUTPUT_TIMES = 12
"""How many times as long as the source the HTML may be; a table of short cells is about 10."""

OUTPUT_FOR_ALL = 200_000
"""How many characters of HTML every text may have besides."""

FRAGMENT_LENGTH = 200
"""Longest id of an element, in characters."""

_CODE_CLASS = re.compile(r"language-[\w+#.-]{1,40}")
_LAYOUT_CLASS = re.compile(
    r"align(?:left|right|center|none|wide|full)|has-text-align-(?:left|right|center)|wp-caption"
    r"|footnotes|footnote-(?:ref|backref|item)|task-list-item"
)
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_NEWLINES_OPENING_PRE = re.compile(r"(<pre[^<>]*>)\n+")

_MAX_PASSES = 8


def sanitise(source: str) -> str:
    """Reduce HTML from anywhere to the allow-list; doing it again changes nothing.

    Links keep their target and may be followed by search engines, but get rel="noopener". Raises
    RenderingRefusedError for markup that would multiply.
    """
    cleaner = _cleaner()
    room = longest_output(source)
    cleaned = cleaner.clean(_reduced(without_surrogates(source)))
    for _ in range(_MAX_PASSES):
        # A parser drops the first line break inside pre, so one more would go at each pass.
        check_length(len(cleaned), room)
        cleaned = _NEWLINES_OPENING_PRE.sub(r"\1", cleaned)
        again = cleaner.clean(cleaned)
        if again == cleaned:
            return cleaned
        cleaned = again
    # Markup that never settles was built to confuse parsers: its text is all that is kept.
    return html.escape(plain_text(cleaned), quote=False)


def longest_output(source: str) -> int:
    """Return how many characters of HTML may be made of a text."""
    return OUTPUT_FOR_ALL + OUTPUT_TIMES * len(source)


def check_length(length: int, room: int) -> None:
    """Raise RenderingRefusedError when HTML of this length has outgrown its room."""
    if length > room:
        raise RenderingRefusedError(
            f"The page would be more than {OUTPUT_TIMES} times as long as the text. Look for one "
            "long address that many links name, and for elements that are not closed."
        )


def is_fragment_name(text: str) -> bool:
    """Tell whether a text can be the id of an element, in any script."""
    return 0 < len(text) <= FRAGMENT_LENGTH and all(
        sign in "_:.-" or sign.isalnum() or unicodedata.category(sign)[0] == "M" for sign in text
    )


def _reduced(source: str) -> str:
    growth, built = Growth(len(source)), []
    for piece in read_pieces(source, ALLOWED):
        if isinstance(piece, Tag):
            if piece.is_end:
                growth.end(piece.name)
            else:
                growth.start(piece.name, piece.source)
            built.append(piece.source)
        else:
            built.append(piece)
    return "".join(built)


@functools.cache
def _cleaner() -> nh3.Cleaner:
    attributes = {tag: set(names) for tag, names in ATTRIBUTES.items()}
    for tag in LINK_TARGETS:
        attributes.setdefault(tag, set()).add("id")
    return nh3.Cleaner(
        tags=set(ALLOWED),
        clean_content_tags={"script", "style"},
        attributes=attributes,
        attribute_filter=_checked_attribute,
        tag_attribute_values=dict.fromkeys(ALIGNED, ALIGNMENTS),
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener",
    )


def _checked_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":
        wanted = _CODE_CLASS if tag in ("code", "pre") else _LAYOUT_CLASS
        # A fence may say "rust,ignore": the language, then notes for the author's tools.
        words = value.replace(",", " ").split()
        return " ".join(word for word in words if wanted.fullmatch(word)) or None
    if name == "id":
        return value if is_fragment_name(value) else None
    if name in ("src", "poster"):
        scheme = _SCHEME.match(value)
        return value if scheme is None or scheme[1].lower() in ("http", "https") else None
    return value
