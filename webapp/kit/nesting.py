"""Tell HTML that nests without end from HTML that somebody wrote.

The time of an HTML parser grows with the square of the depth: a quarter of a megabyte of opening
tags would hold a process for a quarter of a minute. The answer here errs to one side only: what
a parser may see as open counts as open, whatever hides its end tag.
"""

import re
from collections import Counter

MANY_TAGS = 5_000
"""Up to this many opening tags cost little however they nest."""

MAX_DEPTH = 500
"""Open elements at one place, in a text of more tags than that."""

# Elements that are empty, or whose end tag may be left out, close each other.
_CLOSED_BY_OTHERS = (
    "area|base|br|col|colgroup|dd|dt|embed|hr|img|input|li|link|meta|option|p|param|rp|rt|source|"
    "tbody|td|tfoot|th|thead|tr|track|wbr"
)

_OPENING = re.compile(rf"<(?!(?:{_CLOSED_BY_OTHERS})[\s/>])([a-z][^\s/>]*)", re.IGNORECASE)

# A stretch of text whose tags a parser may read as mere text, or a tag written by the book.
_TOKEN = re.compile(
    r"""
    (?P<opaque>
        <!--(?:-?>|.*?(?:--!?>|\Z))
      | <!\[CDATA\[.*?(?:\]\]>|\Z)
      | <(?:[!?]|/[^a-z>])[^>]*
      | <(?P<raw>script|style|title|textarea|xmp|iframe|noembed|noframes|noscript)\b
        .*?(?:</(?P=raw)|\Z)
      | <plaintext.*
    )
  | </(?P<closing>[a-z][a-z0-9:-]*)\s*+>
  | <(?P<opening>[a-z][a-z0-9:-]*)
    (?:\s++[^\s"'<>=/]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>=`]++))?)*+\s*+/?>
  | (?P<odd></?[a-z])
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def nests_endlessly(source: str) -> bool:
    """Tell whether parsing `source` could cost far more than its length."""
    if sum(1 for _ in _OPENING.finditer(source)) <= MANY_TAGS:
        return False
    still_open: Counter[str] = Counter()
    for token in _TOKEN.finditer(source):
        if token["closing"]:
            name = token["closing"].lower()
            still_open[name] -= 1 if still_open[name] else 0
            continue
        if token["odd"]:
            # From here on no end tag can be told from one that stands inside an attribute.
            rest = source[token.start() :]
            return still_open.total() + sum(1 for _ in _OPENING.finditer(rest)) > MAX_DEPTH
        still_open.update(name.lower() for name in _OPENING.findall(token[0]))
        if still_open.total() > MAX_DEPTH:
            return True
    return False
