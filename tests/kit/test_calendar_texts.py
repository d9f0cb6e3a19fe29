"""Promise: three readers of other hands take a calendar for what was meant, to the second."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.calendar_readers import READERS, ReadEvent
from webapp.kit.calendar_texts import CalendarEvent, write_calendar
from webapp.kit.zones import zone_named

VIENNA = zone_named("Europe/Vienna")
MOMENTS = {
    "before a jump": datetime(2027, 3, 28, 1, 59, 59, tzinfo=VIENNA),
    "in a gap": datetime(2027, 3, 28, 2, 30, tzinfo=VIENNA),
    "after a jump": datetime(2027, 3, 28, 3, 0, tzinfo=VIENNA),
    "the first of two": datetime(2027, 10, 31, 2, 30, tzinfo=VIENNA),
    "the second of two": datetime(2027, 10, 31, 2, 30, fold=1, tzinfo=VIENNA),
    "at half an hour": datetime(2027, 4, 4, 1, 45, tzinfo=zone_named("Australia/Lord_Howe")),
    "in Dublin's winter": datetime(2027, 1, 4, 7, 0, tzinfo=zone_named("Europe/Dublin")),
    "after 2038": datetime(2050, 7, 1, 7, 0, tzinfo=VIENNA),
    "far away": datetime(2999, 12, 31, 23, 59, 59, tzinfo=VIENNA),
    "long ago": datetime(1971, 1, 1, tzinfo=UTC),
}
TEXTS = (
    "Plain",
    'A; b, c: "d" \\ e \\n f',
    "Zwölf 💐 größer als 75 Bytes, so dass die Zeile mitten in einem Zeichen gefaltet wird " * 3,
    "BEGIN:VEVENT",
    "two\nlines",
    "a percent % and {braces} and <b>tags</b>",
    "\u202eright to left",
    " blanks at both ends ",
)


def an_event(number: int, starts_at: datetime, text: str = "Text") -> CalendarEvent:
    """Return an event that says a text."""
    return CalendarEvent(
        uid=f"schedule-{number}@example.org",
        starts_at=starts_at,
        summary=text,
        description=f"{text}\n{text}",
        url="https://example.org/api/v1/content/7",
        status="CONFIRMED",
        sequence=number,
        changed_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
    )


@pytest.mark.parametrize("read", READERS)
def test_every_reader_takes_each_moment_for_the_same_instant(
    read: Callable[[bytes], list[ReadEvent]],
) -> None:
    events = [an_event(number, moment) for number, moment in enumerate(MOMENTS.values(), 1)]

    found = read(write_calendar("Ours", events))

    for name, moment, event in zip(MOMENTS, MOMENTS.values(), found, strict=True):
        assert event.seconds == moment.timestamp(), name


@pytest.mark.parametrize("read", READERS)
def test_every_reader_finds_each_text_as_it_was(read: Callable[[bytes], list[ReadEvent]]) -> None:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    events = [an_event(number, now, text) for number, text in enumerate(TEXTS, 1)]

    found = read(write_calendar("Ours; and, others", events))

    assert found == [
        ReadEvent(
            event.uid, now.timestamp(), event.summary, event.description, event.sequence,
            event.status, event.url,
        )
        for event in events
    ]  # fmt: skip


def test_a_calendar_names_no_zone_and_does_not_change_by_itself() -> None:
    events = [an_event(1, MOMENTS["in a gap"])]

    written = write_calendar("Ours", events)

    assert b"TZID" not in written
    assert b"VTIMEZONE" not in written
    assert b"DTSTART:20270328T013000Z" in written
    assert written == write_calendar("Ours", events)
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))


def test_the_name_is_a_text_whose_marks_are_escaped() -> None:
    lines = write_calendar("Desk; news, C:\\new", []).decode().split("\r\n")
    for name in ("NAME", "X-WR-CALNAME"):
        assert rf"{name}:Desk\; news\, C:\\new" in lines
