"""WordPress exports (WXR, an RSS file with additions) read item by item.

The file is parsed as a stream, so that an export of any size takes the memory of one item. It
comes from outside, so entity declarations and references to other files are refused.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from typing import IO
from xml.etree.ElementTree import Element

from webapp.kit.imports.article import ImportedArticle, ImportProblem, NotAnArticle, Outcome
from webapp.kit.imports.wordpress_categories import CategoryTree, ExportCategory
from webapp.kit.imports.wordpress_items import read_item
from webapp.kit.imports.wordpress_library import Library, read_library
from webapp.kit.imports.wordpress_stream import (
    EXPORT,
    ExportItem,
    channel_parts,
    export_item,
    qualified,
    source_of,
    texts,
)
from webapp.kit.rendering.refusals import RenderingRefusedError

# A blog's own address goes before that of the network of sites that it may be one of.
_ADDRESSES = ("wp:base_blog_url", "link", "wp:base_site_url")
_SITE = frozenset({"title", *_ADDRESSES})


@dataclass(frozen=True, slots=True)
class ExportAuthor:
    """An account of the exporting site."""

    login: str
    display_name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class ExportChannel:
    """What an export says of its site: its address, authors by login, categories by nicename."""

    title: str = ""
    authors: Mapping[str, ExportAuthor] = field(default_factory=dict)
    categories: Mapping[str, ExportCategory] = field(default_factory=dict)
    address: str = ""


def read_channel(export: bytes | IO[bytes]) -> ExportChannel:
    """Read an export's authors and categories, which stand before its items.

    Raises ImportProblem where the file is no WordPress export, or breaks off before the items.
    """
    authors, categories = {}, {}
    site: dict[str, str] = {}
    is_wordpress = False
    for name, element in channel_parts(export):
        is_wordpress = is_wordpress or _is_of_wordpress(name, element)
        if name == "item":
            break
        fields = texts(element)
        if name in _SITE:
            site.setdefault(name, (element.text or "").strip())
        elif name == "wp:author" and fields.get("wp:author_login"):
            login = fields["wp:author_login"]
            display_name = fields.get("wp:author_display_name") or login
            authors[login] = ExportAuthor(
                login, display_name, fields.get("wp:author_email") or None
            )
        elif name == "wp:category" and fields.get("wp:category_nicename"):
            nicename = fields["wp:category_nicename"].strip()
            parent = fields.get("wp:category_parent", "").strip() or None
            categories[nicename] = ExportCategory(
                nicename, fields.get("wp:cat_name") or nicename, parent
            )
    if not is_wordpress:
        reason = "is an RSS feed and no WordPress export: it has none of WordPress's own fields"
        raise ImportProblem(EXPORT, reason)
    address = next((site[name] for name in _ADDRESSES if site.get(name)), "")
    return ExportChannel(site.get("title", ""), authors, categories, address)


def read_articles(
    export: bytes | IO[bytes], *, now: datetime, zone: tzinfo = UTC
) -> Iterator[Outcome]:
    """Give the outcome of every item in turn; `now` parts what is past from what is future.

    `zone` is that of the site's clock, for items without a time in UTC.

    Nothing is raised: a file that breaks off gives what stands before the break and then, as its
    last outcome, the problem. No two articles have the same `source`.
    """
    try:
        channel = read_channel(export)
        authors = {login: author.display_name for login, author in channel.authors.items()}
        tree = CategoryTree(channel.categories)
        seen: set[str] = set()
        library = cache(partial(read_library, export))
        for name, element in channel_parts(export):
            if name == "item":
                outcome = _outcome(export_item(element), authors, library, seen, now=now, zone=zone)
                yield _placed(outcome, tree)
    except ImportProblem as problem:
        yield problem


def _outcome(
    item: ExportItem,
    authors: Mapping[str, str],
    library: Callable[[], Library],
    seen: set[str],
    *,
    now: datetime,
    zone: tzinfo,
) -> Outcome:
    source = source_of(item)
    if not source:
        return ImportProblem(EXPORT, f"the item {item.text('title')!r} has no guid and no number")
    try:
        article = read_item(item, authors, library, now=now, zone=zone)
    except (ImportProblem, NotAnArticle) as refusal:
        return refusal
    except RenderingRefusedError as refusal:
        return ImportProblem(source, str(refusal))
    if source in seen:
        return ImportProblem(source, "stands in the export a second time")
    seen.add(source)
    return article


def _placed(outcome: Outcome, tree: CategoryTree) -> Outcome:
    if not isinstance(outcome, ImportedArticle):
        return outcome
    try:
        return tree.place(outcome)
    except ImportProblem as problem:
        return problem


def _is_of_wordpress(name: str, element: Element) -> bool:
    return name.startswith("wp:") or any(qualified(p.tag).startswith("wp:") for p in element)
