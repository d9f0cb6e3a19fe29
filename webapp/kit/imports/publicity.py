"""Whether and when an article is public, by its front matter: only by a clear yes.

What looks like a status and is no clear yes makes a draft, with the reason; a flag that cannot be
read is a problem, because every guess could publish what nobody should see.
"""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from pathlib import PurePosixPath
from typing import Literal

from webapp.kit.imports.article import ImportProblem, JsonValue, Status
from webapp.kit.imports.keys import (
    DATE_KEYS,
    EXPIRY_KEYS,
    HIDING_FLAGS,
    OFTEN_HIDING,
    OFTEN_SHOWING,
    OWN_TABLES,
    RELEASE_KEYS,
    SECRET_KEYS,
    SHOWING_FLAGS,
    Fields,
    is_status,
    plain_name,
    read_keys,
)
from webapp.kit.imports.moments import ReadTime, read_time

_YES = frozenset({"true", "yes", "on", "y", "1"})
_NO = frozenset({"false", "no", "off", "n", "0"})
_PUBLIC_WORDS = frozenset({"published", "publish", "public", "live", "visible", "everyone", "true"})
_WAITING_WORDS = frozenset({"future", "scheduled"})
_HIDDEN_WORDS = frozenset({"draft", "private", "unpublished", "hidden", "confidential", "secret"})
_DRAFT_FOLDERS = frozenset({"_drafts", "drafts", ".trash"})

Answer = Literal["yes", "no", "nothing", "unclear"]


@dataclass(frozen=True, slots=True)
class Publicity:
    """What an article says of its public life.

    `held_back` is the reason why it is a draft; `has_zoneless_times` tells that a zone was lent to
    one of its times.
    """

    status: Status
    published_at: datetime | None
    expires_at: datetime | None
    held_back: str | None
    has_zoneless_times: bool


def read_publicity(
    fields: Fields,
    rest: Fields,
    source: str,
    path_time: ReadTime | None,
    *,
    zone: tzinfo,
    now: datetime,
) -> Publicity:
    """Read the state from the known keys of front matter.

    The unknown ones, `rest`, cannot make an article public, but what looks like a state among them
    holds it back. `path_time` is the day that the file's path names, for where no key does. Raises
    ImportProblem for a flag or a time that cannot be read.
    """
    written = _times(fields, DATE_KEYS, source, zone)
    releases = _times(fields, RELEASE_KEYS, source, zone)
    expiries = _times(fields, EXPIRY_KEYS, source, zone)
    date = max(releases, default=None) or (written[0] if written else path_time)
    expiry = min(expiries, default=None)
    used = [time for time in (date, expiry) if time is not None]
    public = Publicity(
        status="published",
        published_at=date.moment if date else None,
        expires_at=expiry.moment if expiry else None,
        held_back=None,
        has_zoneless_times=any(not time.has_zone for time in used),
    )
    reason = _held_back(fields, source, public, now) or _reason_of_rest(rest, source)
    if reason is not None:
        return replace(public, status="draft", held_back=reason)
    return replace(public, status="scheduled") if _is_to_come(public, now) else public


def _is_to_come(publicity: Publicity, now: datetime) -> bool:
    return publicity.published_at is not None and publicity.published_at > now


def _times(fields: Fields, keys: tuple[str, ...], source: str, zone: tzinfo) -> list[ReadTime]:
    times = []
    for key in keys:
        value = fields.get(key)
        # Jekyll's "published: false" says whether, not when.
        if value is None or value == "" or answer_of(value) in ("yes", "no"):
            continue
        time = read_time(value, zone) if isinstance(value, str) else None
        if time is None:
            raise ImportProblem(source, f"{key!r} is not a time: {str(value)[:40]!r}")
        times.append(time)
    return times


def _held_back(fields: Fields, source: str, publicity: Publicity, now: datetime) -> str | None:
    """Give the first reason why the article may not be public, None where all is clear.

    Every flag is read, so that one that cannot be is a problem whatever stands before it.
    """
    reasons = [reason for key in fields if (reason := _reason_of(key, fields[key], source))]
    folders = {part.casefold() for part in PurePosixPath(source).parts[:-1]}
    if not _DRAFT_FOLDERS.isdisjoint(folders):
        reasons.append("is in a folder of drafts")
    if _waits(fields) and not publicity.published_at:
        reasons.append("is scheduled without a time")
    expires_at = publicity.expires_at
    if expires_at is not None:
        if expires_at <= now:
            reasons.append("has expired")
        elif publicity.published_at is not None and expires_at <= publicity.published_at:
            reasons.append("expires before it is public")
    for key in EXPIRY_KEYS:
        if answer_of(fields.get(key)) == "yes":
            reasons.append(f"{key!r} is no time")
    return reasons[0] if reasons else None


def _reason_of(key: str, value: JsonValue, source: str) -> str | None:
    """Say why one key holds the article back, if it does."""
    if key in SECRET_KEYS:
        return None if value is False or answer_of(value) == "nothing" else "has a password"
    if key == "build":
        return _reason_of_build(value)
    if key == "permalink":
        return "'permalink' is false" if answer_of(value) == "no" else None
    if is_status(key):
        word = str(value).strip().casefold()
        is_public = isinstance(value, str | bool) and word in _PUBLIC_WORDS | _WAITING_WORDS
        return None if is_public else f"{key!r} is {str(value)[:40]!r}"
    if key in HIDING_FLAGS:
        return _reason_of_flag(key, value, source, hides="yes")
    if key in SHOWING_FLAGS and not (key in DATE_KEYS and answer_of(value) == "unclear"):
        return _reason_of_flag(key, value, source, hides="no")
    return None


def _reason_of_rest(rest: Fields, source: str) -> str | None:
    """Give the first reason among the keys without a field of their own."""
    for key, value in rest.items():
        name = plain_name(key)
        is_hidden = (name in OFTEN_HIDING and answer_of(value) == "yes") or (
            name in OFTEN_SHOWING and answer_of(value) == "no"
        )
        if is_hidden or (isinstance(value, str) and value.strip().casefold() in _HIDDEN_WORDS):
            return f"{key!r} is {str(value).strip().casefold()[:40]!r}"
        if name in OWN_TABLES and isinstance(value, dict):
            reason = _reason_of_own(value, source)
            if reason is not None:
                return f"{reason} (in {key!r})"
    return None


def _reason_of_own(table: Fields, source: str) -> str | None:
    """Read a table of the site's own, whose keys need not mean what they mean elsewhere."""
    known, rest = read_keys(table, source)
    for key, value in known.items():
        if key in (*RELEASE_KEYS, *EXPIRY_KEYS) and answer_of(value) not in ("no", "nothing"):
            return f"{key!r} is a time of the site's own"
        try:
            reason = _reason_of(key, value, source)
        except ImportProblem as problem:
            reason = problem.reason
        if reason is not None and answer_of(value) != "nothing":
            return reason
    return _reason_of_rest({k: v for k, v in rest.items() if not isinstance(v, dict)}, source)


def _reason_of_flag(key: str, value: JsonValue, source: str, *, hides: Answer) -> str | None:
    answer = answer_of(value)
    if answer == "unclear":
        raise ImportProblem(source, f"{key!r} is neither true nor false: {str(value)[:40]!r}")
    if answer == "nothing":
        return f"{key!r} is empty"
    return f"{key!r} is {'true' if answer == 'yes' else 'false'}" if answer == hides else None


def _reason_of_build(value: JsonValue) -> str | None:
    """Read Hugo's `build`: what is not rendered, or in no list, is not meant for everybody."""
    if not isinstance(value, dict):
        return None if answer_of(value) in ("yes", "nothing") else f"'build' is {str(value)[:40]!r}"
    options = {key.casefold(): option for key, option in value.items()}
    for key in ("render", "list"):
        option = str(options.get(key, "always")).strip().casefold()
        if option not in ("always", "true"):
            return f"'build.{key}' is {option[:40]!r}"
    return None


def _waits(fields: Fields) -> bool:
    """Say whether a word or a flag tells of a moment that has to be named as well."""
    return any(
        (is_status(key) and str(value).strip().casefold() in _WAITING_WORDS)
        or (key in RELEASE_KEYS and answer_of(value) == "yes")
        for key, value in fields.items()
    )


def answer_of(value: JsonValue) -> Answer:
    """Read a flag in the words that people use."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return "nothing"
    word = str(value).strip().casefold()
    if word in _YES:
        return "yes"
    return "no" if word in _NO else "unclear"
