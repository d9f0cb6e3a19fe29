"""WordPress exports (WXR, an RSS file with additions) read item by item.

The file is parsed as a stream, so that an export of any size takes the memory of one item. It
comes from outside, so entity declarations and references to other files are refused.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from webapp.kit.imports.article import ImportProblem, NotAnArticle, Outcome
from webapp.kit.imports.wordpress_items import ExportItem, ExportTerm, read_item, source_of

EXPORT = "the export"
"""The `source` of a problem that concerns the file and not one item."""

_NAMESPACES = (
    (re.compile(r"https?://wordpress\.org/export/[\d.]+/excerpt/"), "excerpt"),
    (re.compile(r"https?://wordpress\.org/export/[\d.]+/"), "wp"),
    (re.compile(r"https?://purl\.org/rss/1\.0/modules/content/"), "content"),
    (re.compile(r"https?://purl\.org/dc/elements/1\.1/"), "dc"),
)


@dataclass(frozen=True, slots=True)
class ExportAuthor:
    """An account of the exporting site."""

    login: str
    display_name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class ExportCategory:
    """A category of the exporting site; `parent` is the nicename of the one above it."""

    nicename: str
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class ExportChannel:
    """What an export says of its site: authors by login, categories by nicename."""

    title: str = ""
    authors: Mapping[str, ExportAuthor] = field(default_factory=dict)
    categories: Mapping[str, ExportCategory] = field(default_factory=dict)


def read_channel(export: bytes | IO[bytes]) -> ExportChannel:
    """Read an export's authors and categories, which stand before its items.

    Raises ImportProblem where the file is no WordPress export, or breaks off before the items.
    """
    title, authors, categories = "", {}, {}
    for name, element in _channel_parts(export):
        texts = _texts(element)
        if name == "item":
            break
        if name == "title":
            title = (element.text or "").strip()
        elif name == "wp:author" and texts.get("wp:author_login"):
            login = texts["wp:author_login"]
            display_name = texts.get("wp:author_display_name") or login
            authors[login] = ExportAuthor(login, display_name, texts.get("wp:author_email") or None)
        elif name == "wp:category" and texts.get("wp:category_nicename"):
            nicename = texts["wp:category_nicename"]
            parent = texts.get("wp:category_parent") or None
            categories[nicename] = ExportCategory(
                nicename, texts.get("wp:cat_name") or nicename, parent
            )
    return ExportChannel(title, authors, categories)


def read_articles(export: bytes | IO[bytes], *, now: datetime) -> Iterator[Outcome]:
    """Give the outcome of every item in turn; `now` parts what is past from what is future.

    Nothing is raised: a file that breaks off gives what stands before the break and then, as its
    last outcome, the problem. No two articles have the same `source`.
    """
    try:
        channel = read_channel(export)
        authors = {login: author.display_name for login, author in channel.authors.items()}
        seen: set[str] = set()
        for name, element in _channel_parts(export):
            if name == "item":
                yield _outcome(_item(element), authors, seen, now)
    except ImportProblem as problem:
        yield problem


def _outcome(
    item: ExportItem, authors: Mapping[str, str], seen: set[str], now: datetime
) -> Outcome:
    source = source_of(item)
    if not source:
        return ImportProblem(EXPORT, f"the item {item.text('title')!r} has no guid and no number")
    try:
        article = read_item(item, authors, now=now)
    except (ImportProblem, NotAnArticle) as refusal:
        return refusal
    if source in seen:
        return ImportProblem(source, "stands in the export a second time")
    seen.add(source)
    return article


def _channel_parts(export: bytes | IO[bytes]) -> Iterator[tuple[str, Element]]:
    """Give each finished child of the channel with its qualified name, then forget it."""
    stream = io.BytesIO(export) if isinstance(export, bytes) else export
    stream.seek(0)
    above: list[Element] = []
    try:
        for event, element in iterparse(stream, events=("start", "end"), forbid_dtd=True):
            if event == "start":
                above.append(element)
                if len(above) == 2 and [e.tag for e in above] != ["rss", "channel"]:
                    raise ImportProblem(EXPORT, "is not a WordPress export: no RSS channel")
                continue
            above.pop()
            if len(above) == 2:
                yield _name(element.tag), element
                above[-1].clear()
    except DefusedXmlException as error:
        raise ImportProblem(EXPORT, "declares entities or a document type: refused") from error
    except ParseError as error:
        raise ImportProblem(EXPORT, f"is not well-formed XML: {error}") from error
    except (LookupError, ValueError) as error:
        raise ImportProblem(EXPORT, f"has an encoding that cannot be read: {error}") from error


def _item(element: Element) -> ExportItem:
    terms = [
        ExportTerm(part.get("domain", ""), part.get("nicename", ""), (part.text or "").strip())
        for part in element
        if part.tag == "category"
    ]
    return ExportItem(_texts(element), tuple(terms))


def _texts(element: Element) -> dict[str, str]:
    """Give the text of each child by its qualified name; of repeated ones the first."""
    texts: dict[str, str] = {}
    for part in element:
        texts.setdefault(_name(part.tag), part.text or "")
    return texts


def _name(tag: str) -> str:
    """Qualify a name by the usual prefix, whichever version of the format declares it."""
    namespace, brace, local = tag.removeprefix("{").rpartition("}")
    if not brace:
        return tag
    for pattern, prefix in _NAMESPACES:
        if pattern.fullmatch(namespace):
            return f"{prefix}:{local}"
    return tag
