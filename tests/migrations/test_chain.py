"""The chain: its shape, and that every step keeps what it does not say it drops."""

import re
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import randoms, sampled_from
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from tests.migrations.commands import ROOT, Migrations, read_steps
from tests.migrations.kept_rows import Columns, check_step, said_to_drop
from tests.migrations.row_filler import fill, read_rows, read_schema
from webapp.cli.pending_steps import read_chain
from webapp.models import Base, ContentVersion
from webapp.services.content.version_texts import digest_of

# SQLAlchemy warns of a mistake of its own when it reflects a table with storage settings.
pytestmark = pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")

STEPS = read_steps()
# Each example moves the one database of the test up and down again.
AT_RANDOM = settings(
    max_examples=5,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def dropped() -> dict[str, Columns]:
    """What each step says it drops."""
    chain = read_chain(ROOT / "alembic.ini", [])
    return {step.revision: said_to_drop(step) for step in chain.pending}


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


@pytest.mark.long
def test_every_step_keeps_the_rows_of_every_table(
    engine: Engine, migrations: Migrations, dropped: dict[str, Columns]
) -> None:
    for step in STEPS:
        check_step(engine, migrations, step, dropped[step.revision], fill)

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


@AT_RANDOM
@given(number=sampled_from(range(len(STEPS))), chance=randoms(use_true_random=False))
@pytest.mark.long
def test_a_step_keeps_whatever_rows_it_meets(
    engine: Engine,
    migrations: Migrations,
    dropped: dict[str, Columns],
    number: int,
    chance: Random,
) -> None:
    step = STEPS[number]
    migrations.downgrade("base")
    if number:
        migrations.upgrade(step.below)
    check_step(engine, migrations, step, dropped[step.revision], lambda found: fill(found, chance))


@AT_RANDOM
@given(chance=randoms(use_true_random=False))
@pytest.mark.long
def test_digests_filled_in_are_the_ones_that_saves_compute(
    engine: Engine, migrations: Migrations, chance: Random
) -> None:
    migrations.downgrade("base")
    migrations.upgrade("f3fa27d14b5d")
    with engine.connect() as connection:
        fill(connection, chance)
        document = '{"n": 1.50, "m": 2.00, "big": 123456789012, "small": -0.00000125, "o": 1e-12}'
        statement = text("UPDATE content_versions SET metadata = :document WHERE number = 101")
        connection.execute(statement, {"document": document})
        connection.commit()
    migrations.upgrade()
    with Session(engine) as session:
        versions = session.scalars(select(ContentVersion)).all()
        assert len(versions) == 4
        for version in versions:
            assert digest_of(version, version.tags) == version.digest


def test_the_digest_of_a_damaged_version_is_not_corrected(
    engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade("c5d1a7e40b92")
    with engine.connect() as connection:
        fill(connection)
        connection.execute(text("UPDATE content_versions SET metadata = '{\"a\": 0.0000001}'"))
        connection.commit()
        before = read_rows(connection)["content_versions"]
        migrations.upgrade()
        after = read_rows(connection)["content_versions"]
        assert [{column: row[column] for column in before[0]} for row in after] == before


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


def test_drafts_with_one_slug_are_told_apart_whatever_the_others_are_called(
    engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade("3b7d9e1f5a24")
    with engine.connect() as connection:
        fill(connection)
        ids = list(connection.scalars(text("SELECT id FROM content ORDER BY id")))
        wishes = ["news", "news", "news", f"news-{ids[0]}"]
        rename = text("UPDATE content SET slug = :slug WHERE id = :id")
        rows = [{"id": id_, "slug": slug} for id_, slug in zip(ids, wishes, strict=True)]
        connection.execute(text("DELETE FROM slugs"))
        connection.execute(rename, rows)
        connection.execute(text("INSERT INTO slugs VALUES ('news', :id)"), {"id": ids[1]})
        connection.commit()
    migrations.downgrade("d3f81c62ab07")
    with engine.connect() as connection:
        kept = list(connection.scalars(text("SELECT slug FROM content ORDER BY id")))
    assert len(set(kept)) == len(ids)
    assert kept[1] == "news"
    assert all(slug.startswith("news-") for slug in kept if slug != "news")


def test_packed_versions_keep_the_schema_from_going_down(
    engine: Engine, migrations: Migrations
) -> None:
    migrations.upgrade()
    with engine.connect() as connection:
        fill(connection)
        pack = "UPDATE content_versions SET packed = 'frame', body = NULL WHERE number = 101"
        connection.execute(text(pack))
        connection.commit()
        before = read_rows(connection)["content_versions"]
        with pytest.raises(SystemExit, match="flask db backfill unpack-versions"):
            migrations.downgrade("7a0c52e9d1b8")
        left = read_rows(connection)["content_versions"]
        # Later steps have taken columns of their own away.
        assert left == [{name: row[name] for name in left[0]} for row in before]
        whole = "UPDATE content_versions SET packed = NULL, body = 'text' WHERE number = 101"
        connection.execute(text(whole))
        connection.commit()
    migrations.downgrade("7a0c52e9d1b8")
