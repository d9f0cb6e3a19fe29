"""Bodies as WordPress stores them, turned into plain HTML.

WordPress keeps the words of its editor, not the page: paragraphs are blank lines, pictures with
captions and players are shortcodes, and newer texts wrap every block in comments.
"""

import re

from webapp.kit.imports.foreign_embeds import (
    embeds_as_links,
    lazy_pictures,
    styles_as_attributes,
)
from webapp.kit.imports.wordpress_blocks import (
    note_blocks_without_html,
    put_blocks_in,
    put_footnotes_in,
)
from webapp.kit.imports.wordpress_code import around_code
from webapp.kit.imports.wordpress_conversion import Conversion
from webapp.kit.imports.wordpress_shortcodes import put_in_content
from webapp.kit.rendering.sanitising import sanitise

_MORE = re.compile(r"<!--\s*more\b.{0,200}?-->", re.DOTALL)
_BARE_ADDRESS = re.compile(r"^[ \t]*(https?://[^\s<>\"']+)[ \t]*$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")

_PREFORMATTED = re.compile(r"(<pre\b[^<>]*>.*?</pre>)", re.DOTALL)

_TAG = re.compile(r"(</?[a-z][a-z0-9]*(?:\s[^<>]*)?>)")
_TAG_NAME = re.compile(r"</?([a-z0-9]+)")
_VOID = frozenset({"br", "col", "hr", "img", "source", "wbr"})
_FLOW = frozenset({"article", "blockquote", "center", "details", "div", "section", "td", "li"})
_BLOCKS = _FLOW | frozenset(
    [
        "aside",
        "caption",
        "dd",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "main",
        "ol",
        "p",
        "pre",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)


def body_html(source: str, conversion: Conversion) -> str:
    """Turn one stored body into sanitised HTML with real paragraphs and figures.

    What could not be kept is noted in `conversion`.
    """
    written = source.replace("\r\n", "\n").replace("\r", "\n")
    written = put_footnotes_in(put_blocks_in(written, conversion), conversion)
    note_blocks_without_html(written, conversion)
    plain = sanitise(around_code(written, lambda part: _without_foreign(part, conversion)))
    if "<!-- wp:" not in written:
        plain = sanitise(_Paragraphs().build(plain))
    else:
        plain = _fewer_blank_lines(plain)
    return sanitise(_linked(plain)).strip()


def opening(source: str) -> str | None:
    """Give what stands before the "more" mark, or None where the author set none."""
    mark = _MORE.search(source)
    return source[: mark.start()] if mark else None


def _without_foreign(source: str, conversion: Conversion) -> str:
    source = put_in_content(source, conversion)
    source = lazy_pictures(embeds_as_links(source, conversion), conversion)
    return styles_as_attributes(source)


def _fewer_blank_lines(source: str) -> str:
    """Close the gaps that comments leave; lines of preformatted text are none."""
    parts = _PREFORMATTED.split(source)
    return "".join(
        part if index % 2 else _BLANK_LINES.sub("\n\n", part) for index, part in enumerate(parts)
    )


def _linked(source: str) -> str:
    """Make a link of an address alone on its line, where WordPress would embed the page."""
    parts = _TAG.split(source)
    within_link = within_code = 0
    for index, part in enumerate(parts):
        if index % 2:
            step = -1 if part.startswith("</") else 1
            name = _name(part)
            within_link += step if name == "a" else 0
            within_code += step if name in ("pre", "code") else 0
        elif not within_link and not within_code:
            parts[index] = _BARE_ADDRESS.sub(r'<a href="\1">\1</a>', part)
    return "".join(parts)


def _name(tag: str) -> str:
    found = _TAG_NAME.match(tag)
    return found[1] if found else ""


class _Paragraphs:
    """Builds paragraphs from blank lines and line breaks, in well-formed sanitised HTML.

    Only text that stands directly in the page, or in an element that may hold paragraphs and has
    a blank line, is touched; lists, tables, headings and preformatted text stay as they are.
    """

    def __init__(self) -> None:
        self._built: list[str] = []
        self._run: list[str] = []
        self._open: list[str] = []

    def build(self, source: str) -> str:
        for index, part in enumerate(_TAG.split(source)):
            if index % 2 and _name(part) in _BLOCKS:
                self._end_run()
                self._built.append(part)
                self._track(part)
            else:
                self._run.append(part)
        self._end_run()
        return "".join(self._built)

    def _track(self, tag: str) -> None:
        name = _name(tag)
        if tag.startswith("</"):
            if self._open:
                self._open.pop()
        elif name not in _VOID:
            self._open.append(name)

    def _end_run(self) -> None:
        run, self._run = self._run, []
        text = "".join(run)
        paragraphs = _parted(run)
        within = self._open[-1] if self._open else None
        if within is None or (within in _FLOW and len(paragraphs) > 1):
            self._built += [f"<p>{paragraph}</p>\n" for paragraph in paragraphs]
        else:
            self._built.append(text)


def _parted(run: list[str]) -> list[str]:
    """Part inline HTML at blank lines; a single line break becomes a visible one.

    Both are marked with characters that sanitised text does not hold, so that line breaks inside
    a tag are left alone.
    """
    marked = "".join(
        part if part[:1] == "<" else _BLANK_LINES.sub("\x00", part).replace("\n", "\x01")
        for part in run
    )
    stripped = (part.strip(" \t\n\x01") for part in marked.split("\x00"))
    return [
        part.replace("<br>\x01", "<br>\n").replace("\x01", "<br>\n") for part in stripped if part
    ]
