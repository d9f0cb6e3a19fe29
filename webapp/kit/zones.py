"""The zones of IANA by their names, from the package tzdata alone, and the days that they have.

Every process of every host knows the same rules so, whatever its system has, and an update of them
comes with a release.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

LONGEST_ZONE_NAME = 64


class UnknownZoneError(ValueError):
    """The name is no zone's."""


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names that there are."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())


@lru_cache(maxsize=1_024)
def zone_named(name: str) -> ZoneInfo:
    """Return a zone by its name, written as IANA writes it. Raises UnknownZoneError."""
    if name not in zone_names():
        raise UnknownZoneError("is no time zone; give one of IANA's names, such as Europe/Vienna")
    return ZoneInfo.from_file(BytesIO(read_rules(name)), key=name)


def read_rules(name: str) -> bytes:
    """Return the file of a zone that there is."""
    return files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


@lru_cache(maxsize=1_024)
def rules_of(name: str) -> str:
    """Return a word for the rules of a zone: another where any of them is another.

    It begins with the release of the package that they are of, so that later ones come later.
    Raises UnknownZoneError.
    """
    zone_named(name)
    return f"{_release()} {sha256(read_rules(name)).hexdigest()[:12]}"


def rules_gone() -> str:
    """Return the word for the rules of a zone that this process does not know."""
    return f"{_release()} gone"


def _release() -> str:
    year, _, number = version("tzdata").partition(".")
    return f"{year}.{number:0>2}"


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day begins in a zone, in UTC, to a second.

    Where a midnight comes twice it is the first. Where it is left out, the day begins as the clock
    jumps. Raises OverflowError outside of the years that have an instant.
    """
    midnight = datetime.combine(day, time(), zone)
    begins, before = midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC)
    while begins - before > timedelta(seconds=1):
        between = before + (begins - before) / 2
        if between.astimezone(zone).date() < day:
            before = between
        else:
            begins = between
    return begins.replace(microsecond=0)
