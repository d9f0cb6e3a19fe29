"""What a statement that writes rows does, by the tables that it names."""

import re
from collections.abc import Iterator
from dataclasses import replace

from webapp.kit.migration_sql.effects import UNKNOWN, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import IDENTIFIER, Schema, bare
from webapp.kit.migration_sql.statements import normalise, split_at_commas, without_quoted

_INSERTS = re.compile(rf"\bINSERT INTO ({IDENTIFIER})", re.IGNORECASE)
_UPDATES = re.compile(
    rf"\b(?<!FOR )(?<!KEY )UPDATE (?:ONLY )?(?!SET\b)({IDENTIFIER})", re.IGNORECASE
)
_DELETES = re.compile(rf"\bDELETE FROM (?:ONLY )?({IDENTIFIER})", re.IGNORECASE)
_MORE_THAN_ROWS = re.compile(
    r"\b(?:ALTER|CREATE|DROP|TRUNCATE|LOCK|EXECUTE|GRANT|CLUSTER|REINDEX|VACUUM|MERGE|CALL|PERFORM)\b",
    re.IGNORECASE,
)
# These hold the word FROM without reading a table.
_NO_SOURCE = re.compile(
    r"\b(IS (?:NOT )?DISTINCT|(?:EXTRACT|SUBSTRING|TRIM|OVERLAY) ?\([^()]*) FROM ", re.IGNORECASE
)
_BEFORE_SOURCES = re.compile(r"\b(?:FROM|JOIN|USING|TABLE) ", re.IGNORECASE)
_AFTER_SOURCES = re.compile(
    r"[();]|\bON CONFLICT\b|\b(?:WHERE|GROUP|HAVING|WINDOW|ORDER|LIMIT|OFFSET|FETCH|FOR|UNION"
    r"|EXCEPT|INTERSECT|RETURNING|SET|LOOP)\b",
    re.IGNORECASE,
)
# A name before a bracket is a function's, unless it is the name that is given to a table.
_SOURCE = re.compile(rf'(?:(?:LATERAL|ONLY) )*({IDENTIFIER})(?![\w".]| ?\()', re.IGNORECASE)
_COMMITS = re.compile(r"\b(?:COMMIT|ROLLBACK)\b", re.IGNORECASE)
_LOOP_EDGE = re.compile(r"\b(END )?LOOP\b", re.IGNORECASE)
_NAMED_QUERY = re.compile(
    rf"({IDENTIFIER}) (?:\([^()]*\) )?AS (?:NOT MATERIALIZED |MATERIALIZED )?\(", re.IGNORECASE
)


def rows(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge one INSERT, UPDATE or DELETE, or a WITH that holds some."""
    return _row_writes(without_quoted(match.group()), schema)


def block(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge a DO block, which is known where it does nothing but write rows."""
    body = without_quoted(normalise(match.group("body")))
    at_once = set().union(*_written(_at_once(body)))
    commits = "A DO block that commits" if _COMMITS.search(body) else None
    return [
        replace(effect, commits_in_between=effect.table not in at_once, no_transaction=commits)
        for effect in _row_writes(body, schema)
    ]


def _row_writes(text: str, schema: Schema) -> list[Effect]:
    """Judge row writes by the tables they name; VALUES alone is no work to speak of."""
    inserted, updated, deleted = _written(text)
    written = inserted | updated | deleted
    if not written or _MORE_THAN_ROWS.search(text):
        return [UNKNOWN]
    sources = set(_sources(text, schema))
    is_values = re.match(r"INSERT INTO [^;]+ VALUES\b", text, re.IGNORECASE) and not sources
    return [
        Effect(
            table,
            Lock.ROW_EXCLUSIVE,
            Work.NONE if is_values else Work.ROWS,
            Phase.CONTRACT if table in deleted else Phase.BACKFILL,
            # What is only inserted is as much as what it comes from.
            sized_by=tuple(sorted(sources | ({table} & (updated | deleted)))),
        )
        for table in sorted(written)
    ]


def _written(text: str) -> list[set[str]]:
    """Return the tables whose rows are inserted, updated and deleted."""
    patterns = (_INSERTS, _UPDATES, _DELETES)
    return [{bare(found) for found in pattern.findall(text)} for pattern in patterns]


def _at_once(body: str) -> str:
    """Return what a block does in one transaction: all of it but the loops that commit."""
    depth, start, parts = 0, 0, list[str]()
    for edge in _LOOP_EDGE.finditer(body):
        is_end = edge.group(1) is not None
        depth += -1 if is_end else 1
        part = body[start : edge.start()]
        if depth == (0 if is_end else 1):
            if not (is_end and _COMMITS.search(part)):
                parts.append(part)
            start = edge.end()
    return " ".join([*parts, body[start:]])


def _sources(text: str, schema: Schema) -> Iterator[str]:
    """Yield the tables that are read, by what stands after FROM and its like."""
    text = _NO_SOURCE.sub(r"\1, ", text)
    queries = {bare(found) for found in _NAMED_QUERY.findall(text)} - schema.existing
    for before in _BEFORE_SOURCES.finditer(text):
        for part in split_at_commas(_until_next_clause(text[before.end() :])):
            source = _SOURCE.match(part)
            if source is not None and bare(source.group(1)) not in queries:
                yield bare(source.group(1))


def _until_next_clause(text: str) -> str:
    depth = 0
    for found in _AFTER_SOURCES.finditer(text):
        depth += (found.group() == "(") - (found.group() == ")")
        if depth < 0 or (depth == 0 and found.group() not in "()"):
            return text[: found.start()]
    return text
