#!/usr/bin/env bash
# A package that says it is typed has a stub that no type checker in Python's grammar can read.
#
# Versions: postgast 0.2.0, mypy 2.4.1.
# Guess: with `py.typed` and a stub for the classes of the tree, mypy checks the code that uses them.
# Seen: a message of the schema has values called `None` and a field called `def`; the generated stub
#   writes `None: SummaryResult.Context`. mypy stops there and looks at nothing else, in whatever project
#   imports the module, so that also the errors of that project's own files are not seen.
# Output:
#   checked: no
#   error in own file seen: no
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  postgast==0.2.0 mypy==2.4.1
cat > "$folder/own.py" <<'PY'
from postgast.pg_query_pb2 import SelectStmt

statement: SelectStmt = SelectStmt()
number: int = "no number"
PY
"$folder/venv/bin/python" -m mypy --cache-dir "$folder/cache" "$folder/own.py" > "$folder/said" 2>&1 || true
{
  grep -q "errors prevented further checking" "$folder/said" && echo "checked: no" || echo "checked: yes"
  grep -q "own.py:4" "$folder/said" && echo "error in own file seen: yes" || echo "error in own file seen: no"
} | tee "$folder/seen"
diff "$folder/seen" - <<'END'
checked: no
error in own file seen: no
END
