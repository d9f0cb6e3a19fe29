"""Moments as people and clients write them: RFC 3339, with an offset, in one spelling."""

import re
from datetime import UTC, datetime
from typing import Any

RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


class NotAMomentError(ValueError):
    """A text is written otherwise than RFC 3339 writes a moment; the message shows one."""

    def __init__(self) -> None:
        """Show one."""
        super().__init__(
            "must be a moment as RFC 3339 writes it, such as 2031-05-17T09:00:00+02:00"
        )


def read_moment(value: Any) -> datetime:  # noqa: ANN401
    """Return the moment that a text names, in UTC.

    Raises NotAMomentError, and ValueError for one that no calendar has, or outside of the years
    1970 to 9000.
    """
    if not isinstance(value, str) or RFC_3339.fullmatch(value) is None:
        raise NotAMomentError
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise ValueError("is a moment that no calendar has") from error
    if not 1970 <= moment.year <= 9000:
        raise ValueError("must lie between the years 1970 and 9000")
    return moment.astimezone(UTC)
