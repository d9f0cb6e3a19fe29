#!/usr/bin/env bash
# dateutil looks for a moment until the year 9999, whatever the rule's end, and overlooks some.
#
# Version: python-dateutil 4.0.0.
# Guess: UNTIL ends the search, so a rule over two years is looked for in two years, whether it has
#   moments or not. And BYDAY=SU,1TU is every Sunday and the first Tuesday, as each value of the list
#   may have a number before it (RFC 5545, 3.3.10).
# Seen: UNTIL is asked only once a moment is found. A rule that has none is looked for through all years
#   until 9999: by FREQ=DAILY that is three million days, and seconds of a processor. Nothing interrupts
#   it, islice neither. BYDAY with numbers on some days has no moment at all, so it is such a rule.
# Output:
#   30 February until 2028: 7973 years looked at, 0 moments
#   29 February until 2028: 5 years looked at, 1 moments
#   SU,1TU until July: 0 moments
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check python-dateutil==4.0.0
cat > "$folder/look.py" <<'PY'
from datetime import datetime

from dateutil import rrule

looked = 0
of_year = rrule._iterinfo.ydayset


def counted(*arguments):
    global looked
    looked += 1
    return of_year(*arguments)


rrule._iterinfo.ydayset = counted
for day, start in ((30, 2027), (29, 2028)):
    looked = 0
    rule = f"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY={day};UNTIL=20281231T000000"
    found = list(rrule.rrulestr(rule, dtstart=datetime(start, 1, 1, 9)))
    print(f"{day} February until 2028: {looked} years looked at, {len(found)} moments")
mixed = rrule.rrulestr(
    "FREQ=MONTHLY;BYDAY=SU,1TU;UNTIL=20270701T000000", dtstart=datetime(2027, 6, 1, 9)
)
print(f"SU,1TU until July: {len(list(mixed))} moments")
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
30 February until 2028: 7973 years looked at, 0 moments
29 February until 2028: 5 years looked at, 1 moments
SU,1TU until July: 0 moments
END
