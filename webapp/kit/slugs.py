"""Slugs: the part of a public address that names one article, category or tag."""

import re

from slugify import slugify as transliterate

SLUG_LIMIT = 120
"""Longest slug, in characters, that is made from a text."""

SLUG_MAX_LENGTH = 150
"""Longest slug, in characters, that is accepted; the difference leaves room for a number."""

SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
"""What an accepted slug looks like; its length is checked apart, by `SLUG_MAX_LENGTH`."""

_SLUG = re.compile(SLUG_PATTERN.strip("^$"))


def slugify(text: str) -> str:
    """Make a slug of at most `SLUG_LIMIT` characters from any text.

    Letters of other scripts are transliterated to Latin, the cut falls between words where it
    can, and a text that leaves nothing (punctuation, emoji) gives "untitled".
    """
    slug = transliterate(text, max_length=SLUG_LIMIT, word_boundary=True, save_order=True)
    return slug.strip("-") or "untitled"


def is_slug(text: str) -> bool:
    """Tell whether `text` can stand in an address as it is."""
    return len(text) <= SLUG_MAX_LENGTH and _SLUG.fullmatch(text) is not None


def is_variant(slug: str, of: str) -> bool:
    """Tell whether a slug is `of` or one of its numbered variants."""
    _, _, number = slug.rpartition("-")
    return slug == of or (number.isdecimal() and slug == numbered(of, int(number)))


def numbered(slug: str, n: int) -> str:
    """Give the n-th variant of a taken slug (`news`, 2 gives `news-2`), within the length limit."""
    suffix = f"-{n}"
    return slug[: SLUG_MAX_LENGTH - len(suffix)].rstrip("-") + suffix
