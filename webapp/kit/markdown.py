"""Markdown and foreign HTML turned into HTML that is safe to publish, and into plain excerpts.

Whatever an author, an import or an API client sends, only what the allow-list below names
reaches a reader: no script, no style, no frame, no event handler, no address but the web's,
mail's and the telephone's.
"""

import functools
import html
import re
from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from webapp.kit.nesting import nests_endlessly
from webapp.kit.slugs import slugify


def _elements(names: str) -> frozenset[str]:
    return frozenset(names.split())


_HEADINGS = _elements("h1 h2 h3 h4 h5 h6")

_BLOCKS = _HEADINGS | _elements(
    "article aside blockquote caption center dd details div dl dt figcaption figure footer header "
    "hr li main ol p pre section summary table tbody td tfoot th thead tr ul"
)

_INLINES = _elements(
    "a abbr audio b bdi bdo big br cite code col colgroup data del dfn em i img ins kbd mark "
    "progress q rp rt ruby s samp small source span strike strong sub sup time tt u var video wbr"
)

# The text inside these is code, a fallback or a foreign vocabulary, never something to read.
_DROPPED_WITH_CONTENT = _elements(
    "applet embed iframe math noembed noframes noscript object plaintext script select style svg "
    "template textarea title xmp"
)

# Elements that authors link to inside a page. An image must not carry an id: together with a
# name it could shadow a property of the document.
_LINK_TARGETS = _HEADINGS | _elements(
    "a blockquote dd details div dt figure li p section span sup table td th tr"
)

_ATTRIBUTES = {
    "*": _elements("class dir lang title"),
    "a": _elements("href hreflang"),
    "audio": _elements("controls src"),
    "col": _elements("span"),
    "colgroup": _elements("span"),
    "data": _elements("value"),
    "del": _elements("datetime"),
    "details": _elements("open"),
    "img": _elements("alt height src width"),
    "ins": _elements("datetime"),
    "li": _elements("value"),
    "ol": _elements("reversed start type"),
    "progress": _elements("max value"),
    "source": _elements("src type"),
    "td": _elements("colspan headers rowspan"),
    "th": _elements("abbr colspan headers rowspan scope"),
    "time": _elements("datetime"),
    "video": _elements("controls height poster src width"),
}

_ALIGNMENTS = {"align": {"left", "center", "right", "justify"}}
_ALIGNED = _HEADINGS | _elements("div img p table td th tr")

_CODE_CLASS = re.compile(r"language-[\w+#.-]{1,40}")
_LAYOUT_CLASS = re.compile(
    r"align(?:left|right|center|none|wide|full)|has-text-align-(?:left|right|center)|wp-caption"
)
_FRAGMENT_NAME = re.compile(r"\w[\w:.-]{0,199}")
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_NEWLINES_OPENING_PRE = re.compile(r"(<pre[^<>]*>)\n+")

_MAX_PASSES = 8


def render(markdown: str) -> str:
    """Render CommonMark with tables and strikethrough to sanitised HTML.

    HTML in the source is kept as far as the allow-list goes. Every heading without an id gets
    one made from its text, so that `[see below](#the-heading)` works.
    """
    rendered: str = _renderer().render(_without_surrogates(markdown))
    return sanitise(rendered)


def sanitise(source: str) -> str:
    """Reduce HTML from anywhere to the allow-list; doing it again changes nothing.

    Links keep their target and may be followed by search engines, but get rel="noopener".
    """
    cleaner = _cleaner()
    cleaned = cleaner.clean(_shallow(_without_surrogates(source)))
    for _ in range(_MAX_PASSES):
        # A parser drops the first line break inside pre, so one more would go at each pass.
        cleaned = _NEWLINES_OPENING_PRE.sub(r"\1", cleaned)
        again = cleaner.clean(cleaned)
        if again == cleaned:
            return cleaned
        cleaned = again
    # Markup that never settles was built to confuse parsers: its text is all that is kept.
    return html.escape(_plain_text(cleaned), quote=False)


def excerpt(source: str, limit: int = 280) -> str:
    """Give the opening of an HTML text as plain text of at most `limit` characters."""
    text, taken = "", 4 * limit + 1000
    while True:
        text = _plain_text(source[:taken])
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


def _plain_text(source: str) -> str:
    """Give the text of HTML with single spaces, also where only a block's edge parts words."""
    marked = nh3.clean(
        _shallow(_without_surrogates(source)),
        tags=set(_BLOCKS | {"br"}),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes={},
    )
    return " ".join(html.unescape(_TAG.sub(" ", marked)).split())


def _shallow(source: str) -> str:
    """Reduce HTML nested deeper than any author writes to its text."""
    if not nests_endlessly(source):
        return source
    return html.escape(html.unescape(_TAG.sub(" ", source)), quote=False)


def _without_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs, which are not characters and cannot be encoded."""
    return text.encode("utf-8", "replace").decode("utf-8")


@functools.cache
def _cleaner() -> nh3.Cleaner:
    attributes = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    for tag in _LINK_TARGETS:
        attributes.setdefault(tag, set()).add("id")
    return nh3.Cleaner(
        tags=_BLOCKS | _INLINES,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=attributes,
        attribute_filter=_checked_attribute,
        tag_attribute_values=dict.fromkeys(_ALIGNED, _ALIGNMENTS),
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
        return value if _FRAGMENT_NAME.fullmatch(value) else None
    if name in ("src", "poster"):
        scheme = _SCHEME.match(value)
        return value if scheme is None or scheme[1].lower() in ("http", "https") else None
    return value


@functools.cache
def _renderer() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.push("heading_ids", _give_heading_ids)
    parser.core.ruler.push("cell_alignment", _align_cells)
    # The rule chains are compiled at first use, in a way that two threads must not meet.
    parser.render("# Warm\n\n*up*")
    return parser


def _give_heading_ids(state: StateCore) -> None:
    taken: set[str] = set()
    for opening, content in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open":
            name = slugify(_spoken(content.children or ()))
            candidate, n = name, 1
            while candidate in taken:
                n += 1
                candidate = f"{name}-{n}"
            taken.add(candidate)
            opening.attrSet("id", candidate)


def _spoken(tokens: Sequence[Token]) -> str:
    return "".join(
        " " if token.type in ("softbreak", "hardbreak") else token.content
        for token in tokens
        if token.type in ("text", "code_inline", "softbreak", "hardbreak")
    )


def _align_cells(state: StateCore) -> None:
    """Say a cell's alignment by attribute: no style attribute passes the allow-list."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            style = str(token.attrs.pop("style"))
            token.attrSet("align", style.removeprefix("text-align:"))
