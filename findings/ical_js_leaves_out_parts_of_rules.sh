#!/usr/bin/env bash
# ical.js reads valid rules without some of their parts.
#
# Versions: ical.js 2.2.1, python-dateutil 4.0.0.
# Guess: the parts that RFC 5545 (3.3.10) lets stand together are all taken into account, as dateutil does.
# Seen: the first of Monday and Wednesday is both; the last of the 29th, 30th and 31st is each of them;
#   the 15th by FREQ=YEARLY is once a year, not each month's; and the 31st of a June is the 1st of July.
#   Nothing is refused.
# Output:
#   FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1
#     dateutil: 2027-05-31 2027-06-07 2027-06-14 2027-06-21
#     ical.js: 2027-05-31 2027-06-02 2027-06-07 2027-06-09
#   ... and so on, as below
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check python-dateutil==4.0.0
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" ical.js@2.2.1
cat > "$folder/look.mjs" <<'JS'
import ICAL from 'ical.js'

const [rule, start] = process.argv.slice(2)
const found = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromString(start))
console.log(Array.from({ length: 4 }, () => found.next().toString().slice(0, 10)).join(' '))
JS
cat > "$folder/look.py" <<'PY'
import subprocess
import sys
from datetime import datetime
from itertools import islice

from dateutil.rrule import rrulestr

# Each start is an occurrence of its rule.
RULES = {
    "FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1": "2027-05-31",
    "FREQ=MONTHLY;BYMONTHDAY=29,30,31;BYSETPOS=-1": "2027-06-30",
    "FREQ=YEARLY;BYMONTHDAY=15": "2027-06-15",
    "FREQ=YEARLY;BYMONTH=1,6;BYMONTHDAY=1,31": "2027-06-01",
}
for rule, day in RULES.items():
    start = f"{day}T09:00:00"
    print(rule)
    found = islice(rrulestr(rule, dtstart=datetime.fromisoformat(start)), 4)
    print("  dateutil:", *(f"{moment:%Y-%m-%d}" for moment in found))
    command = ["node", sys.argv[1], rule, start]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    print("  ical.js:", told.stdout.strip())
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder/look.mjs" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1
  dateutil: 2027-05-31 2027-06-07 2027-06-14 2027-06-21
  ical.js: 2027-05-31 2027-06-02 2027-06-07 2027-06-09
FREQ=MONTHLY;BYMONTHDAY=29,30,31;BYSETPOS=-1
  dateutil: 2027-06-30 2027-07-31 2027-08-31 2027-09-30
  ical.js: 2027-06-30 2027-07-29 2027-07-30 2027-07-31
FREQ=YEARLY;BYMONTHDAY=15
  dateutil: 2027-06-15 2027-07-15 2027-08-15 2027-09-15
  ical.js: 2027-06-15 2028-06-15 2029-06-15 2030-06-15
FREQ=YEARLY;BYMONTH=1,6;BYMONTHDAY=1,31
  dateutil: 2027-06-01 2028-01-01 2028-01-31 2028-06-01
  ical.js: 2027-06-01 2027-07-01 2028-01-01 2028-01-31
END
