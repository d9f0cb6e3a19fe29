"""Promise: zones are those of IANA by their exact names, and days are as long as they are."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version

import pytest

from webapp.kit.zones import UnknownZoneError, start_of_day, zone_named, zone_names


@pytest.mark.parametrize(
    "name",
    ["", "europe/vienna", "Europe/Wien", "../etc/passwd", "/etc/localtime", "Europe", "UTC\n",
     "zones", "__init__.py", "Europe/Vienna\x00", "+01:00"],
)  # fmt: skip
def test_only_exact_names_of_iana_are_zones(name: str) -> None:
    with pytest.raises(UnknownZoneError):
        zone_named(name)


def test_the_zones_come_from_the_package_whatever_the_system_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone_named.cache_clear()
    zoneinfo.reset_tzpath(to=["/nowhere"])
    try:
        assert {zone_named(name).key for name in zone_names()} == zone_names()
    finally:
        zoneinfo.reset_tzpath()
    assert version("tzdata")


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("Europe/Vienna", date(2027, 3, 28), "2027-03-27T23:00", 23),
        ("Europe/Vienna", date(2027, 10, 31), "2027-10-30T22:00", 25),
        ("Europe/Vienna", date(2027, 6, 1), "2027-05-31T22:00", 24),
        ("Australia/Lord_Howe", date(2027, 4, 4), "2027-04-03T13:00", 24.5),
        # There is no midnight on this day, and there are two on that.
        ("Africa/Cairo", date(2027, 4, 30), "2027-04-29T22:00", 23),
        ("America/Havana", date(2027, 11, 7), "2027-11-07T04:00", 25),
        # Midnight lay within a jump that began before it.
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30", 23.5),
        # And Samoa had no such day at all.
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00", 0),
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(
    zone: str, day: date, begins: str, hours: float
) -> None:
    starts = start_of_day(day, zone_named(zone))

    assert starts == datetime.fromisoformat(begins).replace(tzinfo=UTC)
    ends = start_of_day(day + timedelta(days=1), zone_named(zone))
    assert (ends - starts) / timedelta(hours=1) == hours
    assert starts == ends or starts.astimezone(zone_named(zone)).date() == day
    assert (starts - timedelta(seconds=1)).astimezone(zone_named(zone)).date() < day
