"""Keyset cursors: the sort key of the last row of a page, as one opaque word."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import orjson

Row = TypeVar("Row")


class InvalidCursorError(ValueError):
    """The text is not a cursor that this list gave out."""


def encode_cursor(*key: int | str | datetime) -> str:
    """Return the cursor for a row with this sort key; times keep their microseconds."""
    values = [part.isoformat() if isinstance(part, datetime) else part for part in key]
    return base64.urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()


def decode_cursor(cursor: str, *types: type) -> tuple[int | str | datetime, ...]:
    """Return the sort key inside a cursor, one value for each of `types` (int, str, datetime).

    Raises InvalidCursorError for anything that `encode_cursor` could not have made.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise InvalidCursorError(cursor) from error
    if not isinstance(values, list) or len(values) != len(types):
        raise InvalidCursorError(cursor)
    return tuple(_typed(value, kind) for value, kind in zip(values, types, strict=True))


def _typed(value: object, kind: type) -> int | str | datetime:
    if kind is datetime and isinstance(value, str):
        return _aware_time(value)
    # A bool is an int to Python, and PostgreSQL cannot compare one with a number.
    if kind is int and type(value) is int and abs(value) < 2**63:
        return value
    if kind is str and isinstance(value, str) and "\x00" not in value:
        return value
    raise InvalidCursorError(repr(value))


def _aware_time(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise InvalidCursorError(value)
        # Python knows offsets that PostgreSQL does not, such as a part of a second.
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidCursorError(value) from error


def split_page(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], Row | None]:
    """Cut `limit + 1` fetched rows into the page and, if more follow, the page's last row."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, page[-1]
