"""The parts of a WordPress export as they come out of the file, in the memory of one part."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from webapp.kit.imports.article import ImportProblem
from webapp.kit.imports.lenient_xml import (
    AS_HTML,
    FORBIDDEN,
    UNDECODED,
    MendedXml,
    without_marks,
)

EXPORT = "the export"
"""The `source` of a problem that concerns the file and not one item."""

_NAMESPACES = (
    (re.compile(r"https?://wordpress\.org/export/[\d.]+/excerpt/"), "excerpt"),
    (re.compile(r"https?://wordpress\.org/export/[\d.]+/"), "wp"),
    (re.compile(r"https?://purl\.org/rss/1\.0/modules/content/"), "content"),
    (re.compile(r"https?://purl\.org/dc/elements/1\.1/"), "dc"),
)
_MENDED = {
    FORBIDDEN: "characters that XML forbids, taken out",
    AS_HTML: "signs that XML does not know, read as HTML reads them",
    UNDECODED: "bytes that are not in the file's encoding, replaced by a sign",
}


@dataclass(frozen=True, slots=True)
class ExportTerm:
    """A category or tag as an item names it: `domain` is the taxonomy."""

    domain: str
    nicename: str
    name: str


@dataclass(frozen=True, slots=True)
class ExportItem:
    """The raw texts of one `<item>`: `fields` by qualified name, such as "wp:post_id".

    `meta` holds the fields that plugins and themes add, by their key; `comments` is their number;
    `mended` tells what had to be mended before the item could be read.
    """

    fields: Mapping[str, str]
    terms: tuple[ExportTerm, ...] = field(default=())
    meta: Mapping[str, str] = field(default_factory=dict)
    comments: int = 0
    mended: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """Give a field's text without surrounding space, "" where it is missing."""
        return self.fields.get(name, "").strip()


def source_of(item: ExportItem) -> str:
    """Name an item by its guid and number: sites repeat the one and share the other."""
    guid = item.text("guid") or item.text("link")
    number = item.text("wp:post_id")
    return "#".join(part for part in (guid, number) if part)


def channel_parts(export: bytes | IO[bytes]) -> Iterator[tuple[str, Element]]:
    """Give each finished child of the channel with its qualified name, then forget it.

    Raises ImportProblem for what is no RSS file, and with the line for one that breaks off.
    """
    stream = io.BytesIO(export) if isinstance(export, bytes) else export
    stream.seek(0)
    above: list[Element] = []
    last = ""
    try:
        for event, element in iterparse(MendedXml(stream), ("start", "end"), forbid_dtd=True):
            if event == "start":
                above.append(element)
                if len(above) == 2 and [e.tag for e in above] != ["rss", "channel"]:
                    raise ImportProblem(EXPORT, "is not a WordPress export: no RSS channel")
                continue
            above.pop()
            if len(above) == 2:
                last = _last_item(element) or last
                yield qualified(element.tag), element
                above[-1].clear()
    except DefusedXmlException as error:
        raise ImportProblem(EXPORT, "declares entities or a document type: refused") from error
    except ParseError as error:
        place = f"after the item {last}" if last else "before its first item ended"
        reason = f"is not well-formed XML: {error}, {place}; what follows was not read"
        raise ImportProblem(EXPORT, reason) from error
    except (LookupError, ValueError) as error:
        raise ImportProblem(EXPORT, f"has an encoding that cannot be read: {error}") from error


def export_item(element: Element) -> ExportItem:
    """Give an item's texts, terms and fields of plugins, and what was mended in its XML."""
    marks = _taken_marks(element)
    terms = [
        ExportTerm(part.get("domain", ""), part.get("nicename", ""), (part.text or "").strip())
        for part in element
        if part.tag == "category"
    ]
    meta: dict[str, str] = {}
    comments = 0
    for part in element:
        name = qualified(part.tag)
        comments += name == "wp:comment"
        if name == "wp:postmeta":
            pair = texts(part)
            meta.setdefault(pair.get("wp:meta_key", ""), pair.get("wp:meta_value", ""))
    mended = tuple(notice for mark, notice in _MENDED.items() if mark in marks)
    return ExportItem(texts(element), tuple(terms), meta, comments, mended)


def texts(element: Element) -> dict[str, str]:
    """Give the text of each child by its qualified name; of repeated ones the first."""
    found: dict[str, str] = {}
    for part in element:
        found.setdefault(qualified(part.tag), without_marks(part.text or "")[0])
    return found


def qualified(tag: str) -> str:
    """Qualify a name by the usual prefix, whichever version of the format declares it."""
    namespace, brace, local = tag.removeprefix("{").rpartition("}")
    if not brace:
        return tag
    for pattern, prefix in _NAMESPACES:
        if pattern.fullmatch(namespace):
            return f"{prefix}:{local}"
    return tag


def _last_item(element: Element) -> str:
    return source_of(ExportItem(texts(element))) if element.tag == "item" else ""


def _taken_marks(element: Element) -> frozenset[str]:
    """Take the marks of mended places out of an element, and tell which there were."""
    all_marks: set[str] = set()
    for part in element.iter():
        for name in ("text", "tail"):
            text, marks = without_marks(getattr(part, name) or "")
            if marks:
                setattr(part, name, text)
                all_marks |= marks
        for key, value in part.items():
            text, marks = without_marks(value)
            if marks:
                part.set(key, text)
                all_marks |= marks
    return frozenset(all_marks)
