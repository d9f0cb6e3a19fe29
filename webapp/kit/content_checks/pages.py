"""A rendered page as the rules look at it."""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from webapp.kit.rendering.elements import ALLOWED, HEADINGS
from webapp.kit.rendering.excerpts import plain_text
from webapp.kit.rendering.tags import Tag, read_pieces

_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


class Level(StrEnum):
    """How bad it is: an error is wrong for some readers, a warning may be meant."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """What one rule has to say, and the words of the page where it is."""

    rule: str
    level: Level
    message: str
    place: str = ""


@dataclass(frozen=True)
class Heading:
    """A heading, of level 1 to 6, and whether it holds an image."""

    level: int
    text: str
    has_image: bool = False


@dataclass(frozen=True)
class Image:
    """An image; `alt` is None where it has no such attribute."""

    source: str
    alt: str | None


@dataclass(frozen=True)
class Link:
    """A link and the words that are underlined."""

    address: str
    text: str


@dataclass(frozen=True)
class Page:
    """One version as its readers will have it; `html` is what the renderer made."""

    title: str
    slug: str
    excerpt: str
    html: str

    @cached_property
    def text(self) -> str:
        """Its plain text."""
        return plain_text(self.html)

    @cached_property
    def headings(self) -> list[Heading]:
        """Its headings in order."""
        return [
            Heading(int(tag.name[1]), plain_text(inner), "<img" in inner)
            for tag, inner in _elements(self.html, HEADINGS)
        ]

    @cached_property
    def links(self) -> list[Link]:
        """Its links in order."""
        return [
            Link(attributes_of(tag).get("href", ""), plain_text(inner))
            for tag, inner in _elements(self.html, frozenset({"a"}))
        ]

    @cached_property
    def images(self) -> list[Image]:
        """Its images in order."""
        pieces = read_pieces(self.html, ALLOWED)
        given = [
            attributes_of(piece)
            for piece in pieces
            if isinstance(piece, Tag) and piece.name == "img"
        ]
        return [Image(each.get("src", ""), each.get("alt")) for each in given]


Rule = Callable[[Page], Iterable[Finding]]
"""What looks at a page and says what it found; it may be slow, and must not change anything."""


def attributes_of(tag: Tag) -> dict[str, str]:
    """Return the attributes of a tag as the renderer writes them: quoted, in lower case."""
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(tag.source)}


def _elements(source: str, names: frozenset[str]) -> Iterator[tuple[Tag, str]]:
    """Yield the elements with some names and the HTML in each, but for those within another."""
    opened: Tag | None = None
    inner: list[str] = []
    for piece in read_pieces(source, ALLOWED):
        if opened is None:
            if isinstance(piece, Tag) and piece.name in names and not piece.is_end:
                opened, inner = piece, []
        elif isinstance(piece, Tag) and piece.name == opened.name and piece.is_end:
            yield opened, "".join(inner)
            opened = None
        else:
            inner.append(piece.source if isinstance(piece, Tag) else piece)
