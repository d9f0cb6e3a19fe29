#!/usr/bin/env bash
# The usual footnote plug-in of markdown-it drops notes that nobody points to, and doubled ones.
#
# Versions: mdit-py-plugins 0.7.0, markdown-it-py 4.3.0.
# Guess: each `[^label]: text` of a document comes out at its end; a note without a mark stands there
#   unreferenced, and two notes under one label both do.
# Seen: a note that no mark points to is gone, and of two notes under one label only the last is left.
#   Both are texts that somebody wrote, and nothing says that they were dropped. In archives of blogs
#   marks are lost to edits and labels are used twice.
# Output:
#   kept: first mark's note -> no
#   kept: same label, second note -> yes
#   kept: note without a mark -> no
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  mdit-py-plugins==0.7.0 markdown-it-py==4.3.0
cat > "$folder/look.py" <<'PY'
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

text = "Said[^1].\n\n[^1]: alpha words\n\n[^1]: bravo words\n\n[^2]: charlie words\n"
html = MarkdownIt("commonmark").use(footnote_plugin).render(text)
for name, words in (
    ("first mark's note", "alpha"),
    ("same label, second note", "bravo"),
    ("note without a mark", "charlie"),
):
    print(f"kept: {name} -> {'yes' if words in html else 'no'}")
PY
"$folder/venv/bin/python" "$folder/look.py" | tee "$folder/seen"
diff "$folder/seen" - <<'END'
kept: first mark's note -> no
kept: same label, second note -> yes
kept: note without a mark -> no
END
