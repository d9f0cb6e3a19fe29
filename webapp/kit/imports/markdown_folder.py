"""Markdown files with front matter, as Zola, Hugo and Jekyll keep them in a folder."""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath

from webapp.kit.imports.article import (
    EXCERPT_LIMIT,
    ImportedArticle,
    ImportProblem,
    JsonValue,
    NotAnArticle,
)
from webapp.kit.imports.front_matter import split
from webapp.kit.imports.keys import (
    DATE_KEYS,
    RELEASE_KEYS,
    TEXT_KEYS,
    Fields,
    read_keys,
)
from webapp.kit.imports.moments import ReadTime, in_utc
from webapp.kit.imports.publicity import Publicity, read_publicity
from webapp.kit.imports.sections import Section
from webapp.kit.imports.text import labels, storable, title_line
from webapp.kit.rendering.excerpts import shorten
from webapp.kit.slugs import slugify

_EXCERPT_KEYS = ("description", "summary", "excerpt")
_DATED = re.compile(r"(?:^|/)(\d{4})[/-](\d{1,2})[/-](\d{1,2})(?=[/-])")
_DATE_PREFIX = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-")
_PAGE_ENDING = re.compile(r"\.(?:html?|md|markdown)$", re.IGNORECASE)
_POST_KEYS = frozenset(
    {"author", "authors", "categories", "draft", "path", "slug", "tags", "taxonomies", *DATE_KEYS,
     *RELEASE_KEYS}
)  # fmt: skip
_PUBLIC_KEYS = frozenset({"lang", "language"})


def parse_article(
    text: str,
    source: str,
    *,
    now: datetime,
    zone: tzinfo = UTC,
    public_keys: Collection[str] = (),
    section: Section | None = None,
) -> ImportedArticle:
    """Read one file's text; `source` is its path inside the folder, `now` parts past from future.

    `zone` is that of times which name none. Of the keys that have no field of their own those in
    `public_keys` become public metadata, beside the language, and all others stay private. What
    `section` says counts as well. Raises NotAnArticle for an index page or a file without front
    matter, and ImportProblem for a post that is broken.
    """
    if not storable(text, source).strip():
        raise ImportProblem(source, "is empty")
    if PurePosixPath(source).name.startswith("_index."):
        raise NotAnArticle(source, "is the index page of a section")
    written, body = split(text.removeprefix("\ufeff"), source)
    fields, rest = read_keys(written, source)
    title = _title(fields, source)
    publicity = _publicity(fields, rest, source, section or Section(), zone=zone, now=now)
    named = {key.casefold() for key in public_keys} | _PUBLIC_KEYS
    return ImportedArticle(
        source=source,
        title=title,
        slug=_slug(fields, source, title),
        body=body.strip("\n"),
        body_format="markdown",
        status=publicity.status,
        published_at=publicity.published_at,
        expires_at=publicity.expires_at,
        held_back=publicity.held_back,
        has_zoneless_times=publicity.has_zoneless_times,
        authors=_authors(fields, source),
        categories=_taxonomy(fields, source, "categories", "category"),
        tags=_taxonomy(fields, source, "tags", "tag"),
        excerpt=_excerpt(fields, source),
        metadata=_addresses(fields, source)
        | {key: value for key, value in rest.items() if key.casefold() in named},
        private={key: value for key, value in rest.items() if key.casefold() not in named}
        | {key: value for key, value in fields.items() if key not in TEXT_KEYS},
    )


def _publicity(
    fields: Fields, rest: Fields, source: str, section: Section, *, zone: tzinfo, now: datetime
) -> Publicity:
    path_time = _path_time(fields, source, zone)
    told = {**section.inherited, **fields}
    publicity = read_publicity(told, rest, source, path_time, zone=zone, now=now)
    if section.held_back is not None and publicity.status != "draft":
        return replace(publicity, status="draft", held_back=section.held_back)
    return publicity


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


def _path_time(fields: Fields, source: str, zone: tzinfo) -> ReadTime | None:
    """Give the day that the address or the path names, at its midnight."""
    for path in (_text(fields, "path", source), source):
        dated = _DATED.search(path or "")
        if dated:
            return ReadTime(_day(dated, source, zone), has_zone=False)
    return None


def _day(dated: re.Match[str], source: str, zone: tzinfo) -> datetime:
    try:
        return in_utc(datetime(int(dated[1]), int(dated[2]), int(dated[3])), zone)  # noqa: DTZ001
    except (ValueError, OverflowError) as error:
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


def _addresses(fields: Fields, source: str) -> dict[str, JsonValue]:
    """Keep the old addresses, which are public as they are."""
    metadata: dict[str, JsonValue] = {}
    path = _text(fields, "path", source)
    if path:
        metadata["path"] = path
    aliases: list[JsonValue] = [*_names(fields.get("aliases"), source, "aliases")]
    if aliases:
        metadata["aliases"] = aliases
    return metadata
