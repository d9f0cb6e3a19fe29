"""One item of a WordPress export made into an article, or the reason why it is none."""

import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from urllib.parse import unquote

from webapp.kit.imports.article import (
    EXCERPT_LIMIT,
    ImportedArticle,
    JsonValue,
    NotAnArticle,
    Status,
    ThrownAway,
)
from webapp.kit.imports.moments import ReadTime, read_time
from webapp.kit.imports.text import labels, storable, title_line, without_addresses
from webapp.kit.imports.wordpress_conversion import Conversion
from webapp.kit.imports.wordpress_html import body_html, opening
from webapp.kit.imports.wordpress_library import Library
from webapp.kit.imports.wordpress_remainder import (
    is_hollow,
    kept_besides,
    original,
)
from webapp.kit.imports.wordpress_stream import ExportItem, source_of
from webapp.kit.rendering.excerpts import excerpt
from webapp.kit.slugs import slugify

_ARTICLE_TYPES = ("post", "page")
_DISCARDED = frozenset({"auto-draft", "inherit", "trash"})
_KEPT_AS_DRAFTS = frozenset({"draft", "pending", "private"})
_ELEMENT = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_NOT_IN_LOGINS = re.compile(r"[^\w .@*-]", re.ASCII)


def read_item(
    item: ExportItem,
    authors: Mapping[str, str],
    library: Callable[[], Library],
    *,
    now: datetime,
    zone: tzinfo = UTC,
) -> ImportedArticle:
    """Make an article of an item; `authors` gives the display name of each login.

    `library` gives what the item's text only points to; `zone` is that of the site's clock, for
    items without a time in UTC. Raises NotAnArticle for what is no post or page, or was thrown
    away; ImportProblem for a post that is broken.
    """
    source = source_of(item)
    _refuse_what_is_no_article(item, source)
    time = _published_at(item, zone)
    published_at = time.moment if time else None
    status, held_back = _status(item, published_at, now)
    slug, login = _slug(item), _login(item, authors)
    title = title_line(_words(item.text("title")), source)
    content = item.fields.get("content:encoded", "")
    conversion = Conversion(item.text("wp:post_id"), library, item.meta.get("footnotes", ""))
    body = body_html(content, conversion)
    if is_hollow(item, body, conversion):
        status, held_back = "draft", held_back or "nothing of its body could be read"
    besides = kept_besides(item, conversion)
    return ImportedArticle(
        source=source,
        title=title or _stand_in(item, slug),
        slug=slug,
        body=body,
        body_format="html",
        status=status,
        published_at=published_at,
        held_back=held_back,
        has_zoneless_times=time is not None and not time.has_zone,
        authors=labels([_byline(login, authors)], source, "authors"),
        author_login=login or None,
        categories=_names(item, "category", source),
        tags=_names(item, "post_tag", source, also="tag"),
        excerpt=_excerpt(item, content, library),
        metadata=_metadata(item) | besides,
        private=_private(item, held_back) | original(content, conversion),
        notices=(*item.mended, *conversion.notices, *["comment left out"] * item.comments),
    )


def _refuse_what_is_no_article(item: ExportItem, source: str) -> None:
    kind, written_status = item.text("wp:post_type"), item.text("wp:status").lower()
    if kind not in _ARTICLE_TYPES:
        raise NotAnArticle(source, f"is of the type {kind or 'none'}, neither a post nor a page")
    if written_status in _DISCARDED:
        raise ThrownAway(source, f"has the status {written_status}")
    for name, text in item.fields.items():
        storable(text, source, name)


def _published_at(item: ExportItem, zone: tzinfo) -> ReadTime | None:
    """Read the first sound time; WordPress writes the year 0 or -1 where there is none."""
    in_utc = read_time(item.text("wp:post_date_gmt"))
    if in_utc is not None:
        return ReadTime(in_utc.moment, has_zone=True)
    return read_time(item.text("pubDate"), zone) or read_time(item.text("wp:post_date"), zone)


def _status(
    item: ExportItem, published_at: datetime | None, now: datetime
) -> tuple[Status, str | None]:
    """Give the status, and the reason where the item must not show although it is no draft.

    What was to come at the export and is past by now counts as public, as in every other format.
    """
    status = item.text("wp:status").lower()
    if item.fields.get("wp:post_password"):
        return "draft", "password-protected"
    if status == "future" and published_at is None:
        return "draft", "scheduled without a time"
    if status in ("publish", "future"):
        future = published_at is not None and published_at > now
        return ("scheduled" if future else "published"), None
    if status in _KEPT_AS_DRAFTS:
        return "draft", None if status == "draft" else status
    return "draft", f"unknown status {status!r}"


def _slug(item: ExportItem) -> str:
    # Names in other scripts are stored percent-encoded.
    name = unquote(item.text("wp:post_name"), errors="replace")
    return slugify(name or _words(item.text("title")))


def _words(title: str) -> str:
    """Give the plain text of a title, which WordPress keeps as HTML."""
    return html.unescape(_ELEMENT.sub("", title)).replace("\x00", "")


def _stand_in(item: ExportItem, slug: str) -> str:
    if not item.text("wp:post_name"):
        return "Untitled"
    return slug.replace("-", " ").capitalize()


def _login(item: ExportItem, authors: Mapping[str, str]) -> str:
    """Give the author's login, mended where only characters that no login has hide a known one."""
    written = item.text("dc:creator")
    mended = _NOT_IN_LOGINS.sub("", written).strip()
    return mended if written not in authors and mended in authors else written


def _byline(login: str, authors: Mapping[str, str]) -> str:
    """Give the name that readers see: none where a mail address is all that the export has."""
    return without_addresses(authors.get(login) or login)


def _names(item: ExportItem, domain: str, source: str, also: str = "") -> tuple[str, ...]:
    # Exports of the format's version 1.0 say "tag" where later ones say "post_tag".
    names = (html.unescape(term.name) for term in item.terms if term.domain in (domain, also))
    return labels((storable(name, source, domain) for name in names), source, domain)


def _excerpt(item: ExportItem, content: str, library: Callable[[], Library]) -> str | None:
    written = item.text("excerpt:encoded")
    if not written:
        before_more = opening(content)
        conversion = Conversion(item.text("wp:post_id"), library)
        written = body_html(before_more, conversion) if before_more else ""
    return excerpt(written, EXCERPT_LIMIT) or None


def _metadata(item: ExportItem) -> dict[str, JsonValue]:
    """Keep what was public there and has no field of its own."""
    # Those of the names that are kept, in their order; other scripts are percent-encoded.
    nicenames: list[JsonValue] = [
        unquote(term.nicename, errors="replace")
        for term in item.terms
        if term.domain == "category" and html.unescape(term.name).strip()
    ]
    formats = [t.nicename for t in item.terms if t.domain == "post_format"]
    metadata: dict[str, JsonValue] = {
        "type": item.text("wp:post_type"),
        "link": item.text("link") or None,
        "original_slug": item.text("wp:post_name") or None,
        "parent_id": item.text("wp:post_parent").strip("0") and item.text("wp:post_parent"),
        "post_format": formats[0].removeprefix("post-format-") if formats else None,
        "sticky": item.text("wp:is_sticky") == "1",
        "category_nicenames": nicenames,
    }
    return {key: value for key, value in metadata.items() if value}


def _private(item: ExportItem, held_back: str | None) -> dict[str, JsonValue]:
    """Keep what an editor may look for later; the password of a protected post is not kept."""
    plain_title = " ".join(_words(item.text("title")).split())
    private: dict[str, JsonValue] = {
        "status": item.text("wp:status"),
        "held_back": held_back,
        "author": item.text("dc:creator"),
        "original_title": None if item.text("title") == plain_title else item.text("title"),
    }
    return {key: value for key, value in private.items() if value}
