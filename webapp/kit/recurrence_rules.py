"""Rules by which something recurs: which ones are taken, and which moments they have.

A rule is a part of what RRULE of RFC 5545 may say, over the wall time of a zone. What readers of
rules take in different ways is refused: `findings/` shows some.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from webapp.kit.recurrence_days import wall_times

LONGEST_RULE = 300
MOST_TIMES_A_DAY = 24
LONGEST_LIFE = timedelta(days=3_653)
"""How long a rule is followed from its start, so that one that never matches has an end."""

_LONGEST_OFFSET = timedelta(days=2)

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_DAY = re.compile(r"([+-]?[1-9][0-9]?)?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")

InGap = Literal["after", "skip"]
InFold = Literal["earlier", "later"]
Clock = Literal["once", "skipped", "twice"]


class RuleError(ValueError):
    """The rule is none that is taken; the message says why, and what to write instead."""


@dataclass(frozen=True)
class WallRule:
    """A rule, by the clocks of a zone.

    `start` is a wall time, from which on it is followed and which gives the day and the time that
    the rule does not say; it is a moment of it only where it matches. `until` is the last day, and
    `count` how many moments there are. `in_gap` says what becomes of a time that clocks leave out:
    it is as much later as they jump, or it is skipped. `in_fold` says which of two is meant where
    they show it twice.
    """

    rule: str
    zone: ZoneInfo
    start: datetime
    in_gap: InGap
    in_fold: InFold
    until: date | None = None
    count: int | None = None


@dataclass(frozen=True)
class WallMoment:
    """One moment: as the rule says it, as an instant, and how often clocks show it."""

    local_time: datetime
    at: datetime
    clock: Clock


def read_rule(text: str) -> str:
    """Return a rule in the spelling that is kept. Raises RuleError."""
    parts = _parts(text)
    frequency = parts.get("FREQ", "")
    if frequency not in FREQUENCIES:
        raise RuleError(f"FREQ must be one of {', '.join(FREQUENCIES)}")
    for name in ("COUNT", "UNTIL"):
        if name in parts:
            raise RuleError(f"{name} has a field of its own, {name.lower()}; leave it out here")
    for name, value in parts.items():
        if name != "FREQ":
            _check_part(name, value, frequency)
    _check_places(parts, frequency)
    times = 1
    for name in ("BYHOUR", "BYMINUTE"):
        times *= parts.get(name, "").count(",") + 1
    if times > MOST_TIMES_A_DAY:
        raise RuleError(f"BYHOUR and BYMINUTE name {times} times a day; {MOST_TIMES_A_DAY} at most")
    return ";".join(f"{name}={value}" for name, value in parts.items())


def list_moments(
    rule: WallRule, *, after: datetime, before: datetime, most: int
) -> list[WallMoment]:
    """Return the first moments after one instant and before another, in their order.

    Of two that fall upon one instant there is one. Both instants are aware.
    """
    found = (
        moment
        for local in _local_times(rule, after)
        if (moment := read_wall_time(rule, local)) is not None and moment.at > after
    )
    # A time that the clocks leave out may fall behind those that follow it.
    taken = {moment.at: moment for moment in islice(found, most + MOST_TIMES_A_DAY)}
    return [taken[at] for at in sorted(taken) if at < before][:most]


def last_moment(rule: WallRule, *, after: datetime, until: datetime) -> WallMoment | None:
    """Return the last moment after one instant and until another, if there is one."""
    last: WallMoment | None = None
    for local in _local_times(rule, after):
        moment = read_wall_time(rule, local)
        if moment is None:
            continue
        if moment.at > until + timedelta(days=1):
            break
        if after < moment.at <= until and (last is None or moment.at >= last.at):
            last = moment
    return last


def read_wall_time(rule: WallRule, local: datetime) -> WallMoment | None:
    """Return the moment that a wall time names by a rule; None where that skips it."""
    earlier, later = (local.replace(tzinfo=rule.zone, fold=fold) for fold in (0, 1))
    before, behind = earlier.utcoffset(), later.utcoffset()
    if before == behind:
        return WallMoment(local, earlier.astimezone(UTC), "once")
    if before is not None and behind is not None and before > behind:
        chosen = earlier if rule.in_fold == "earlier" else later
        return WallMoment(local, chosen.astimezone(UTC), "twice")
    # By the offset of before the jump it lies as much behind the jump as it should have.
    return None if rule.in_gap == "skip" else WallMoment(local, earlier.astimezone(UTC), "skipped")


def _local_times(rule: WallRule, after: datetime) -> Iterable[datetime]:
    """Return the wall times of a rule from about an instant on; those that are counted, all."""
    end = rule.start + LONGEST_LIFE
    if rule.until is not None:
        end = min(end, datetime.combine(rule.until, time.max))
    if rule.count is not None:
        return islice(wall_times(rule.rule, rule.start, rule.start.date(), end), rule.count)
    since = max(rule.start.date(), (after - _LONGEST_OFFSET).date())
    return wall_times(rule.rule, rule.start, since, end)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    if not text.isascii() or len(text) > LONGEST_RULE:
        raise RuleError(f"must be {LONGEST_RULE} characters of ASCII at most")
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, is_given, value = part.partition("=")
        if not is_given or not value:
            raise RuleError("must be such as FREQ=WEEKLY;BYDAY=MO;BYHOUR=7;BYMINUTE=0")
        if name in parts:
            raise RuleError(f"{name} stands twice")
        parts[name] = value
    return parts


def _check_part(name: str, value: str, frequency: str) -> None:
    check = _CHECKS.get(name)
    if check is None:
        raise RuleError(f"{name} is not taken; the parts are FREQ, {', '.join(sorted(_CHECKS))}")
    values = value.split(",")
    if len(set(values)) < len(values):
        raise RuleError(f"{name} says something twice")
    if name in {"INTERVAL", "WKST"} and len(values) > 1:
        raise RuleError(f"{name} has one value")
    for one in values:
        if not check(one, frequency):
            raise RuleError(f"{name}={one} is not taken with FREQ={frequency}")


def _check_places(parts: dict[str, str], frequency: str) -> None:
    """Look at what may not stand together; see the findings about dateutil and ical.js."""
    if "BYMONTHDAY" in parts and frequency == "WEEKLY":
        raise RuleError("BYMONTHDAY is not taken with FREQ=WEEKLY; take MONTHLY")
    if "BYSETPOS" in parts:
        if frequency not in {"MONTHLY", "YEARLY"}:
            raise RuleError("BYSETPOS is taken with FREQ=MONTHLY and FREQ=YEARLY alone")
        if not parts.keys() & {"BYDAY", "BYMONTHDAY", "BYMONTH"}:
            raise RuleError("BYSETPOS wants BYDAY, BYMONTHDAY or BYMONTH beside it")


def _number(least: int, most: int, *, is_signed: bool = False) -> Callable[[str, str], bool]:
    def check(value: str, _frequency: str) -> bool:
        if _NUMBER.fullmatch(value) is None or (value[0] in "+-" and not is_signed):
            return False
        number = int(value)
        return least <= (abs(number) if is_signed else number) <= most

    return check


def _is_day(value: str, frequency: str) -> bool:
    found = _DAY.fullmatch(value)
    if found is None:
        return False
    if found[1] is None:
        return True
    return abs(int(found[1])) <= {"MONTHLY": 5, "YEARLY": 53}.get(frequency, 0)


_CHECKS: dict[str, Callable[[str, str], bool]] = {
    "INTERVAL": _number(1, 999),
    "BYMONTH": _number(1, 12),
    "BYMONTHDAY": _number(1, 31, is_signed=True),
    "BYDAY": _is_day,
    "BYHOUR": _number(0, 23),
    "BYMINUTE": _number(0, 59),
    "BYSETPOS": _number(1, 366, is_signed=True),
    "WKST": lambda value, _frequency: value in {"MO", "SU"},
}
