"""The worked example of docs/migrations-large-tables.md: run, held to its promises, and quoted."""

import ast
import os
import re

import pytest
from sqlalchemy import Engine, text

from bench.large_table.example import MAKE_TABLE, RENAME, TYPE_CHANGE
from bench.large_table.measure import STEPS, Measured, make_table, naively, safely
from tests.migrations.checklist import check, read_facts
from tests.migrations.commands import ROOT, Migrations

# LARGE_TABLE_ROWS=1000000 does it at the size that the page tells of.
ROWS = int(os.environ.get("LARGE_TABLE_ROWS", "20000"))
PAGE = ROOT / "docs" / "migrations-large-tables.md"
QUOTE = re.compile(r"^<!-- from: (\S+) -->\n+```python\n(.*?)^```$", re.M | re.S)
UNTOUCHED = """
    SELECT count(*) FROM page_views WHERE seconds = 0 AND id <= :rows
      AND (reader_key <> md5(id::text)
           OR viewed_at <> timestamptz '2024-01-01 00:00:00Z' + id * interval '20 seconds')
"""


def assert_unharmed(measured: Measured) -> None:
    """Assert that the code of both releases worked on; `bench/large_table` says who waited."""
    assert measured.failures == 0
    assert measured.statements > 100
    assert not measured.rewritten


@pytest.mark.long
def test_the_safe_way_holds_up_nobody_and_loses_nothing(
    database_url: str, engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade()
    make_table(database_url, ROWS)
    for change in (RENAME, TYPE_CHANGE):
        assert_unharmed(safely(database_url, change, ROWS))
    with engine.connect() as connection:
        assert connection.scalar(text(UNTOUCHED), {"rows": ROWS}) == 0
        assert (connection.scalar(text("SELECT count(*) FROM page_views")) or 0) > ROWS
        columns = connection.execute(text("SELECT * FROM page_views LIMIT 0")).keys()
        assert set(columns) == {"id", "page", "seconds", "reader_key", "viewed_at"}
        empty = "SELECT count(*) FROM page_views WHERE viewed_at IS NULL OR reader_key IS NULL"
        assert connection.scalar(text(empty)) == 0


@pytest.mark.long
def test_the_naive_way_breaks_the_code_that_runs(database_url: str, migrations: Migrations) -> None:
    migrations.upgrade()
    make_table(database_url, ROWS)
    rename, type_change = (naively(database_url, found, ROWS) for found in (RENAME, TYPE_CHANGE))
    assert rename.failures > 0
    assert type_change.failures > 0
    assert type_change.rewritten
    assert type_change.hold > 0


def upgrade_sql(source: str) -> str:
    """Return the SQL that a step's upgrade executes."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    (upgrade,) = (found for found in functions if found.name == "upgrade")
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
    return ";".join(
        str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)
    )


def test_the_steps_of_the_example_keep_the_checklist() -> None:
    steps: list[tuple[str, str, str, object]] = [("make page_views by hand", "", MAKE_TABLE, None)]
    for path in sorted(STEPS.glob("*.py")):
        source = path.read_text()
        mark = re.search(r'^contract = "(.*)"$', source, re.M)
        message = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
        steps.append((message, source, upgrade_sql(source), mark and mark.group(1)))
    assert len(steps) == 7
    assert [check(facts) for facts in read_facts(steps)] == [[]] * len(steps)


def quotes() -> list[tuple[str, str]]:
    """Return the file and the text of each block of the page."""
    return QUOTE.findall(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("path", "block"), quotes())
def test_the_page_shows_the_code_that_was_measured(path: str, block: str) -> None:
    assert block.strip() in (ROOT / path).read_text(encoding="utf-8")


def test_the_page_leaves_no_code_unquoted_and_no_part_out() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("```python") == len(quotes())
    shown = {path for path, _ in quotes()}
    steps = sorted(str(path.relative_to(ROOT)) for path in STEPS.glob("*.py"))
    assert shown >= {*steps[:4], "bench/large_table/example.py"}
    for change in (RENAME, TYPE_CHANGE):
        assert change.backfill.statement in page
        assert change.naive in page
