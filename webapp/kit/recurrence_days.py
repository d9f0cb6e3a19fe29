"""The wall times of a rule, period by period: no more work than there are days until its end.

dateutil looks for a moment until the year 9999 before it asks for the end (`findings/`), so a rule
that never matches would keep a request for seconds.
"""

from calendar import isleap, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Parts:
    """A rule as numbers, with what its start says where the rule does not."""

    frequency: str
    interval: int
    week_begins: int
    months: frozenset[int]
    month_days: frozenset[int]
    days: frozenset[tuple[int, int]]
    times: Sequence[time]
    places: frozenset[int]

    def matches(self, day: date) -> bool:
        """Say whether the rule means a day of one of its periods."""
        if self.months and day.month not in self.months:
            return False
        length = monthrange(day.year, day.month)[1]
        if self.month_days and not self.month_days & {day.day, day.day - length - 1}:
            return False
        return not self.days or bool(self.days & self._names_of(day, length))

    def _names_of(self, day: date, length: int) -> set[tuple[int, int]]:
        """Return by which ordinals and weekday a rule may call a day; 0 is every one."""
        place, weekday = day.day, day.weekday()
        if self.frequency == "YEARLY" and not self.months:
            place, length = day.timetuple().tm_yday, 366 if isleap(day.year) else 365
        from_end = -((length - place) // 7 + 1)
        return {(0, weekday), ((place - 1) // 7 + 1, weekday), (from_end, weekday)}


def wall_times(rule: str, start: datetime, since: date, end: datetime) -> Iterator[datetime]:
    """Yield the wall times of a rule in their order, from its start and a day on, until `end`."""
    parts = _read(rule, start)
    for first, length in _periods(parts, start.date(), since, end.date()):
        days = (first + number * _A_DAY for number in range(length))
        found = [
            datetime.combine(day, at) for day in days if parts.matches(day) for at in parts.times
        ]
        for place, moment in enumerate(found, 1):
            if parts.places and not parts.places & {place, place - len(found) - 1}:
                continue
            if start <= moment <= end and moment.date() >= since:
                yield moment


def _periods(parts: _Parts, start: date, since: date, end: date) -> Iterator[tuple[date, int]]:
    """Yield the first day of each period of a rule, and how many days it has."""
    if parts.frequency in {"DAILY", "WEEKLY"}:
        length = 1 if parts.frequency == "DAILY" else 7
        first = start - (start.weekday() - parts.week_begins) % 7 * _A_DAY if length == 7 else start
        step = parts.interval * length
        first += max(0, (since - first).days // step) * step * _A_DAY
        while first <= end:
            yield first, length
            first += step * _A_DAY
        return
    months = 12 if parts.frequency == "YEARLY" else 1
    number = start.year * 12 + (start.month - 1 if months == 1 else 0)
    while (first := date(number // 12, number % 12 + 1, 1)) <= end:
        last = date(first.year, 12, 31) if months == 12 else None
        length = (last - first).days + 1 if last else monthrange(first.year, first.month)[1]
        yield first, length
        number += parts.interval * months


def _read(rule: str, start: datetime) -> _Parts:
    given = dict(part.split("=") for part in rule.split(";"))
    frequency = given["FREQ"]
    days = frozenset(map(_day, _list(given, "BYDAY")))
    months = frozenset(map(int, _list(given, "BYMONTH")))
    month_days = frozenset(map(int, _list(given, "BYMONTHDAY")))
    if not days and not month_days:
        if frequency == "WEEKLY":
            days = frozenset({(0, start.weekday())})
        elif frequency in {"MONTHLY", "YEARLY"}:
            month_days = frozenset({start.day})
            if frequency == "YEARLY" and not months:
                months = frozenset({start.month})
    hours = [int(hour) for hour in _list(given, "BYHOUR")] or [start.hour]
    minutes = [int(minute) for minute in _list(given, "BYMINUTE")] or [start.minute]
    return _Parts(
        frequency=frequency,
        interval=int(given.get("INTERVAL", "1")),
        week_begins=WEEKDAYS.index(given.get("WKST", "MO")),
        months=months,
        month_days=month_days,
        days=days,
        times=sorted(time(hour, minute, start.second) for hour in hours for minute in minutes),
        places=frozenset(map(int, _list(given, "BYSETPOS"))),
    )


def _list(given: dict[str, str], name: str) -> list[str]:
    return given[name].split(",") if name in given else []


def _day(text: str) -> tuple[int, int]:
    return int(text[:-2] or 0), WEEKDAYS.index(text[-2:])
