"""Promises: a wall time is one instant, and one that is none or two is offered what it may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.kit.wall_times import UnclearWallTimeError, WallTime, reckon, shown_in
from webapp.kit.zones import UnknownZoneError, rules_of, zone_names

VIENNA = "Europe/Vienna"


def at(text: str) -> datetime:
    """Return an instant of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "fold", "instant"),
    [
        ("2027-01-15T09:00", None, "2027-01-15T08:00"),
        ("2027-07-15T09:00", None, "2027-07-15T07:00"),
        ("2027-03-28T01:59", None, "2027-03-28T00:59"),
        ("2027-03-28T03:00", None, "2027-03-28T01:00"),
        ("2027-10-31T02:30", "earlier", "2027-10-31T00:30"),
        ("2027-10-31T02:30", "later", "2027-10-31T01:30"),
        ("2027-07-15T09:00", "later", "2027-07-15T07:00"),
    ],
)
def test_a_wall_time_is_an_instant_by_the_rules_of_its_zone(
    time: str, fold: str | None, instant: str
) -> None:
    wall = WallTime(datetime.fromisoformat(time), VIENNA, fold)  # type: ignore[arg-type]
    found, kept = reckon(wall)
    assert found == at(instant)
    assert kept.rules == rules_of(VIENNA)
    assert kept.fold == (fold if "10-31" in time else None)


def test_a_time_that_is_left_out_is_offered_its_neighbours() -> None:
    with pytest.raises(UnclearWallTimeError, match="is left out in Europe/Vienna") as raised:
        reckon(WallTime(datetime(2027, 3, 28, 2, 30), VIENNA))
    assert [(offer.at, offer.time) for offer in raised.value.offers] == [
        (at("2027-03-28T00:30"), datetime(2027, 3, 28, 1, 30)),
        (at("2027-03-28T01:30"), datetime(2027, 3, 28, 3, 30)),
    ]
    assert "2027-03-28T01:30 (2027-03-28T00:30:00Z)" in str(raised.value)


def test_a_time_that_comes_twice_is_offered_both() -> None:
    with pytest.raises(UnclearWallTimeError, match="comes twice") as raised:
        reckon(WallTime(datetime(2027, 10, 31, 2, 30), VIENNA))
    assert [(offer.at, offer.fold) for offer in raised.value.offers] == [
        (at("2027-10-31T00:30"), "earlier"),
        (at("2027-10-31T01:30"), "later"),
    ]


def test_a_zone_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownZoneError):
        reckon(WallTime(datetime(2027, 1, 1), "Europe/Atlantis"))


@given(
    st.sampled_from(sorted(zone_names())),
    st.datetimes(datetime(1971, 1, 1), datetime(2090, 1, 1)),
)
def test_what_a_clock_shows_leads_back_to_its_instant(zone: str, moment: datetime) -> None:
    instant = moment.replace(tzinfo=UTC)
    wall = shown_in(instant, zone)
    assert reckon(wall)[0] == instant
    if wall.fold is None:
        assert reckon(WallTime(wall.time, zone))[0] == instant
        return
    with pytest.raises(UnclearWallTimeError) as raised:
        reckon(WallTime(wall.time, zone))
    assert instant in [offer.at for offer in raised.value.offers]


@given(st.datetimes(datetime(1971, 1, 1), datetime(2040, 1, 1)))
def test_what_is_offered_is_itself_clear(moment: datetime) -> None:
    try:
        reckon(WallTime(moment, "America/New_York"))
    except UnclearWallTimeError as error:
        for offer in error.offers:
            assert reckon(WallTime(offer.time, "America/New_York", offer.fold))[0] == offer.at
            assert abs(offer.at.replace(tzinfo=None) - moment) < timedelta(hours=6)
