#!/usr/bin/env bash
# icalendar writes an aware moment with a fixed offset so that nobody, itself included, reads the moment.
#
# Version: icalendar 7.3.2.
# Guess: an aware datetime keeps its instant through writing and reading, as those of UTC and of zones do:
#   RFC 5545 has no fixed offsets, so it would be written as UTC, or refused. And an UNTIL beside a start
#   in UTC is written in UTC, as 3.3.10 wants it.
# Seen: a start at +02:00, as `datetime.fromisoformat` and PostgreSQL's drivers give it, becomes
#   TZID="UTC+02:00", a zone that stands nowhere, and comes back naive. An UNTIL with a zone loses it and
#   is written as a local time without one, beside a start of UTC.
# Output:
#   DTSTART;TZID="UTC+02:00":20270601T090000
#   came back as 2027-06-01T09:00:00
#   DTSTART:20270601T070000Z
#   RRULE:FREQ=DAILY;UNTIL=20270603T090000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    icalendar==7.3.2 tzdata==2026.6
cat > "$folder/look.py" <<'PY'
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event


def written(start, rule=None):
    calendar, event = Calendar(), Event()
    calendar.add("prodid", "-//look//")
    calendar.add("version", "2.0")
    event.add("uid", "1")
    event.add("dtstamp", datetime(2027, 1, 1, tzinfo=UTC))
    event.add("dtstart", start)
    if rule is not None:
        event.add("rrule", rule)
    calendar.add_component(event)
    return calendar.to_ical()


def show(text):
    for line in text.decode().splitlines():
        if line.startswith(("DTSTART", "RRULE")):
            print(line)


fixed = written(datetime(2027, 6, 1, 9, tzinfo=timezone(timedelta(hours=2))))
show(fixed)
(read,) = Calendar.from_ical(fixed).walk("VEVENT")
print("came back as", read["DTSTART"].dt.isoformat())
until = datetime(2027, 6, 3, 9, tzinfo=ZoneInfo("Europe/Vienna"))
show(written(datetime(2027, 6, 1, 7, tzinfo=UTC), {"freq": "daily", "until": until}))
PY
"$folder/venv/bin/python" "$folder/look.py" 2>"$folder/errors" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
DTSTART;TZID="UTC+02:00":20270601T090000
came back as 2027-06-01T09:00:00
DTSTART:20270601T070000Z
RRULE:FREQ=DAILY;UNTIL=20270603T090000
END
