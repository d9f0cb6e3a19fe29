"""The chain: its shape, and that every step keeps what it does not say it drops."""

import re

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from tests.migrations.commands import ROOT, Migrations, read_steps
from tests.migrations.row_filler import fill, read_rows, read_schema
from webapp.models import Base, ContentVersion
from webapp.services.versions import digest_of

# SQLAlchemy warns of a mistake of its own when it reflects a table with storage settings.
pytestmark = pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")

# The columns in which a step fills in what was missing, beside the ones that it adds.
FILLED_BY_STEP = {
    "0c23176b9867": {("content", "version")},
    "22a9841d3437": {("content_versions", "digest")},
}
# The tables of which a downgrade takes back the rows that its upgrade added.
TAKEN_BACK_BY_STEP = {"36c0169b128a": {"roles"}}

Rows = dict[str, list[dict[str, object]]]


def test_the_chain_is_linear_and_the_fifteenth_adds_password_reset_tokens() -> None:
    steps = read_steps()
    assert [step.below for step in steps] == ["base", *(step.revision for step in steps[:-1])]
    assert steps[14].revision == "a1f2c3d4e5f6"
    assert "3a7b0b241cb5" in {step.revision for step in steps[:14]}
    assert len({step.message for step in steps}) == len(steps)


def test_file_names_are_made_of_revision_and_message() -> None:
    names = {path.name for path in (ROOT / "alembic" / "versions").glob("*.py")}
    expected = {
        f"{step.revision}_{re.sub('[^a-z0-9]+', '_', step.message)}.py" for step in read_steps()
    }
    assert names == expected
    assert "a1f2c3d4e5f6_add_password_reset_tokens_table.py" in names
    assert "3a7b0b241cb5_add_content_versions_table.py" in names


def test_base_to_head_and_back_leaves_nothing_behind(
    engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade()
    with engine.connect() as connection:
        first = read_schema(connection)
    migrations.downgrade("base")
    with engine.connect() as connection:
        assert read_schema(connection) == []
    migrations.upgrade()
    with engine.connect() as connection:
        assert read_schema(connection) == first
    migrations.check()


def test_every_step_keeps_the_rows_of_every_table(engine: Engine, migrations: Migrations) -> None:
    for step in read_steps():
        with engine.connect() as connection:
            fill(connection)
            before, schema_before = read_rows(connection), read_schema(connection)
        filled_in = FILLED_BY_STEP.get(step.revision, set())

        migrations.upgrade(step.revision)
        with engine.connect() as connection:
            assert_kept(before, read_rows(connection), filled_in)
            schema_after = read_schema(connection)
            fill(connection)
            filled = read_rows(connection)

        migrations.downgrade(step.below)
        with engine.connect() as connection:
            down = read_rows(connection)
            assert read_schema(connection) == schema_before, step
        for table, columns in columns_of(before).items():
            taken_back = table in TAKEN_BACK_BY_STEP.get(step.revision, set())
            expected = before[table] if taken_back else only(filled[table], columns)
            assert down[table] == expected, (step, table)

        migrations.upgrade(step.revision)
        with engine.connect() as connection:
            assert_kept(down, read_rows(connection), filled_in)
            assert read_schema(connection) == schema_after, step

    with engine.connect() as connection:
        fill(connection)
        rows = read_rows(connection)
    assert set(rows) == set(Base.metadata.tables)
    assert all(rows.values())
    migrations.check()
    migrations.downgrade("base")
    with engine.connect() as connection:
        assert read_schema(connection) == []
    migrations.upgrade()
    migrations.check()


def test_digests_filled_in_are_the_ones_that_saves_compute(
    engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade("f3fa27d14b5d")
    with engine.connect() as connection:
        fill(connection)
        document = '{"n": 1.50, "m": 2.00, "big": 123456789012, "deep": [[], {"x": "\\u001f"}]}'
        connection.execute(
            text(
                "UPDATE content_versions SET tags = '{}', metadata = :document WHERE number = 101"
            ),
            {"document": document},
        )
        connection.commit()
    migrations.upgrade()
    with Session(engine) as session:
        versions = session.scalars(select(ContentVersion)).all()
        assert len(versions) == 4
        for version in versions:
            assert digest_of(version, version.tags) == version.digest


def test_present_slugs_and_version_numbers_are_taken_over(
    engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade("a1f2c3d4e5f6")
    with engine.connect() as connection:
        fill(connection)
    migrations.upgrade()
    statement = """
        SELECT content.slug = slugs.slug, was_public = (published_at IS NOT NULL), version = newest
        FROM content LEFT JOIN slugs ON slugs.content_id = content.id LEFT JOIN (
            SELECT content_id, max(number) AS newest FROM content_versions GROUP BY content_id
        ) AS versions ON versions.content_id = content.id
    """
    with engine.connect() as connection:
        assert connection.execute(text(statement)).all() == [(True, True, True)] * 4


def assert_kept(old: Rows, new: Rows, filled_in: set[tuple[str, str]]) -> None:
    """Assert that every old row is in the new schema, whole but for the columns filled in."""
    for table, columns in columns_of(old).items():
        assert set(columns) <= set(new[table][0]) if new[table] else not old[table], table
        kept = [column for column in columns if (table, column) not in filled_in]
        remaining = only(new[table], kept)
        for row in only(old[table], kept):
            assert row in remaining, (table, row)


def columns_of(rows: Rows) -> dict[str, list[str]]:
    """Return the columns of each table that has rows."""
    return {table: list(found[0]) for table, found in rows.items() if found}


def only(rows: list[dict[str, object]], columns: list[str]) -> list[dict[str, object]]:
    """Return the rows with these columns alone."""
    return [{column: row[column] for column in columns} for row in rows]
