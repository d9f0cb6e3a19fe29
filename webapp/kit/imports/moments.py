"""Times as publishing systems write them, read as aware UTC."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST = 100
_SPACED_OFFSET = re.compile(r"\s+(?=(?:[+-]\d\d:?\d\d|Z)$)")
# The mail parser guesses: it reads the year -0001, which WordPress writes for none, as 2000.
_MAIL_TIME = re.compile(r"(?:[A-Za-z]{3},\s*)?\d{1,2}\s+[A-Za-z]{3}\s+\d{4}\s")
_NAMED_UTC = re.compile(r"\s*(?:UTC|GMT)$")


def read_moment(text: str) -> datetime | None:
    """Read an ISO 8601 or RFC 5322 time, a date alone, or Jekyll's "2019-05-15 10:00:00 +0100".

    A time without an offset is UTC and a date its midnight. None where it is no time, or one
    that falls outside the years 1 to 9999 in UTC.
    """
    if len(text) > _LONGEST:
        return None
    written = _NAMED_UTC.sub("Z", _SPACED_OFFSET.sub("", text.strip()))
    try:
        return in_utc(datetime.fromisoformat(written))
    except (ValueError, OverflowError):
        pass
    if not _MAIL_TIME.match(text.strip()):
        return None
    try:
        return in_utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def in_utc(moment: datetime) -> datetime:
    """Give `moment` in UTC; one without an offset is taken to be in UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
