"""Calendars as iCalendar writes them (RFC 5545, RFC 7986), in a form that every reader takes alike.

All moments are instants of UTC, written with `Z`: no TZID, no VTIMEZONE and no rule that a reader
would have to work out by zones of its own. Nothing in it changes by the mere passing of time, so
that the same calendar has the same bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from icalendar import Calendar, Event, vDuration, vText

PRODUCT = "-//Imprint//Calendar//EN"
READ_AGAIN_AFTER = timedelta(minutes=15)


@dataclass(frozen=True)
class CalendarEvent:
    """One moment. `sequence` counts its changes, and `changed_at` is when the last one was."""

    uid: str
    starts_at: datetime
    summary: str
    description: str
    url: str
    status: Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
    sequence: int
    changed_at: datetime


def write_calendar(name: str, events: Iterable[CalendarEvent]) -> bytes:
    """Return a calendar as text/calendar in UTF-8; whatever the texts hold is escaped."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", vText(name))
    calendar.add("x-wr-calname", vText(name))
    calendar.add("refresh-interval", vDuration(READ_AGAIN_AFTER), {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(READ_AGAIN_AFTER))
    for event in events:
        calendar.add_component(_component(event))
    written: bytes = calendar.to_ical()
    return written


def _component(event: CalendarEvent) -> Event:
    component = Event()
    component.add("uid", event.uid)
    component.add("dtstamp", event.changed_at.astimezone(UTC))
    component.add("last-modified", event.changed_at.astimezone(UTC))
    component.add("dtstart", event.starts_at.astimezone(UTC))
    component.add("summary", event.summary)
    component.add("description", event.description)
    component.add("url", event.url)
    component.add("status", event.status)
    component.add("sequence", event.sequence)
    component.add("transp", "TRANSPARENT")
    return component
