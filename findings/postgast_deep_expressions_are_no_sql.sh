#!/usr/bin/env bash
# Valid SQL with a chain of 60 operators is refused by postgast, and not with its own error.
#
# Versions: postgast 0.2.0, protobuf 7.36.2.
# Guess: `parse` returns a tree for whatever PostgreSQL parses, and raises PgQueryError for the rest, as
#   its documentation says. PostgreSQL reads chains of thousands.
# Seen: each operator is two levels of the message that carries the tree, and protobuf reads 100 levels.
#   From about 50 on there is a DecodeError of protobuf. AND and OR are one level for any number.
# Output:
#   40 times || -> a tree
#   60 times || -> DecodeError
#   60 times UNION ALL -> a tree
#   100 times UNION ALL -> DecodeError
#   1000 times AND -> a tree
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  postgast==0.2.0 protobuf==7.36.2
cat > "$folder/look.py" <<'PY'
import postgast


def look(count: int, operator: str, before: str, operand: str) -> None:
    try:
        postgast.parse(before + f" {operator} ".join([operand] * count))
        seen = "a tree"
    except Exception as error:
        seen = type(error).__name__
    print(f"{count} times {operator} -> {seen}")


look(40, "||", "SELECT ", "'a'")
look(60, "||", "SELECT ", "'a'")
look(60, "UNION ALL", "", "SELECT 1")
look(100, "UNION ALL", "", "SELECT 1")
look(1000, "AND", "SELECT 1 WHERE ", "true")
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
40 times || -> a tree
60 times || -> DecodeError
60 times UNION ALL -> a tree
100 times UNION ALL -> DecodeError
1000 times AND -> a tree
END
