#!/usr/bin/env bash
# A zone that icalendar writes is winter all year to vobject and ical.js.
#
# Versions: icalendar 7.3.2, vobject 0.9.9, ical.js 2.2.1.
# Guess: a calendar that icalendar has given its VTIMEZONE by `add_missing_timezones` is read by others as
#   the same instant: 9:00 of a day in June in Vienna is 7:00 UTC.
# Seen: icalendar writes all changes of a zone as one RDATE with many dates (RFC 5545, 3.8.5.2). vobject
#   and ical.js each keep the first of them, so for them there was one summer, in 1981, and the event is
#   an hour late. icalendar itself looks at the name of the zone, and so does not see it.
# Output:
#   icalendar: 2027-06-01T07:00:00+00:00
#   vobject: 2027-06-01T08:00:00+00:00
#   ical.js: 2027-06-01T08:00:00.000Z
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    icalendar==7.3.2 vobject==0.9.9 tzdata==2026.6
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" ical.js@2.2.1
cat > "$folder/look.py" <<'PY'
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import vobject
from icalendar import Calendar, Event

calendar, event = Calendar(), Event()
calendar.add("prodid", "-//look//")
calendar.add("version", "2.0")
event.add("uid", "1")
event.add("dtstamp", datetime(2027, 1, 1, tzinfo=UTC))
event.add("dtstart", datetime(2027, 6, 1, 9, tzinfo=ZoneInfo("Europe/Vienna")))
calendar.add_component(event)
calendar.add_missing_timezones()
written = calendar.to_ical()
Path(sys.argv[1]).write_bytes(written)
(read,) = Calendar.from_ical(written).walk("VEVENT")
print("icalendar:", read["DTSTART"].dt.astimezone(UTC).isoformat())
other = vobject.readOne(written.decode()).vevent.dtstart.value
print("vobject:", other.astimezone(UTC).isoformat())
PY
cat > "$folder/look.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import ICAL from 'ical.js'

const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], 'utf8')))
const { startDate } = new ICAL.Event(calendar.getFirstSubcomponent('vevent'))
console.log('ical.js:', new Date(startDate.toUnixTime() * 1000).toISOString())
JS
{
  "$folder/venv/bin/python" "$folder/look.py" "$folder/one.ics"
  node "$folder/look.mjs" "$folder/one.ics"
} | tee "$folder/seen"
diff "$folder/seen" - <<'END'
icalendar: 2027-06-01T07:00:00+00:00
vobject: 2027-06-01T08:00:00+00:00
ical.js: 2027-06-01T08:00:00.000Z
END
