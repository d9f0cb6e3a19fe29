"""Which JSON values can be kept and given back unchanged."""

import math
from typing import Any

DEEPEST = 10
LARGEST_INTEGER = 2**53 - 1  # The largest that every JSON reader keeps exactly (RFC 8259, 6).


def check_json(value: Any, depth: int = 0) -> None:  # noqa: ANN401
    """Raise ValueError, saying why, for what PostgreSQL or a client could not keep as it is."""
    if depth > DEEPEST:
        raise ValueError(f"is nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, float | int):
        _check_number(value)
    elif isinstance(value, dict):
        for key, member in value.items():
            check_text(key)
            check_json(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            check_json(member, depth + 1)


def is_same_json(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Say whether two values are the same to a reader of JSON, who tells true from 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same_json(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def as_kept(value: Any) -> Any:  # noqa: ANN401
    """Return a JSON value that `check_json` lets pass as PostgreSQL will give it back.

    Its numbers have no negative zero.
    """
    if isinstance(value, dict):
        return {key: as_kept(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_kept(member) for member in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


def _check_number(value: float) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("holds a number that is not finite")
    # JSONB gives a whole number back as an integer, however it was written.
    is_whole = isinstance(value, int) or value.is_integer()
    if is_whole and abs(value) > LARGEST_INTEGER:
        raise ValueError("holds a whole number beyond 53 bits")


def check_text(text: str) -> str:
    """Return the text, or raise ValueError for what is not storable as text."""
    if "\x00" in text:
        raise ValueError("holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half of a surrogate pair") from error
    return text
