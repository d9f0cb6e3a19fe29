#!/usr/bin/env bash
# postgast.split with its scanner cuts a function in the middle of its body.
#
# Versions: postgast 0.2.0 (libpg_query of PostgreSQL 18).
# Guess: the two methods differ in what they do with invalid SQL, and cut valid SQL at the same places: the
#   scanner knows quotes, comments and brackets.
# Seen: a body in the SQL standard's form, BEGIN ATOMIC … END, has semicolons of its own, in no quotes. The
#   scanner cuts at them, and what comes after the first looks like statements by themselves.
# Output:
#   parser: 2 statements
#   scanner: 4 statements
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check postgast==0.2.0
cat > "$folder/look.py" <<'PY'
import postgast

script = """
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC UPDATE t SET a = 1; SELECT 2; END;
SELECT 3
"""
for method in ("parser", "scanner"):
    print(f"{method}: {len(postgast.split(script, method=method))} statements")
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
parser: 2 statements
scanner: 4 statements
END
