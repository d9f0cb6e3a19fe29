#!/usr/bin/env bash
# vobject reads a calendar by the zones of another one that it has read before.
#
# Version: vobject 0.9.9.
# Guess: the VTIMEZONE of a calendar says what its TZIDs mean, and nothing outside of it does.
# Seen: zones are kept for the whole process by their TZID, and the first one stays. Of two calendars with
#   an "Office" of their own, at +02:00 and at +05:00, the second is read by the office of the first. Which
#   moment an event has depends on what was read before.
# Output:
#   first, at +02:00: 2027-06-01T09:00:00+02:00
#   then, at +05:00: 2027-06-01T09:00:00+02:00
#   alone, at +05:00: 2027-06-01T09:00:00+05:00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check vobject==0.9.9
cat > "$folder/look.py" <<'PY'
import sys

import vobject

TEXT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//look//
BEGIN:VTIMEZONE
TZID:Office
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:{0}
TZOFFSETTO:{0}
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1
DTSTAMP:20270101T000000Z
DTSTART;TZID=Office:20270601T090000
END:VEVENT
END:VCALENDAR
"""

for asked in sys.argv[1:]:
    name, offset = asked.split("=")
    calendar = vobject.readOne(TEXT.format(offset).replace("\n", "\r\n"))
    print(f"{name}, at {offset[:3]}:{offset[3:]}: {calendar.vevent.dtstart.value.isoformat()}")
PY
{
  "$folder/venv/bin/python" "$folder/look.py" first=+0200 then=+0500
  "$folder/venv/bin/python" "$folder/look.py" alone=+0500
} | tee "$folder/seen"
diff "$folder/seen" - <<'END'
first, at +02:00: 2027-06-01T09:00:00+02:00
then, at +05:00: 2027-06-01T09:00:00+02:00
alone, at +05:00: 2027-06-01T09:00:00+05:00
END
