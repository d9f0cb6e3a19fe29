#!/usr/bin/env bash
# psycopg looks for the parameters of a statement anew at each execution, where it is a bit long.
#
# Version: psycopg 3.3.9.
# Guess: a constant statement is looked through for its %(name)s once, and found in a cache from then
#   on, as a prepared statement is found by the server.
# Seen: one of more than 4,096 characters, blanks of its layout included, or with more than 50
#   parameters, is looked through at every execution. Nothing says so; the statement is prepared on
#   the server all the same.
# Output:
#   4096 characters, 1 parameters: looked through 1 times in 100 executions
#   4097 characters, 1 parameters: looked through 100 times in 100 executions
#   1000 characters, 50 parameters: looked through 1 times in 100 executions
#   1000 characters, 51 parameters: looked through 100 times in 100 executions
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    psycopg==3.3.9 psycopg-binary==3.3.9
cat > "$folder/look.py" <<'PY'
import sys

from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer

looked = 0


def count(frame, event, _argument):
    global looked
    looked += event == "call" and frame.f_code.co_name == "_split_query"


for length, number in ((4096, 1), (4097, 1), (1000, 50), (1000, 51)):
    names = [f"p{place}" for place in range(number)]
    statement = "SELECT " + ", ".join(f"%({name})s" for name in names)
    values = dict.fromkeys(names, 1)
    looked = 0
    sys.setprofile(count)
    for _ in range(100):
        PostgresQuery(Transformer()).convert(statement.ljust(length).encode(), values)
    sys.setprofile(None)
    print(f"{length} characters, {number} parameters: looked through {looked} times in 100 executions")
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
4096 characters, 1 parameters: looked through 1 times in 100 executions
4097 characters, 1 parameters: looked through 100 times in 100 executions
1000 characters, 50 parameters: looked through 1 times in 100 executions
1000 characters, 51 parameters: looked through 100 times in 100 executions
END
