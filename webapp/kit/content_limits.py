"""How large an item's fields may be, whichever door it comes in by."""

from collections.abc import Mapping, Sequence
from typing import Any

from webapp.kit.json_values import check_json

BODY_LIMIT = 2_000_000
"""Longest body, in characters."""

TAGS_LIMIT = 50
"""Most tags of an item."""

TAG_LIMIT = 60
"""Longest name of a tag, in characters."""

METADATA_LIMIT = 50_000
"""Largest metadata, in characters of its printed form."""


def check_body(body: str) -> None:
    """Raise ValueError, saying why, for a body that is too long."""
    if len(body) > BODY_LIMIT:
        raise ValueError(f"has {len(body):,} characters; {BODY_LIMIT:,} are allowed")


def check_tags(names: Sequence[str]) -> None:
    """Raise ValueError, saying why, for too many tags, or one that is too long."""
    if len(names) > TAGS_LIMIT:
        raise ValueError(f"are {len(names)}; {TAGS_LIMIT} are allowed")
    longest = max(names, key=len, default="")
    if len(longest) > TAG_LIMIT:
        reason = f"have one of {len(longest)} characters; {TAG_LIMIT} are allowed"
        raise ValueError(f"{reason}: {longest[:40]!r}")


def check_metadata(values: Mapping[str, Any]) -> None:
    """Raise ValueError, saying why, for metadata that is too large or cannot be kept as it is."""
    check_json(values)
    if len(str(values)) > METADATA_LIMIT:
        raise ValueError(f"is larger than {METADATA_LIMIT:,} characters")
