"""When something shall happen, as clients say it: an instant, or a wall time in a zone."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, Field

from webapp.api.fields import Input, Moment, Omittable
from webapp.api.zone_fields import ClockTime, ZoneName
from webapp.kit.clock import utc_now
from webapp.kit.wall_times import UnclearWallTimeError, WallTime, reckon
from webapp.models import Schedule
from webapp.services.errors import InvalidInputError, UnclearTimeError

LONGEST_AGO = timedelta(days=1)
"""How long a moment may have passed: what is older is a slip of the pen, not a late request."""


def _not_long_past(moment: datetime) -> datetime:
    if moment < utc_now() - LONGEST_AGO:
        raise ValueError("has passed more than a day ago")
    return moment


DueMoment = Annotated[
    Moment,
    AfterValidator(_not_long_past),
    Field(description="When; a moment that has passed, by a day at most, is due at once."),
]


class LocalTime(Input):
    """A time as a clock in a zone shows it, which is kept beside its instant."""

    time: ClockTime = Field(description="Without an offset, such as 2031-05-17T09:00.")
    zone: ZoneName
    fold: Omittable[Literal["earlier", "later"]] = Field(
        None, description="Which of the two, where clocks go back and show the time twice."
    )


class LocalTimeAnswer(BaseModel):
    """The wall time that was meant."""

    time: datetime = Field(description="Without an offset, as a clock in the zone shows it.")
    zone: str
    fold: Literal["earlier", "later"] | None


class Meant(NamedTuple):
    """An instant, and the wall time that it is of, if it is of one."""

    due_at: datetime
    wall: WallTime | None = None


def meant_by(at: datetime | None, local: LocalTime | None) -> Meant | None:
    """Return when something shall happen; None where neither is given.

    Raises InvalidInputError for both, and for a wall time that has long passed, and
    UnclearTimeError for one that is left out in its zone, or comes twice.
    """
    if local is None:
        return None if at is None else Meant(at)
    if at is not None:
        raise InvalidInputError("local", "comes in the place of `at`; send one of them")
    try:
        due_at, wall = reckon(WallTime(local.time, local.zone, local.fold))
    except UnclearWallTimeError as error:
        raise UnclearTimeError("local.time", str(error), error.offers) from error
    try:
        return Meant(_not_long_past(due_at), wall)
    except ValueError as error:
        raise InvalidInputError("local.time", str(error)) from error


def local_of(row: Schedule) -> LocalTimeAnswer | None:
    """Return the wall time of a schedule, if it was planned by one."""
    if row.local_time is None or row.zone is None:
        return None
    return LocalTimeAnswer(time=row.local_time, zone=row.zone, fold=row.fold)
