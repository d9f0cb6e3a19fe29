"""Fields that name a zone or a day of one."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from webapp.kit.zones import LONGEST_ZONE_NAME, zone_named

PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _zone(name: str) -> str:
    zone_named(name)
    return name


def _day(value: Any) -> date:  # noqa: ANN401
    if not isinstance(value, str) or PLAIN_DAY.fullmatch(value) is None:
        raise ValueError("must be a day, such as 2031-05-17")
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("is a day that no calendar has") from error
    if not 1970 <= day.year <= 9000:
        raise ValueError("must lie between the years 1970 and 9000")
    return day


ZoneName = Annotated[
    str,
    Field(
        min_length=1, max_length=LONGEST_ZONE_NAME,
        description="One of IANA's zones, such as Europe/Vienna.",
    ),
    AfterValidator(_zone),
]  # fmt: skip
Day = Annotated[date, BeforeValidator(_day)]
