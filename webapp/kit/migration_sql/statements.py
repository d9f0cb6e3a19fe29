"""Cut a script into its statements and read them, both by PostgreSQL's own grammar."""

from collections.abc import Iterable, Iterator

from google.protobuf.message import DecodeError
from postgast import ParseResult, PgQueryError, parse, scan, split
from postgast import pg_query_pb2 as tree


class UnreadableError(ValueError):
    """The grammar cannot read a text; it says why."""


def read(sql: str) -> ParseResult:
    """Return the tree of one statement or some. Raises UnreadableError."""
    # The parser takes a NUL for the end of the text, which would hide what comes after it.
    if "\0" in sql:
        raise UnreadableError("it holds a NUL")
    try:
        return parse(sql)
    except PgQueryError as error:
        raise UnreadableError(error.message) from None
    except UnicodeEncodeError:
        raise UnreadableError("it is no Unicode text") from None
    except DecodeError:
        raise UnreadableError("it is nested too deeply") from None


def split_statements(script: str) -> list[str]:
    """Return the statements of a script as they stand, without the comments around them.

    A script that the grammar cannot read as a whole is cut at its semicolons, so that one unknown
    statement does not hide the others; where not even its quotes end, it stays in one piece.
    """
    try:
        read(script)
        parts = split(script)
    except UnreadableError:
        tokens = _tokens(script)
        parts = [script] if tokens is None else list(_cut(script.encode(), tokens))
    return [statement for statement in map(_strip, parts) if statement]


def normalise(statement: str) -> str:
    """Return a statement without comments and with one space for any white space.

    What stands in quotes, also between `$$`, stays as it is.
    """
    tokens = _tokens(statement)
    if tokens is None:
        return " ".join(statement.split())
    text, end, parts = statement.encode(), 0, list[bytes]()
    for token in _without_comments(tokens):
        parts += [b" "] * (token.start > end > 0) + [text[token.start : token.end]]
        end = token.end
    return b"".join(parts).decode()


def relation_name(relation: tree.RangeVar) -> str:
    """Return the name of a table, without the schema `public`."""
    return _dotted([relation.schemaname, relation.relname])


def listed_name(parts: Iterable[tree.Node]) -> str:
    """Return a name that stands in the tree as its parts, without the schema `public`."""
    return _dotted([part.string.sval for part in parts])


def switched_on(options: Iterable[tree.Node]) -> set[str]:
    """Return the names of the options in brackets, without those that are given as off."""
    elements = [option.def_elem for option in options]
    return {
        element.defname
        for element in elements
        if element.arg.string.sval not in {"false", "off"}
        and (element.arg.integer.ival or not element.arg.HasField("integer"))
    }


def _dotted(parts: list[str]) -> str:
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] in {"", "public"} else parts)


def _tokens(sql: str) -> list[tree.ScanToken] | None:
    """Return the tokens of a text, or None where they cannot be told apart."""
    try:
        return None if "\0" in sql else list(scan(sql).tokens)
    except (PgQueryError, UnicodeEncodeError):
        return None


def _without_comments(tokens: list[tree.ScanToken]) -> list[tree.ScanToken]:
    return [token for token in tokens if token.token not in {tree.C_COMMENT, tree.SQL_COMMENT}]


def _cut(text: bytes, tokens: list[tree.ScanToken]) -> Iterator[str]:
    depth, start = 0, 0
    for token in tokens:
        depth += (token.token == tree.ASCII_40) - (token.token == tree.ASCII_41)
        if token.token == tree.ASCII_59 and depth == 0:
            yield text[start : token.start].decode()
            start = token.end
    yield text[start:].decode()


def _strip(statement: str) -> str:
    """Return a statement without the comments and the white space around it."""
    tokens = _tokens(statement)
    if tokens is None:
        return statement.strip()
    words = _without_comments(tokens)
    return statement.encode()[words[0].start : words[-1].end].decode() if words else ""
