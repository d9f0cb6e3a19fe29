"""The table of the example, its backfills, and the statements of the code that uses it."""

from dataclasses import dataclass
from typing import LiteralString

from webapp.services.operations.backfills import Backfill

MAKE_TABLE = """
    CREATE TABLE page_views (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        page text NOT NULL,
        visitor text,
        viewed text,
        seconds bigint NOT NULL DEFAULT 0
    )
"""
FILL_TABLE = """
    INSERT INTO page_views (page, visitor, viewed)
    SELECT '/articles/' || number %% 1000, md5(number::text),
           to_char(timestamptz '2024-01-01 00:00:00Z' + number * interval '20 seconds',
                   'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM generate_series(1, %s) AS number
"""

COPY_VISITOR = Backfill(
    name="copy-visitor",
    table="page_views",
    statement="""
        UPDATE page_views SET reader_key = visitor
        WHERE id > :after AND id <= :until AND reader_key IS NULL
    """,
    unfilled="reader_key IS NULL",
)

PARSE_VIEWED = Backfill(
    name="parse-viewed",
    table="page_views",
    statement="""
        UPDATE page_views SET viewed_at = viewed::timestamptz
        WHERE id > :after AND id <= :until AND viewed_at IS NULL
    """,
    unfilled="viewed_at IS NULL",
)


@dataclass(frozen=True)
class Release:
    """The statements of one release's code. Each takes an id, or does without."""

    name: str
    read: str
    edit: str
    insert: str


def _release(name: str, key: str, moment: str) -> Release:
    values = {
        "visitor": "md5(random()::text)",
        "reader_key": "md5(random()::text)",
        "viewed": """to_char(clock_timestamp() AT TIME ZONE 'UTC',
            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
        "viewed_at": "clock_timestamp()",
    }
    written = f"{key} = {values[key]}, {moment} = {values[moment]}"
    return Release(
        name=name,
        read=f"SELECT page, {key}, {moment} FROM page_views WHERE id = %(id)s",
        edit=f"UPDATE page_views SET seconds = seconds + 1, {written} WHERE id = %(id)s",
        insert=f"INSERT INTO page_views (page, {key}, {moment})"
        f" VALUES ('/new', {values[key]}, {values[moment]})",
    )


FIRST = _release("first", "visitor", "viewed")
SECOND = _release("second", "reader_key", "viewed")
THIRD = _release("third", "reader_key", "viewed_at")


@dataclass(frozen=True)
class Change:
    """One change of the example: its two releases, its steps, and what a naive one would run."""

    name: str
    before: Release
    after: Release
    expand: str
    backfill: Backfill
    require: str
    contract: str
    naive: LiteralString


RENAME = Change(
    name="rename",
    before=FIRST,
    after=SECOND,
    expand="e1a000000001",
    backfill=COPY_VISITOR,
    require="e1a000000002",
    contract="e1a000000003",
    naive="ALTER TABLE page_views RENAME COLUMN visitor TO reader_key",
)
TYPE_CHANGE = Change(
    name="type change",
    before=SECOND,
    after=THIRD,
    expand="e1a000000004",
    backfill=PARSE_VIEWED,
    require="e1a000000005",
    contract="e1a000000006",
    naive="ALTER TABLE page_views ALTER COLUMN viewed TYPE timestamptz USING viewed::timestamptz",
)
