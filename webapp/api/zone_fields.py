"""Fields that name a zone, or a day or a time of one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from webapp.kit.zones import LONGEST_ZONE_NAME, zone_named

Read = TypeVar("Read", bound=date)


def _zone(name: str) -> str:
    zone_named(name)
    return name


@dataclass(frozen=True)
class Plain(Generic[Read]):
    """How a day or a time of a zone is read: as it is written there, without an offset.

    `read` raises ValueError for what no calendar has; `years` are the first and the last.
    """

    noun: str
    example: str
    pattern: re.Pattern[str]
    read: Callable[[str], Read]
    years: tuple[int, int]

    def __call__(self, value: Any) -> Read:  # noqa: ANN401
        """Return it read. Raises ValueError, which says what it has to be."""
        if not isinstance(value, str) or self.pattern.fullmatch(value) is None:
            raise ValueError(f"must be a {self.noun}, such as {self.example}")
        try:
            read = self.read(value)
        except ValueError as error:
            raise ValueError(f"is a {self.noun.split()[0]} that no calendar has") from error
        first, last = self.years
        if not first <= read.year <= last:
            raise ValueError(f"must lie between the years {first} and {last}")
        return read


ZoneName = Annotated[
    str,
    Field(
        min_length=1, max_length=LONGEST_ZONE_NAME,
        description="One of IANA's zones, such as Europe/Vienna.",
    ),
    AfterValidator(_zone),
]  # fmt: skip
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
Day = Annotated[
    date, BeforeValidator(Plain("day", "2031-05-17", _DAY, date.fromisoformat, (1970, 9000)))
]
ClockTime = Annotated[
    datetime,
    BeforeValidator(
        Plain(
            "time without an offset", "2031-05-17T09:00", _TIME, datetime.fromisoformat,
            (1971, 8999),
        )
    ),
]  # fmt: skip
