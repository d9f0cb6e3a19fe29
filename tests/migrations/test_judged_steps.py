"""What preflight makes of a step, by the tables that are there, without a database."""

import pytest

from tests.migrations.judging import judge_sql, refusals
from webapp.kit.migration_sql.effects import Phase
from webapp.kit.migration_sql.schema import Schema


def test_a_table_that_is_there_is_not_taken_for_a_new_one() -> None:
    found = refusals(
        "CREATE TABLE IF NOT EXISTS content (title text);"
        " ALTER TABLE content ALTER title TYPE jsonb USING title::jsonb; DROP TABLE content"
    )
    assert "reads and writes" in found
    assert "It takes away or changes something of content" in found
    assert refusals("CREATE TABLE more (a text); ALTER TABLE more ALTER a TYPE jsonb") == ""


def test_a_new_table_is_new_by_its_new_name_but_none_that_was_there_is() -> None:
    new = "CREATE TABLE more (a text); ALTER TABLE more RENAME TO"
    assert refusals(f"{new} others; ALTER TABLE others ALTER a TYPE jsonb") == ""
    assert "reads and writes" in refusals(f"{new} content; ALTER TABLE content ALTER a TYPE jsonb")


NEW = "CREATE TABLE slugs (content_id bigint REFERENCES content)"
FILL = "INSERT INTO slugs SELECT id FROM content"


def test_the_lock_on_a_new_table_is_nobodys_concern_but_the_work_in_it_is() -> None:
    found = refusals(f"BEGIN; {NEW}; {FILL}; COMMIT")
    assert "Others would wait about 500.0 s for content (writes)" in found
    assert "would take about 500 s, and be cut off by the statement_timeout" in found
    assert "for slugs" not in found
    assert refusals(f"BEGIN; {NEW}; CREATE INDEX ix ON slugs (content_id); COMMIT") == ""
    index = "BEGIN; LOCK users IN SHARE MODE; CREATE INDEX ix ON slugs (content_id); COMMIT"
    assert "for users (writes)" in refusals(f"SET statement_timeout = 0; {NEW}; {FILL}", index)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ix ON ONLY content (title)",
        "INSERT INTO roles (a) SELECT 1 FROM tags, content",
        "INSERT INTO roles (a) SELECT 1 FROM tags CROSS JOIN ONLY content",
        "INSERT INTO roles (a) VALUES ((SELECT count(*) FROM content WHERE id > 7))",
        "INSERT INTO roles TABLE content",
        "UPDATE roles SET a = 1 FROM tags JOIN content ON true",
        "UPDATE content SET a = 1 FROM tags",
        "WITH found AS (SELECT id FROM content) INSERT INTO roles SELECT id FROM found",
        "DELETE FROM roles USING generate_series(1, 2) AS n, content",
    ],
)
def test_work_is_as_large_as_the_largest_table_that_is_named(sql: str) -> None:
    assert "Others would wait about " in refusals(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO content (id) SELECT id FROM roles JOIN tags ON roles.id = tags.id, tags AS t",
        "INSERT INTO content (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2, title = ''",
        "UPDATE roles SET a = extract(epoch FROM b), c = d IS DISTINCT FROM e, f = 2",
        "UPDATE roles SET a = trim(both ' ' FROM a) FROM unnest('{1}'::int[]) AS n (id)",
        "WITH one (id) AS (SELECT 1) UPDATE roles SET a = (SELECT id FROM one ORDER BY id, a)",
        "UPDATE roles SET a = 1 WHERE id IN (SELECT id FROM tags FOR NO KEY UPDATE SKIP LOCKED)",
    ],
)
def test_work_on_small_tables_is_small(sql: str) -> None:
    assert refusals(sql) == ""


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE archive.content SET a = 1",
        "INSERT INTO roles SELECT 1 FROM tags, archive.content",
        "CREATE INDEX CONCURRENTLY ix ON unheard_of (a)",
    ],
)
def test_what_nobody_has_measured_is_not_free(sql: str) -> None:
    assert "is not known here, so neither is how long the" in refusals(sql)
    assert refusals("ALTER TABLE archive.content ADD COLUMN a text") == ""


def test_a_type_is_wider_than_the_one_that_a_pending_step_gave() -> None:
    types = {("roles", "name"): "character varying(50)"}
    widen, narrow = (f"ALTER TABLE roles ALTER name TYPE varchar({n})" for n in (100, 60))
    step = judge_sql(widen, schema=Schema(column_types=types.copy()))
    assert (step.phase, step.refusals) == (Phase.EXPAND, [])
    (condition,) = step.conditions
    assert "cached plan must not change result type" in condition
    step = judge_sql(widen, narrow, schema=Schema(column_types=types.copy()))
    assert (step.phase, len(step.refusals)) == (Phase.CONTRACT, 1)


def test_a_function_that_is_replaced_may_be_called_by_the_running_code() -> None:
    function = "FUNCTION touch() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    schema = Schema(functions={"touch"})
    (condition,) = judge_sql(f"CREATE OR REPLACE {function}", schema=schema).conditions
    assert condition.startswith("The running code and its triggers get the new touch")
    assert judge_sql(f"CREATE OR REPLACE {function}").conditions == []
