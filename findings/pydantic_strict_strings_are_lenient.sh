#!/usr/bin/env bash
# Pydantic's strict mode for strings takes numbers and flags that JSON does not know.
#
# Version: pydantic 2.14.3.
# Guess: `model_validate_strings(..., strict=True)` takes for an int what JSON takes for one, and for
#   a bool the words true and false; the lenient spellings need strict=False.
# Seen: with strict=True an int may be "1_0" (10), "+1", " 1" or "1.0", and a bool "yes", "on" or "1".
#   Query strings that are validated so give one resource many addresses.
# Output:
#   int '10' -> 10
#   int '1_0' -> 10
#   int '+1' -> 1
#   int ' 1' -> 1
#   int '1.0' -> 1
#   bool 'true' -> True
#   bool 'yes' -> True
#   bool 'on' -> True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pydantic==2.14.3
cat > "$folder/look.py" <<'PY'
from pydantic import TypeAdapter, ValidationError

for kind, spellings in ((int, ("10", "1_0", "+1", " 1", "1.0")), (bool, ("true", "yes", "on"))):
    adapter = TypeAdapter(kind)
    for spelling in spellings:
        try:
            value = adapter.validate_strings(spelling, strict=True)
        except ValidationError:
            value = "refused"
        print(f"{kind.__name__} {spelling!r} -> {value}")
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
int '10' -> 10
int '1_0' -> 10
int '+1' -> 1
int ' 1' -> 1
int '1.0' -> 1
bool 'true' -> True
bool 'yes' -> True
bool 'on' -> True
END
