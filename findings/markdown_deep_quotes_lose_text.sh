#!/usr/bin/env bash
# markdown-it's CommonMark preset drops the text of quotes that are nested deeper than twenty.
#
# Version: markdown-it-py 4.3.0.
# Guess: beyond its bound of nesting (`maxNesting`, 20 in the preset "commonmark", 100 in the default)
#   the parser stops to nest and keeps the rest as text, as it does with other constructs that it
#   gives up on. CommonMark's specification knows no bound.
# Seen: the innermost text is gone. Of a mail thread that was quoted from answer to answer, what began
#   it is missing from the page, and nothing says so.
# Output:
#   19 levels: text kept
#   25 levels: text lost
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check markdown-it-py==4.3.0
cat > "$folder/look.py" <<'PY'
from markdown_it import MarkdownIt

for levels in (19, 25):
    html = MarkdownIt("commonmark").render("> " * levels + "beginning")
    print(f"{levels} levels: text {'kept' if 'beginning' in html else 'lost'}")
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
19 levels: text kept
25 levels: text lost
END
