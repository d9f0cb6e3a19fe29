"""What a statement is taken for, where no server has to be asked."""

import pytest

from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.effects import Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema
from webapp.kit.migration_sql.statements import normalise, split_statements


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
        "ALTER TABLE t DROP COLUMN a CASCADE",
        "ALTER TABLE t DROP CONSTRAINT a CASCADE",
        "ALTER TABLE t ADD COLUMN a text, DISABLE RULE r",
        "ALTER TABLE t INHERIT s",
        "ALTER VIEW t ALTER a SET DEFAULT 1",
        "CREATE TABLE a AS EXECUTE b",
        "CREATE TABLE a () INHERITS (b)",
        "CREATE TABLE a (LIKE b)",
        "DROP SCHEMA public CASCADE",
        "DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$",
        "DO $$ BEGIN ALTER TABLE t ADD a text; END $$",
        "DO $$ BEGIN UPDATE t SET a = 1; PERFORM dangerous(); END $$",
        "DO $$ BEGIN UPDATE t SET a = 1; CALL dangerous(); END $$",
        "DO $$ BEGIN UPDATE t SET a = 1 FROM; END $$",
        "DO $$ BEGIN UPDATE t SET a = 1; garbage; END $$",
        "DO LANGUAGE plpython3u 'plpy.execute(1)'",
        "SELECT dangerous()",
        "WITH a AS (SELECT dangerous()) SELECT * FROM a",
        "SELECT 1 INTO a",
        "SELECT set_config('lock_timeout', '0', false)",
        "SET search_path = archive",
        "REINDEX DATABASE d",
        "VACUUM",
        "CLUSTER",
        "COPY t FROM stdin",
        "CALL dangerous()",
        "ROLLBACK",
        "TRUNCATE t CASCADE",
        "ALTER DOMAIN d ADD CHECK (VALUE > 0)",
        "ALTER SYSTEM SET fsync = off",
        "SELECT 1\0; DROP TABLE t",
        "SELECT '\ud800'",
        f"SELECT {' || '.join(['a'] * 200)}",
        "\\connect other",
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


STRONGEST, EXPAND, CONTRACT = Lock.ACCESS_EXCLUSIVE, Phase.EXPAND, Phase.CONTRACT


def test_a_statement_that_cannot_be_read_hides_no_other() -> None:
    script = "ALTER TABLE t FROBNICATE (a; b); -- new; grammar\n DROP TABLE t; FROB x; SELECT 1"
    assert split_statements(script) == [
        "ALTER TABLE t FROBNICATE (a; b)",
        "DROP TABLE t",
        "FROB x",
        "SELECT 1",
    ]
    (effect,) = classify("ALTER TABLE t FROBNICATE", Schema())
    assert 'The grammar says: syntax error at or near "FROBNICATE".' in (effect.defect or "")


def test_a_script_whose_quotes_do_not_end_stays_in_one_piece() -> None:
    script = "COPY t FROM stdin;\n1\tit's; SET x = 1;\n\\.\nSELECT 1;"
    (statement,) = split_statements(script)
    assert not classify(statement, Schema())[0].is_known
    assert normalise(statement) == " ".join(script.split())


@pytest.mark.parametrize(
    ("statement", "lock", "work", "phase"),
    [
        ("REINDEX TABLE t", STRONGEST, Work.INDEX, EXPAND),
        ("REINDEX TABLE CONCURRENTLY t", Lock.SHARE_UPDATE_EXCLUSIVE, Work.INDEX, EXPAND),
        ("REINDEX (CONCURRENTLY off) TABLE t", STRONGEST, Work.INDEX, EXPAND),
        ("VACUUM FULL t", STRONGEST, Work.REWRITE, EXPAND),
        ("VACUUM (FULL 0) t", Lock.SHARE_UPDATE_EXCLUSIVE, Work.SCAN, EXPAND),
        ("CLUSTER t USING i", STRONGEST, Work.REWRITE, EXPAND),
        ("REFRESH MATERIALIZED VIEW t", STRONGEST, Work.REWRITE, EXPAND),
        ("REFRESH MATERIALIZED VIEW t WITH NO DATA", STRONGEST, Work.NONE, CONTRACT),
        ("ALTER TABLE t ADD EXCLUDE USING gist (a WITH =)", STRONGEST, Work.INDEX, EXPAND),
        ("ALTER TABLE t ADD NOT NULL a", STRONGEST, Work.SCAN, EXPAND),
        ("ALTER TABLE t ADD NOT NULL a NOT VALID", STRONGEST, Work.NONE, EXPAND),
        ("ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS (b + 1) VIRTUAL",
         STRONGEST, Work.NONE, EXPAND),
        ("ALTER TABLE t ADD COLUMN a date DEFAULT now() + interval '1 day'",
         STRONGEST, Work.NONE, EXPAND),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", STRONGEST, Work.NONE, CONTRACT),
        ("ALTER TABLE t DISABLE TRIGGER a", Lock.SHARE_ROW_EXCLUSIVE, Work.NONE, CONTRACT),
        ("ALTER TYPE t RENAME VALUE 'a' TO 'b'", Lock.NONE, Work.NONE, CONTRACT),
        ("REVOKE SELECT ON t FROM app", Lock.NONE, Work.NONE, CONTRACT),
        ("GRANT SELECT ON t TO app", Lock.NONE, Work.NONE, EXPAND),
        ("SELECT a FROM t FOR UPDATE", Lock.ROW_SHARE, Work.ROWS, EXPAND),
        ("SELECT setval('s', max(a)) FROM t", Lock.ACCESS_SHARE, Work.SCAN, EXPAND),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1",
         Lock.ROW_EXCLUSIVE, Work.ROWS, Phase.BACKFILL),
        ("CREATE TABLE t AS SELECT 1", STRONGEST, Work.ROWS, EXPAND),
    ],
)  # fmt: skip
def test_what_only_the_grammar_can_read_is_known(
    statement: str, lock: Lock, work: Work, phase: Phase
) -> None:
    (effect,) = classify(statement, Schema())
    assert (effect.lock, effect.work, effect.phase) == (lock, work, phase)


def test_a_default_partition_is_looked_at_for_rows_of_a_new_one() -> None:
    schema = Schema()
    classify("CREATE TABLE rest PARTITION OF whole DEFAULT", schema)
    effects = classify("CREATE TABLE part PARTITION OF whole FOR VALUES IN (1)", schema)
    assert ("rest", Lock.ACCESS_EXCLUSIVE, Work.SCAN) in [
        (effect.table, effect.lock, effect.work) for effect in effects
    ]
