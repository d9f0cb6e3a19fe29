"""Markdown files with front matter, as Zola, Hugo and Jekyll keep them in a folder."""

import re
from datetime import UTC, datetime
from pathlib import PurePosixPath

from webapp.kit.imports.article import (
    EXCERPT_LIMIT,
    ImportedArticle,
    ImportProblem,
    JsonValue,
    NotAnArticle,
    Status,
)
from webapp.kit.imports.front_matter import split
from webapp.kit.imports.moments import read_moment
from webapp.kit.imports.text import labels, storable, title_line
from webapp.kit.markdown import shorten
from webapp.kit.slugs import slugify

_DATE_KEYS = ("date", "published_at", "published", "pubDate", "publishDate")
_EXCERPT_KEYS = ("description", "summary", "excerpt")
_DATED = re.compile(r"(?:^|/)(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?=[/-])")
_DATE_PREFIX = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-")
_PAGE_ENDING = re.compile(r"\.(?:html?|md|markdown)$", re.IGNORECASE)
_HIDDEN_STATUSES = frozenset({"draft", "pending", "private", "hidden", "unpublished", "trash"})
_POST_KEYS = frozenset(
    {"author", "authors", "categories", "draft", "path", "slug", "tags", "taxonomies", *_DATE_KEYS}
)
_READ_KEYS = _POST_KEYS | {"aliases", "category", "tag", "title", *_EXCERPT_KEYS}

Fields = dict[str, JsonValue]


def parse_article(text: str, source: str, *, now: datetime) -> ImportedArticle:
    """Read one file's text; `source` is its path inside the folder, `now` parts past from future.

    Raises NotAnArticle for an index page or a file without front matter, and ImportProblem for a
    post that is broken.
    """
    if not storable(text, source).strip():
        raise ImportProblem(source, "is empty")
    if PurePosixPath(source).name.startswith("_index."):
        raise NotAnArticle(source, "is the index page of a section")
    fields, body = split(text.removeprefix("\ufeff"), source)
    title = _title(fields, source)
    published_at = _published_at(fields, source)
    return ImportedArticle(
        source=source,
        title=title,
        slug=_slug(fields, source, title),
        body=body.strip("\n"),
        body_format="markdown",
        status=_status(fields, source, published_at, now),
        published_at=published_at,
        authors=_authors(fields, source),
        categories=_taxonomy(fields, source, "categories", "category"),
        tags=_taxonomy(fields, source, "tags", "tag"),
        excerpt=_excerpt(fields, source),
        metadata=_metadata(fields, source),
    )


def _title(fields: Fields, source: str) -> str:
    title = title_line(_text(fields, "title", source) or "", source)
    if title:
        return title
    if _POST_KEYS.isdisjoint(fields):
        raise NotAnArticle(source, "has neither a title nor anything else that a post has")
    raise ImportProblem(source, "has no title")


def _text(fields: Fields, key: str, source: str) -> str | None:
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ImportProblem(source, f"{key!r} is not a text")


def _published_at(fields: Fields, source: str) -> datetime | None:
    for key in _DATE_KEYS:
        # Jekyll's "published: false" says whether, not when.
        if isinstance(fields.get(key), bool) and key == "published":
            continue
        written = _text(fields, key, source)
        if written:
            moment = read_moment(written) if isinstance(fields[key], str) else None
            if moment is None:
                raise ImportProblem(source, f"{key!r} is not a time: {written[:40]!r}")
            return moment
    for path in (_text(fields, "path", source), source):
        dated = _DATED.search(path or "")
        if dated:
            return _day(dated, source)
    return None


def _day(dated: re.Match[str], source: str) -> datetime:
    try:
        return datetime(int(dated[1]), int(dated[2]), int(dated[3]), tzinfo=UTC)
    except ValueError as error:
        reason = f"its path names a day that does not exist: {dated[0].strip('/')!r}"
        raise ImportProblem(source, reason) from error


def _slug(fields: Fields, source: str, title: str) -> str:
    file = PurePosixPath(source)
    # A page with its pictures beside it is a folder whose text is called index.
    name = file.parent.name if file.stem == "index" else file.stem
    path = _PAGE_ENDING.sub("", (_text(fields, "path", source) or "").rstrip("/"))
    for wanted in (
        (_text(fields, "slug", source) or "").strip("/").rpartition("/")[2],
        path.rpartition("/")[2],
        _DATE_PREFIX.sub("", name),
    ):
        if wanted and slugify(wanted) != slugify(""):
            return slugify(wanted)
    return slugify(title)


def _status(fields: Fields, source: str, published_at: datetime | None, now: datetime) -> Status:
    hidden = (
        _flag(fields, "draft", source)
        or _flag(fields, "private", source)
        or fields.get("published") is False
        or str(fields.get("status")).strip().lower() in _HIDDEN_STATUSES
        or "_drafts" in PurePosixPath(source).parts
    )
    if hidden:
        return "draft"
    return "scheduled" if published_at is not None and published_at > now else "published"


def _flag(fields: Fields, key: str, source: str) -> bool:
    """Read a yes or no; anything else is a problem, since a guess could publish a draft."""
    written = str(fields.get(key, False)).strip().lower()
    if written in ("true", "yes", "1"):
        return True
    if written in ("false", "no", "0", "none", ""):
        return False
    raise ImportProblem(source, f"{key!r} is neither true nor false: {written[:40]!r}")


def _authors(fields: Fields, source: str) -> tuple[str, ...]:
    for key in ("authors", "author"):
        if fields.get(key):
            return labels(_names(fields[key], source, key), source, "authors")
    return _taxonomy(fields, source, "authors", "author")


def _taxonomy(fields: Fields, source: str, plural: str, singular: str) -> tuple[str, ...]:
    """Read names from the key itself and from Zola's table of taxonomies."""
    tables: list[Fields] = [fields]
    grouped = fields.get("taxonomies")
    if isinstance(grouped, dict):
        tables.append(grouped)
    names = [
        name
        for table in tables
        for key in (plural, singular)
        for part in _names(table.get(key), source, key)
        for name in (part.split(",") if isinstance(table.get(key), str) else [part])
    ]
    return labels(names, source, plural)


def _names(value: JsonValue, source: str, key: str) -> list[str]:
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, str | int | float):
        return [str(value)]
    if isinstance(value, dict):
        return _names(value.get("name"), source, key)
    if any(isinstance(item, list) for item in value):
        raise ImportProblem(source, f"{key!r} is not a list of names")
    return [name for item in value for name in _names(item, source, key)]


def _excerpt(fields: Fields, source: str) -> str | None:
    for key in _EXCERPT_KEYS:
        written = _text(fields, key, source)
        if written and written.strip():
            return shorten(written, EXCERPT_LIMIT)
    return None


def _metadata(fields: Fields, source: str) -> dict[str, JsonValue]:
    """Keep the old addresses, and apart from them every key that has no field of its own."""
    metadata: dict[str, JsonValue] = {}
    path = _text(fields, "path", source)
    if path:
        metadata["path"] = path
    aliases: list[JsonValue] = [*_names(fields.get("aliases"), source, "aliases")]
    if aliases:
        metadata["aliases"] = aliases
    rest = {key: value for key, value in fields.items() if key not in _READ_KEYS}
    if rest:
        metadata["front_matter"] = rest
    return metadata
