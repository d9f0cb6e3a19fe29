"""Times as publishing systems write them, read as aware UTC."""

import re
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from typing import NamedTuple

_LONGEST = 100
# The forms of YAML, Hugo, Jekyll and Hexo: one-digit parts, slashes, and a space before the offset.
_WRITTEN = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:(?:[Tt]|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"\s*([Zz]|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?)?",
    re.ASCII,
)
# The mail parser guesses: it reads the year -0001, which WordPress writes for none, as 2000.
_MAIL_TIME = re.compile(r"(?:[A-Za-z]{3},\s*)?\d{1,2}\s+[A-Za-z]{3}\s+\d{4}\s")


class ReadTime(NamedTuple):
    """A moment in UTC; `has_zone` is False where the text named no zone and one was lent to it."""

    moment: datetime
    has_zone: bool


def read_time(text: str, zone: tzinfo = UTC) -> ReadTime | None:
    """Read an ISO 8601 or RFC 5322 time, a date alone, or a generator's "2019/5/1 9:00:00 +0100".

    A time without an offset is one of `zone`, and a date its midnight there. None where it is no
    time, or one that falls outside the years 1 to 9999 in UTC.
    """
    written = text.strip()
    if len(written) > _LONGEST:
        return None
    try:
        found = _WRITTEN.fullmatch(written)
        if found is not None:
            read = datetime.fromisoformat(_iso(found))
        elif _MAIL_TIME.match(written):
            # The parser takes "-0000", which is UTC of an unknown place, for no zone at all.
            read = parsedate_to_datetime(written.replace("-0000", "+0000"))
        else:
            return None
        return ReadTime(in_utc(read, zone), read.tzinfo is not None)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def in_utc(moment: datetime, zone: tzinfo = UTC) -> datetime:
    """Give `moment` in UTC; one without an offset is one of `zone`.

    A time that the clocks there show twice, or skip, is the later of the two that it may be: what
    waits for its moment must not come out before it.
    """
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return max(moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _iso(found: re.Match[str]) -> str:
    year, _, month, day, hour, minute, second, fraction, offset = found.groups()
    date = f"{year}-{int(month):02}-{int(day):02}"
    if hour is None:
        return date
    clock = f"{int(hour):02}:{minute}:{second or '00'}.{(fraction or '0')[:6]:0<6}"
    return f"{date}T{clock}{_offset(offset)}"


def _offset(written: str | None) -> str:
    if written is None:
        return ""
    if written.upper() in ("Z", "UTC", "GMT"):
        return "+00:00"
    hours, _, minutes = written[1:].partition(":")
    if not minutes:
        hours, minutes = (hours[:-2], hours[-2:]) if len(hours) > 2 else (hours, "00")
    return f"{written[0]}{int(hours):02}:{minutes}"
