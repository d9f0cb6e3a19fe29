"""What a statement is taken for, where no server has to be asked."""

import pytest

from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.effects import Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import normalise, split_at_commas, split_statements


@pytest.mark.parametrize(
    ("statement", "lock", "work", "phase"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", Lock.SHARE_UPDATE_EXCLUSIVE, Work.INDEX, "expand"),
        ("DROP INDEX CONCURRENTLY IF EXISTS i", Lock.SHARE_UPDATE_EXCLUSIVE, Work.NONE, "expand"),
        ("ALTER TABLE t DROP COLUMN a", Lock.ACCESS_EXCLUSIVE, Work.NONE, "contract"),
        ("ALTER TABLE t RENAME a TO b", Lock.ACCESS_EXCLUSIVE, Work.NONE, "contract"),
        ("ALTER TABLE t ALTER a TYPE bigint", Lock.ACCESS_EXCLUSIVE, Work.REWRITE, "contract"),
        ("DROP TABLE t", Lock.ACCESS_EXCLUSIVE, Work.NONE, "contract"),
        ("DELETE FROM t", Lock.ROW_EXCLUSIVE, Work.ROWS, "contract"),
    ],
)
def test_who_can_live_with_it(statement: str, lock: Lock, work: Work, phase: str) -> None:
    (effect,) = classify(statement, Schema())
    assert (effect.lock, effect.work, effect.phase) == (lock, work, Phase(phase))


NEEDED = Schema(
    index_tables={"ix": "t", "uq": "t"}, unique_indexes={"uq"}, unique_keys={("t", "uq_t")}
)


@pytest.mark.parametrize(
    ("statement", "phase"),
    [
        ("ALTER TABLE t ALTER COLUMN a DROP DEFAULT", Phase.CONTRACT),
        ("ALTER TABLE t ALTER COLUMN a SET DEFAULT 1", Phase.EXPAND),
        ("ALTER TABLE t DROP CONSTRAINT uq_t", Phase.CONTRACT),
        ("ALTER TABLE t DROP CONSTRAINT ck_t", Phase.EXPAND),
        ("DROP INDEX uq", Phase.CONTRACT),
        ("DROP INDEX ix", Phase.EXPAND),
        ("DROP INDEX unheard_of", Phase.CONTRACT),
        ("DROP INDEX IF EXISTS archive.unheard_of", Phase.CONTRACT),
        ("DROP INDEX CONCURRENTLY IF EXISTS unheard_of", Phase.EXPAND),
        ("DELETE FROM t WHERE a", Phase.CONTRACT),
        ("WITH gone AS (DELETE FROM t RETURNING a) INSERT INTO t SELECT a FROM gone",
         Phase.CONTRACT),
        ("UPDATE t SET a = 1", Phase.BACKFILL),
    ],
)  # fmt: skip
def test_what_the_running_code_needs_is_taken_away_by_a_contract_step(
    statement: str, phase: Phase
) -> None:
    assert {effect.phase for effect in classify(statement, NEEDED)} == {phase}


@pytest.mark.parametrize(
    ("rule", "work"),
    [
        ("CONSTRAINT c CHECK (title IS NOT NULL)", Work.NONE),
        ("CONSTRAINT c CHECK ((title IS NOT NULL))", Work.NONE),
        ("CHECK (title IS NOT NULL)", Work.NONE),
        ("CONSTRAINT c CHECK (title IS NOT NULL) NOT VALID", Work.SCAN),
        ("CONSTRAINT c CHECK ((title IS NOT NULL) OR (code IS NOT NULL))", Work.SCAN),
        ("CONSTRAINT c CHECK (title IS NOT NULL OR code IS NOT NULL)", Work.SCAN),
    ],
)
def test_a_check_proves_not_null_where_it_is_the_whole_rule(rule: str, work: Work) -> None:
    schema = Schema()
    classify(f"ALTER TABLE t ADD {rule}", schema)
    (effect,) = classify("ALTER TABLE t ALTER title SET NOT NULL", schema)
    assert effect.work is work


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE t FROBNICATE",
        "ALTER TABLE t ADD EXCLUDE USING gist (a WITH =)",
        "ALTER TABLE t ADD NOT NULL a",
        "ALTER TABLE t DROP COLUMN a CASCADE",
        "ALTER TABLE t DROP CONSTRAINT a CASCADE",
        "ALTER TABLE t ADD COLUMN a text, CLUSTER ON i",
        "CREATE TABLE a AS SELECT 1",
        "CREATE TABLE a (LIKE b)",
        "DROP SCHEMA public CASCADE",
        "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$",
        "DO $$ BEGIN ALTER TABLE t ADD a text; END $$",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT dangerous()",
        "REINDEX TABLE t",
        "VACUUM FULL t",
        "COPY t FROM stdin",
    ],
)
def test_what_is_not_known_counts_as_the_strongest_lock(statement: str) -> None:
    unknown = [effect for effect in classify(statement, Schema()) if not effect.is_known]
    assert unknown
    assert all(effect.lock is Lock.ACCESS_EXCLUSIVE and effect.defect for effect in unknown)


def test_statements_are_cut_outside_of_quotes_and_comments() -> None:
    script = """
        -- a comment; with a semicolon
        /* one /* in; another */ ; */ SELECT 1,   'a;  b' ; -- at the end
        DO $$ begin; x; end $$; UPDATE "odd;name" SET x = E'it\\'s;' ;;
        CREATE FUNCTION f() AS $body$ $$ ; $$ $body$;
    """
    assert [normalise(statement) for statement in split_statements(script)] == [
        "SELECT 1, 'a;  b'",
        "DO $$ begin; x; end $$",
        "UPDATE \"odd;name\" SET x = E'it\\'s;'",
        "CREATE FUNCTION f() AS $body$ $$ ; $$ $body$",
    ]
    assert split_at_commas("a numeric(1, 2), b DEFAULT 'x,y', c") == [
        "a numeric(1, 2)",
        "b DEFAULT 'x,y'",
        "c",
    ]
