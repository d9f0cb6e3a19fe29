"""The keys of front matter, whose writing differs from one generator to the next."""

import unicodedata
from collections.abc import Mapping

from webapp.kit.imports.article import ImportProblem, JsonValue

TEXT_KEYS = frozenset(
    {"title", "slug", "path", "description", "summary", "excerpt", "author", "authors",
     "categories", "category", "tags", "tag", "taxonomies", "aliases"}
)  # fmt: skip
"""What an article is made of."""

DATE_KEYS = (
    "date", "publishedat", "published", "pubdate", "pubdatetime", "publisheddate", "datepublished",
    "postdate", "publish", "created", "createdat", "creationdate",
)  # fmt: skip
"""When it was written or came out, the first that is there."""

RELEASE_KEYS = (
    "publishdate", "publishat", "publishon", "publishafter", "embargo", "embargountil",
    "embargodate", "availablefrom", "golive", "scheduled", "scheduledat", "scheduledfor",
    "scheduleddate",
)  # fmt: skip
"""Before which it must not be public; they go before `DATE_KEYS`, and the latest of them counts."""

EXPIRY_KEYS = (
    "expirydate", "expirationdate", "expiry", "expires", "expiresat", "expireson", "expiredate",
    "unpublishdate", "unpublishat", "unpublishon",
)  # fmt: skip
"""From which on it must no longer be public; the earliest counts."""

HIDING_FLAGS = frozenset(
    {"draft", "private", "hidden", "unlisted", "headless", "unpublished", "trash", "trashed",
     "deleted", "archived", "secret", "confidential", "wip", "restricted", "membersonly",
     "subscribersonly", "eleventyexcludefromcollections", "protected", "internal", "withdrawn",
     "embargoed", "inactive", "disabled"}
)  # fmt: skip
"""A yes to one of them means that not everybody may see it."""

SHOWING_FLAGS = frozenset({"published", "publish", "public", "visible", "listed", "enabled"})
"""A no to one of them means the same."""

OFTEN_SHOWING = frozenset({"render", "live", "ready", "approved", "reviewed", "released", "active"})
OFTEN_HIDING = frozenset(
    {"expired", "premium", "paid", "paywall", "members", "subscribers", "hide", "review",
     "needsreview", "inreview", "underreview", "delete", "removed"}
)  # fmt: skip
"""Words that are used for other things as well: only a clear no, or a clear yes, hides."""

OWN_TABLES = frozenset({"extra", "params", "custom"})
"""Where a site keeps keys of its own, which its templates may take for a state."""

STATUS_KEYS = frozenset(
    {"status", "state", "visibility", "access", "poststatus", "publishstatus", "workflow"}
)
"""One of a few words (`public` and its kin) lets everybody see it, and every other does not.

So it is with every key that ends in `status` or `visibility`.
"""

SECRET_KEYS = frozenset({"password", "passwd", "passphrase"})
"""Something in one of them asks the reader for it."""

STRUCTURED_KEYS = frozenset({"build", "permalink"})
"""Hugo's table of what is built, and an address that may be `false`."""

_PREFIXES = ("is", "post", "page", "article", "content", "entry")
_SUFFIXES = ("status", "visibility")
_NEGATIONS = ("not", "non", "no", "un", "in")
_STATE_KEYS = frozenset().union(
    RELEASE_KEYS, EXPIRY_KEYS, HIDING_FLAGS, SHOWING_FLAGS, STATUS_KEYS, SECRET_KEYS,
    STRUCTURED_KEYS,
)  # fmt: skip
_KNOWN = _STATE_KEYS | TEXT_KEYS | frozenset(DATE_KEYS)

Fields = dict[str, JsonValue]


def read_keys(written: Mapping[str, JsonValue], source: str) -> tuple[Fields, Fields]:
    """Part front matter into what is known, under one name for each key, and the rest as it is.

    Neither the case of letters nor a `-` or `_` between words tells keys apart, as in Hugo.
    Raises ImportProblem for a known key that stands there twice with different values.
    """
    known: Fields = {}
    rest: Fields = {}
    for key, value in written.items():
        name = _known_name(key)
        if name is None:
            rest[key] = value
        elif name in known and known[name] != value:
            raise ImportProblem(source, f"{key!r} stands in the front matter twice and differs")
        else:
            known[name] = value
    return known, rest


def is_state(name: str) -> bool:
    """Say whether a key, as it is read, has to do with whether and when the article is public."""
    return name in _STATE_KEYS or is_status(name)


def is_status(name: str) -> bool:
    """Say whether a key's value is a word for who may see the article."""
    return name in STATUS_KEYS or name.endswith(_SUFFIXES)


def plain_name(key: str) -> str:
    """Give a key without what its eye-alikes differ in: case, width, marks that nobody sees."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", key) if c.isalnum())
    return seen.casefold()


def _known_name(key: str) -> str | None:
    """Give the name under which a key is read (`isDraft` is `draft`), None for an unknown key."""
    name = plain_name(key)
    if name in _KNOWN:
        return name
    bare = name.removeprefix("is")
    if any(bare.startswith(n) and bare.removeprefix(n) in SHOWING_FLAGS for n in _NEGATIONS):
        return "private"
    for prefix in _PREFIXES:
        if name.removeprefix(prefix) in _STATE_KEYS:
            return name.removeprefix(prefix)
    return name if is_status(name) else None
