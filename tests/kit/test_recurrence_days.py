"""Promise: a rule has the wall times that dateutil finds, and ends where it never matches."""

from datetime import date, datetime, timedelta
from itertools import islice
from random import Random
from typing import cast

import pytest
from dateutil.rrule import rrule, rrulestr

from webapp.kit.recurrence_days import WEEKDAYS, wall_times
from webapp.kit.recurrence_rules import RuleError, read_rule

START = date(2026, 11, 28)


def some_rule(chance: Random) -> str:
    """Return a rule that may be one."""
    frequency = chance.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={frequency}"]
    if chance.random() < 0.5:
        parts.append(f"INTERVAL={chance.randint(1, 4)}")
    for name, least, most in (("BYMONTH", 1, 12), ("BYHOUR", 0, 23), ("BYMINUTE", 0, 59)):
        if chance.random() < 0.3:
            values = chance.sample(range(least, most + 1), chance.randint(1, 3))
            parts.append(f"{name}={','.join(map(str, values))}")
    if chance.random() < 0.3:
        days = chance.sample([*range(1, 32), *range(-31, 0)], chance.randint(1, 4))
        parts.append(f"BYMONTHDAY={','.join(map(str, days))}")
    if chance.random() < 0.5:
        # All with a number or all without: of a mixture dateutil finds none.
        most = {"MONTHLY": 5, "YEARLY": 5}.get(frequency, 0) * chance.randint(0, 1)
        names = chance.sample(WEEKDAYS, chance.randint(1, 3))
        numbers = [n for n in range(-most, most + 1) if n]
        parts.append("BYDAY=" + ",".join(
            f"{chance.choice(numbers) if numbers else ''}{name}" for name in names
        ))  # fmt: skip
    if chance.random() < 0.2:
        parts.append(f"BYSETPOS={chance.choice([1, 2, -1, -2])}")
    if chance.random() < 0.3:
        parts.append(f"WKST={chance.choice(['MO', 'SU'])}")
    return ";".join(parts)


def test_a_rule_has_the_wall_times_that_dateutil_finds() -> None:
    chance, compared = Random(44), 0
    while compared < 300:
        rule = some_rule(chance)
        try:
            read_rule(rule)
        except RuleError:
            continue
        start = datetime(2026, 11, 28, 7, 15) + timedelta(days=chance.randint(0, 800))
        end = start + timedelta(days=3_653)
        found = list(islice(wall_times(rule, start, start.date(), end), 30))
        if not found:
            continue
        known = cast(rrule, rrulestr(rule, dtstart=start)).replace(until=end)
        expected = list(islice(known, len(found)))
        assert found == expected, (rule, start)
        if len(found) > 20:
            since = found[10].date()
            later = [moment for moment in found if moment.date() >= since]
            assert list(islice(wall_times(rule, start, since, end), len(later))) == later, rule
        compared += 1


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "FREQ=MONTHLY;BYMONTH=2;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31", "FREQ=WEEKLY;INTERVAL=999;BYMONTH=5",
    ],
)  # fmt: skip
def test_a_rule_that_never_matches_ends(rule: str) -> None:
    start = datetime(2026, 11, 28, 7)

    assert list(wall_times(rule, start, START, start + timedelta(days=3_653))) == []


def test_days_with_and_without_a_number_may_stand_together() -> None:
    start = datetime(2027, 6, 1, 7)
    found = wall_times("FREQ=MONTHLY;BYDAY=SU,1TU", start, start.date(), datetime(2027, 6, 15))

    assert [moment.day for moment in found] == [1, 6, 13]
