"""Three readers of iCalendar, of other hands than ours, each telling what it takes a feed for."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import vobject  # type: ignore[import-untyped]
from icalendar import Calendar

from tests.patience import HANG_SECONDS

FOLDER = Path(__file__).with_name("calendars")
INSTALL = "npm ci --prefix tests/calendars --ignore-scripts"


@dataclass(frozen=True)
class ReadEvent:
    """What a reader takes an event for; `seconds` are those since 1970."""

    uid: str
    seconds: float
    summary: str
    description: str
    sequence: int
    status: str
    url: str


def read_by_icalendar(feed: bytes) -> list[ReadEvent]:
    """Read a feed by icalendar, of Python."""
    events: list[Any] = Calendar.from_ical(feed).walk("VEVENT")
    return [
        ReadEvent(
            str(event["UID"]),
            event["DTSTART"].dt.timestamp(),
            str(event["SUMMARY"]),
            str(event["DESCRIPTION"]),
            int(event["SEQUENCE"]),
            str(event["STATUS"]),
            str(event["URL"]),
        )
        for event in events
    ]


def read_by_vobject(feed: bytes) -> list[ReadEvent]:
    """Read a feed by vobject, of Python."""
    events = vobject.readOne(feed.decode()).contents.get("vevent", [])
    return [
        ReadEvent(
            event.uid.value,
            event.dtstart.value.timestamp(),
            event.summary.value,
            event.description.value,
            int(event.sequence.value),
            event.status.value,
            event.url.value,
        )
        for event in events
    ]


def read_by_ical_js(feed: bytes) -> list[ReadEvent]:
    """Read a feed by ical.js, of Thunderbird; skips where it is not installed."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules").is_dir():
        pytest.skip(f"ical.js wants node, and `{INSTALL}`")
    told = subprocess.run(
        [node, str(FOLDER / "read.mjs")],
        input=feed, capture_output=True, timeout=HANG_SECONDS, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return [ReadEvent(**event) for event in json.loads(told.stdout)]


READERS = (read_by_icalendar, read_by_vobject, read_by_ical_js)
