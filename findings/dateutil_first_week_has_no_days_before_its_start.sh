#!/usr/bin/env bash
# dateutil counts places in the first week of a rule from its start, and loses the start itself.
#
# Version: python-dateutil 4.0.0.
# Guess: BYSETPOS picks among all that a week holds (RFC 5545, 3.3.10), so the second of Monday and
#   Wednesday is each Wednesday, and the first of them is the Wednesday that the rule starts with.
# Seen: with FREQ=WEEKLY the days before the start are left out of its week before the places are counted:
#   of Wednesday 2 June, the start, none is the second, and it is no occurrence; of a rule for the first, a
#   start on Wednesday makes that Wednesday one, which is none in any other week. With FREQ=MONTHLY the
#   days before the start are counted.
# Output:
#   WEEKLY 2nd, from Wednesday: 2027-06-09 2027-06-16
#   WEEKLY 1st, from Wednesday: 2027-06-02 2027-06-07
#   MONTHLY 2nd, from the 15th: 2027-06-15 2027-07-15
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check python-dateutil==4.0.0
cat > "$folder/look.py" <<'PY'
from datetime import datetime
from itertools import islice

from dateutil.rrule import rrulestr

for name, rule, day in (
    ("WEEKLY 2nd, from Wednesday", "FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=2", 2),
    ("WEEKLY 1st, from Wednesday", "FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1", 2),
    ("MONTHLY 2nd, from the 15th", "FREQ=MONTHLY;BYMONTHDAY=1,15;BYSETPOS=2", 15),
):
    found = islice(rrulestr(rule, dtstart=datetime(2027, 6, day, 9)), 2)
    print(f"{name}:", *(f"{moment:%Y-%m-%d}" for moment in found))
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
WEEKLY 2nd, from Wednesday: 2027-06-09 2027-06-16
WEEKLY 1st, from Wednesday: 2027-06-02 2027-06-07
MONTHLY 2nd, from the 15th: 2027-06-15 2027-07-15
END
