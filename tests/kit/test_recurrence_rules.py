"""Promises about rules: wall time is kept, and each has an end."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from webapp.kit.recurrence_rules import (
    RuleError,
    WallMoment,
    WallRule,
    last_moment,
    list_moments,
    read_rule,
)
from webapp.kit.zones import zone_named

EVER = datetime.max.replace(tzinfo=UTC)


def moments(rule: str, start: str, most: int = 3, **more: Any) -> list[WallMoment]:
    """Return the first moments of a rule from its start on, in Vienna unless told otherwise."""
    fields = {"in_gap": "after", "in_fold": "earlier", "zone": "Europe/Vienna", **more}
    zone = zone_named(fields.pop("zone"))
    wall = WallRule(read_rule(rule), zone, datetime.fromisoformat(start), **fields)
    return list_moments(wall, after=datetime(1990, 1, 1, tzinfo=UTC), before=EVER, most=most)


def instants(found: list[WallMoment]) -> list[str]:
    """Return the instants of moments, to the minute."""
    return [f"{moment.at:%Y-%m-%dT%H:%M}" for moment in found]


def test_the_wall_time_is_kept_when_clocks_change() -> None:
    found = moments("FREQ=WEEKLY;BYDAY=MO", "2027-03-22T07:00")

    assert instants(found) == ["2027-03-22T06:00", "2027-03-29T05:00", "2027-04-05T05:00"]
    assert {moment.clock for moment in found} == {"once"}


@pytest.mark.parametrize(
    ("in_gap", "expected", "clock"),
    [
        ("after", ["2027-03-27T01:30", "2027-03-28T01:30", "2027-03-29T00:30"], "skipped"),
        ("skip", ["2027-03-27T01:30", "2027-03-29T00:30", "2027-03-30T00:30"], "once"),
    ],
)
def test_a_time_that_clocks_leave_out_follows_what_was_chosen(
    in_gap: str, expected: list[str], clock: str
) -> None:
    found = moments("FREQ=DAILY", "2027-03-27T02:30", in_gap=in_gap)

    assert instants(found) == expected
    assert found[1].clock == clock


@pytest.mark.parametrize(
    ("in_fold", "second"), [("earlier", "2027-10-31T00:30"), ("later", "2027-10-31T01:30")]
)
def test_a_time_that_clocks_show_twice_follows_what_was_chosen(in_fold: str, second: str) -> None:
    found = moments("FREQ=DAILY", "2027-10-30T02:30", in_fold=in_fold)

    assert instants(found) == ["2027-10-30T00:30", second, "2027-11-01T01:30"]
    assert [moment.clock for moment in found] == ["once", "twice", "once"]


def test_two_times_that_fall_upon_one_instant_are_one_moment_and_all_are_in_order() -> None:
    found = moments("FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15,30", "2027-03-28T00:00", most=5)

    assert instants(found) == [
        "2027-03-28T01:15", "2027-03-28T01:30", "2027-03-29T00:15", "2027-03-29T00:30",
        "2027-03-29T01:15",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "start", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=2", "2027-06-01T09:00", ["06-01", "06-03", "06-05"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2027-01-31T09:00", ["01-31", "03-31", "05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-31T09:00", ["01-31", "02-28", "03-31"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2027-06-01T09:00", ["06-25", "07-30", "08-27"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "2027-05-01T09:00",
         ["05-03", "06-01", "07-01"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=1MO", "2027-06-01T09:00", ["11-01", "11-06", "11-05"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-01-01T09:00", ["02-29", "02-29", "02-29"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU", "2027-06-01T09:00",
         ["06-01", "06-13", "06-15"]),
    ],
)  # fmt: skip
def test_rules_have_the_days_that_they_say(rule: str, start: str, expected: list[str]) -> None:
    found = moments(rule, start)

    assert [f"{moment.local_time:%m-%d}" for moment in found] == expected


def test_a_rule_ends_with_its_last_day_its_count_or_ten_years() -> None:
    daily, start = "FREQ=DAILY", "2027-06-01T23:30"

    assert len(moments(daily, start, most=9, until=date(2027, 6, 3))) == 3
    assert len(moments(daily, start, most=9, count=4)) == 4
    assert len(moments(daily, start, most=9, count=4, until=date(2027, 6, 2))) == 2
    assert moments("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", start) == []
    assert moments("FREQ=YEARLY;INTERVAL=11", start, most=9)[1:] == []


def test_the_last_moment_that_passed_is_found() -> None:
    wall = WallRule(
        "FREQ=DAILY", zone_named("Europe/Vienna"), datetime(2027, 6, 1, 7), "after", "earlier"
    )
    passed = last_moment(
        wall, after=datetime(2027, 6, 2, tzinfo=UTC), until=datetime(2027, 6, 5, tzinfo=UTC)
    )

    assert passed is not None
    assert passed.local_time == datetime(2027, 6, 4, 7)
    at = passed.at
    assert last_moment(wall, after=at, until=at) is None
    assert last_moment(wall, after=datetime(2027, 6, 2, tzinfo=UTC), until=at) == passed


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", "such as FREQ=WEEKLY"), ("weekly", "such as FREQ=WEEKLY"), ("FREQ=", "such as"),
        ("BYDAY=MO", "FREQ must be"), ("FREQ=SECONDLY", "FREQ must be"),
        ("FREQ=MINUTELY", "FREQ must be"), ("FREQ=HOURLY", "FREQ must be"),
        ("FREQ=DAILY;COUNT=3", "a field of its own"),
        ("FREQ=DAILY;UNTIL=20270601", "a field of its own"),
        ("FREQ=DAILY;FREQ=WEEKLY", "stands twice"), ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL=-1"), ("FREQ=DAILY;INTERVAL=1000", "is not taken"),
        ("FREQ=DAILY;INTERVAL=1,2", "one value"), ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "is not taken"), ("FREQ=DAILY;BYHOUR=24", "is not taken"),
        ("FREQ=DAILY;BYMINUTE=60", "is not taken"), ("FREQ=WEEKLY;BYDAY=2MO", "is not taken"),
        ("FREQ=MONTHLY;BYDAY=6MO", "is not taken"), ("FREQ=WEEKLY;BYDAY=XX", "is not taken"),
        ("FREQ=WEEKLY;BYDAY=MO,MO", "something twice"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "take MONTHLY"),
        ("FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=2", "BYSETPOS"), ("FREQ=MONTHLY;BYSETPOS=1", "wants"),
        ("FREQ=YEARLY;BYWEEKNO=1", "BYWEEKNO is not taken"),
        ("FREQ=DAILY;BYSECOND=1", "BYSECOND is not taken"), ("FREQ=DAILY;BYEASTER=0", "not taken"),
        ("FREQ=DAILY;BYHOUR=٧", "ASCII"), ("FREQ=DAILY\nEXDATE:20270601", "FREQ must be"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(13))) + ";BYMINUTE=0,30", "26 times"),
        ("FREQ=DAILY;" + "BYMONTH=1" * 99, "300 characters"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_what_to_write(rule: str, said: str) -> None:
    with pytest.raises(RuleError) as refused:
        read_rule(rule)

    assert said in str(refused.value)


def test_a_rule_is_kept_in_one_spelling() -> None:
    assert read_rule(" rrule:freq=weekly;byday=mo,we ") == "FREQ=WEEKLY;BYDAY=MO,WE"
