"""Cut a script into its statements, and a statement into its parts, minding quotes and comments."""

import re
from collections.abc import Iterator

_PIECE = re.compile(
    r"""
    (?P<comment> --[^\n]* )
    | (?P<block> /\* )
    | (?P<string> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' )
    | (?P<name> "(?:[^"]|"")*" )
    | (?P<dollar> \$(?P<tag>[A-Za-z_]?\w*)\$.*?\$(?P=tag)\$ )
    | (?P<space> \s+ )
    | (?P<word> [A-Za-z_][\w$]* )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = {"comment", "block", "space"}
_DOUBLE = (" ", " ")
_BLOCK_EDGE = re.compile(r"/\*|\*/")


def split_statements(script: str) -> list[str]:
    """Return the statements of a script as they stand, without the comments around them.

    A `COPY … FROM stdin` is not known.
    """
    statements = [_without_leading_comments("".join(part)) for part in _cut(script, ";")]
    return [statement for statement in statements if normalise(statement)]


def normalise(statement: str) -> str:
    """Return a statement without comments and with one space for any white space.

    What stands in quotes, also between `$$`, stays as it is.
    """
    parts = [" " if kind in _BLANK else piece for kind, piece in _pieces(statement)]
    return "".join(
        part for part, before in zip(parts, ["", *parts], strict=False) if (part, before) != _DOUBLE
    ).strip()


def split_at_commas(text: str) -> list[str]:
    """Return the parts of a list, cut at the commas outside of quotes and brackets."""
    return ["".join(part).strip() for part in _cut(text, ",")]


def first_bracket(text: str) -> str | None:
    """Return what stands between the first opening bracket and the one that closes it."""
    depth, inside = 0, []
    for kind, piece in _pieces(text):
        depth -= kind == "other" and piece == ")"
        if depth > 0:
            inside.append(piece)
        elif inside and kind == "other" and piece == ")":
            return "".join(inside).strip()
        depth += kind == "other" and piece == "("
    return None


def without_quoted(text: str) -> str:
    """Return a text with each quoted value replaced by `''`, to look for keywords in."""
    return "".join("''" if kind in {"string", "dollar"} else piece for kind, piece in _pieces(text))


def _cut(text: str, separator: str) -> Iterator[list[str]]:
    part: list[str] = []
    depth = 0
    for kind, piece in _pieces(text):
        if kind == "other":
            depth += (piece in "([") - (piece in ")]")
            if piece == separator and depth == 0:
                yield part
                part = []
                continue
        part.append(piece)
    yield part


def _without_leading_comments(statement: str) -> str:
    for kind, piece in _pieces(statement):
        if kind not in _BLANK:
            break
        statement = statement[len(piece) :]
    return statement.rstrip()


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of each piece."""
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        assert piece is not None  # noqa: S101 - the last alternative takes any character
        end = _end_of_block(text, piece.end()) if piece.lastgroup == "block" else piece.end()
        yield str(piece.lastgroup), text[position:end]
        position = end


def _end_of_block(text: str, position: int) -> int:
    """Return where a block comment ends; they nest in SQL."""
    depth = 1
    while depth:
        edge = _BLOCK_EDGE.search(text, position)
        if edge is None:
            return len(text)
        depth += 1 if edge.group() == "/*" else -1
        position = edge.end()
    return position
