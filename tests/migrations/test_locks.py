"""The table of locks, held against PostgreSQL: what it says is what the server does."""

import pytest
from sqlalchemy import Connection, Engine, text

from webapp.kit.migration_sql.classify import classify
from webapp.kit.migration_sql.effects import Lock, Work
from webapp.kit.migration_sql.schema import ForeignKey, Schema
from webapp.kit.migration_sql.statements import normalise, split_statements

TABLES = """
    CREATE TABLE parents (id bigint PRIMARY KEY, name text);
    CREATE TABLE children (
        id bigint NOT NULL, parent_id bigint NOT NULL, name varchar(20), size integer,
        price numeric(8, 2), day text, note text,
        CONSTRAINT pk_children PRIMARY KEY (id),
        CONSTRAINT fk_children_parent FOREIGN KEY (parent_id) REFERENCES parents (id),
        CONSTRAINT ck_note CHECK (note IS NOT NULL)
    );
    ALTER TABLE children ADD CONSTRAINT ck_size CHECK (size > 0) NOT VALID;
    ALTER TABLE children ADD CONSTRAINT fk_again FOREIGN KEY (parent_id) REFERENCES parents (id)
        NOT VALID;
    CREATE INDEX ix_children_name ON children (name);
    CREATE UNIQUE INDEX uq_children_size ON children (size);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
    CREATE TRIGGER touches BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE TABLE parts (id bigint NOT NULL, name text) PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (1000);
    CREATE TABLE others_of_parts PARTITION OF parts DEFAULT;
    CREATE TABLE high (id bigint NOT NULL, name text);
    CREATE TABLE sources (id bigint, name text);
    CREATE MATERIALIZED VIEW names AS SELECT id, name FROM sources;
    CREATE UNIQUE INDEX uq_names ON names (id);
    CREATE VIEW seen AS SELECT id, name FROM sources;
    CREATE SEQUENCE numbers;
    CREATE TYPE size_of AS ENUM ('small');
    CREATE POLICY own ON parents USING (true);
    INSERT INTO parents VALUES (1, 'one');
    INSERT INTO children VALUES (1, 1, 'a', 1, 1.5, '2024-02-29', 'x'),
        (2, 1, 'b', 2, 2.5, '2024-03-01', 'y');
"""
STATEMENTS = """
    CREATE TABLE others (id bigint PRIMARY KEY, parent_id bigint REFERENCES parents (id));
    CREATE INDEX ix_new ON children (note);
    CREATE UNIQUE INDEX uq_new ON children (note);
    CREATE INDEX ix_new ON ONLY children (note);
    DROP INDEX ix_children_name;
    DROP TABLE children;
    DROP TABLE IF EXISTS parents, children;
    TRUNCATE children;
    ALTER TABLE children ADD COLUMN a text;
    ALTER TABLE children ADD a text;
    ALTER TABLE public."children" ADD COLUMN a bigint DEFAULT '0' NOT NULL;
    ALTER TABLE children ADD COLUMN a jsonb DEFAULT '{}'::jsonb NOT NULL, ADD COLUMN b date;
    ALTER TABLE children ADD COLUMN a timestamptz DEFAULT now() NOT NULL;
    ALTER TABLE children ADD COLUMN a timestamp with time zone DEFAULT clock_timestamp() NOT NULL;
    ALTER TABLE children ADD COLUMN a uuid DEFAULT gen_random_uuid();
    ALTER TABLE children ADD COLUMN a bigint GENERATED ALWAYS AS IDENTITY;
    ALTER TABLE children ADD COLUMN a integer GENERATED ALWAYS AS (size * 2) STORED;
    ALTER TABLE children ADD COLUMN a bigint REFERENCES parents (id);
    ALTER TABLE children ADD COLUMN a bigint DEFAULT 1 CHECK (a > 0);
    ALTER TABLE children DROP COLUMN note;
    ALTER TABLE children DROP COLUMN IF EXISTS size;
    ALTER TABLE children DROP COLUMN parent_id;
    ALTER TABLE children ALTER COLUMN name TYPE varchar(30);
    ALTER TABLE children ALTER COLUMN name TYPE text;
    ALTER TABLE children ALTER COLUMN name TYPE varchar(10);
    ALTER TABLE children ALTER COLUMN size TYPE bigint;
    ALTER TABLE children ALTER COLUMN price TYPE numeric(10, 2);
    ALTER TABLE children ALTER COLUMN price TYPE numeric(10, 4);
    ALTER TABLE children ALTER COLUMN day TYPE timestamptz USING day::timestamptz;
    ALTER TABLE children ALTER COLUMN size SET NOT NULL;
    ALTER TABLE children ALTER COLUMN note SET NOT NULL;
    ALTER TABLE children ALTER COLUMN parent_id DROP NOT NULL;
    ALTER TABLE children ALTER COLUMN size SET DEFAULT 5;
    ALTER TABLE children ALTER COLUMN size DROP DEFAULT;
    ALTER TABLE children ALTER COLUMN size SET STATISTICS 200;
    ALTER TABLE children ADD CONSTRAINT ck_new CHECK (size < 100);
    ALTER TABLE children ADD CONSTRAINT ck_new CHECK (size < 100) NOT VALID;
    ALTER TABLE children ADD CONSTRAINT fk_new FOREIGN KEY(parent_id) REFERENCES parents (id);
    ALTER TABLE children ADD CONSTRAINT fk_new FOREIGN KEY(parent_id) REFERENCES parents NOT VALID;
    ALTER TABLE children ADD CONSTRAINT uq_more UNIQUE (note);
    ALTER TABLE children ADD CONSTRAINT uq_children_size UNIQUE USING INDEX uq_children_size;
    ALTER TABLE children ADD UNIQUE (note);
    ALTER TABLE children ADD CHECK (size < 100);
    ALTER TABLE children ADD CHECK (size < 100) NOT VALID;
    ALTER TABLE children ADD FOREIGN KEY (parent_id) REFERENCES parents;
    ALTER TABLE children DROP CONSTRAINT pk_children, ADD PRIMARY KEY (size);
    ALTER TABLE children VALIDATE CONSTRAINT ck_size;
    ALTER TABLE children VALIDATE CONSTRAINT fk_again;
    ALTER TABLE children DROP CONSTRAINT ck_size;
    ALTER TABLE children DROP CONSTRAINT fk_again;
    ALTER TABLE children RENAME COLUMN note TO remark;
    ALTER TABLE children RENAME note TO remark;
    ALTER TABLE children RENAME TO offspring;
    ALTER TABLE children RENAME CONSTRAINT ck_size TO ck_sizes;
    ALTER TABLE children SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01);
    COMMENT ON TABLE children IS 'it''s a table';
    COMMENT ON COLUMN children.note IS 'a column';
    CREATE TRIGGER touches_too BEFORE UPDATE ON children FOR EACH ROW EXECUTE FUNCTION touch();
    DROP TRIGGER touches ON children;
    LOCK TABLE children IN SHARE ROW EXCLUSIVE MODE;
    LOCK children;
    ANALYZE children;
    UPDATE children SET note = 'z; UPDATE parents SET x';
    DELETE FROM children WHERE id = 1;
    INSERT INTO parents (id) VALUES (7);
    INSERT INTO parents (id) SELECT id + 100 FROM children ON CONFLICT DO NOTHING;
    WITH old AS (SELECT id FROM children) UPDATE parents SET name = '' FROM old WHERE false;
    DO $$ BEGIN UPDATE children SET note = ''; END $$;
    CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
    CREATE VIEW names_again AS SELECT name FROM children;
    CREATE OR REPLACE VIEW seen AS SELECT id, name FROM sources WHERE id > 7;
    CREATE MATERIALIZED VIEW more AS SELECT * FROM children;
    CREATE TABLE copies AS SELECT * FROM children;
    CREATE SEQUENCE more_numbers;
    CREATE STATISTICS st ON size, price FROM children;
    CREATE POLICY new ON children USING (true);
    CREATE INDEX ON children (size, price DESC) INCLUDE (note) WHERE size > 0;
    CREATE TABLE middle PARTITION OF parts FOR VALUES FROM (1000) TO (2000);
    ALTER TABLE parts ATTACH PARTITION high FOR VALUES FROM (1000) TO (2000);
    ALTER TABLE parts DETACH PARTITION low;
    ALTER TABLE children ADD EXCLUDE (size WITH =);
    ALTER TABLE children DROP CONSTRAINT pk_children, ADD PRIMARY KEY USING INDEX uq_children_size;
    ALTER TABLE children ADD a text, ALTER size SET STATISTICS 5, VALIDATE CONSTRAINT ck_size;
    ALTER TABLE children ALTER size SET STATISTICS 5, VALIDATE CONSTRAINT ck_size;
    ALTER TABLE children ALTER note SET STORAGE EXTERNAL;
    ALTER TABLE children ALTER note SET COMPRESSION pglz;
    ALTER TABLE children ALTER size SET (n_distinct = 5);
    ALTER TABLE children ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
    ALTER TABLE children RESET (fillfactor);
    ALTER TABLE children SET (user_catalog_table = false);
    ALTER TABLE children SET UNLOGGED;
    ALTER TABLE children CLUSTER ON pk_children;
    ALTER TABLE children SET WITHOUT CLUSTER;
    ALTER TABLE children DISABLE TRIGGER touches;
    ALTER TABLE children ENABLE TRIGGER ALL;
    ALTER TABLE children ENABLE ROW LEVEL SECURITY;
    ALTER TABLE children NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE children REPLICA IDENTITY FULL;
    ALTER TABLE children OWNER TO CURRENT_USER;
    ALTER TABLE children SET SCHEMA pg_catalog;
    ALTER INDEX ix_children_name RENAME TO ix_other;
    ALTER TRIGGER touches ON children RENAME TO others;
    ALTER POLICY own ON parents USING (false);
    ALTER POLICY own ON parents RENAME TO others;
    ALTER VIEW seen RENAME TO looked_at;
    ALTER SEQUENCE numbers RESTART;
    ALTER TYPE size_of ADD VALUE 'large';
    ALTER TYPE size_of RENAME VALUE 'small' TO 'tiny';
    ALTER FUNCTION touch() RENAME TO touched;
    DROP INDEX ix_children_name, uq_children_size;
    DROP VIEW seen;
    DROP MATERIALIZED VIEW names;
    DROP POLICY own ON parents;
    DROP SEQUENCE numbers;
    DROP TYPE size_of;
    COMMENT ON INDEX ix_children_name IS 'an index';
    COMMENT ON CONSTRAINT ck_size ON children IS 'a rule';
    COMMENT ON TRIGGER touches ON children IS 'a trigger';
    COMMENT ON POLICY own ON parents IS 'a policy';
    COMMENT ON VIEW seen IS 'a view';
    COMMENT ON TYPE size_of IS 'a type';
    GRANT SELECT, INSERT ON children, parents TO PUBLIC;
    REVOKE ALL ON children FROM PUBLIC;
    REINDEX TABLE children;
    REINDEX INDEX ix_children_name;
    CLUSTER children USING pk_children;
    REFRESH MATERIALIZED VIEW names;
    REFRESH MATERIALIZED VIEW CONCURRENTLY names;
    REFRESH MATERIALIZED VIEW names WITH NO DATA;
    MERGE INTO children USING parents ON children.id = parents.id + 1
        WHEN MATCHED THEN DELETE
        WHEN NOT MATCHED THEN INSERT (id, parent_id, note) VALUES (parents.id + 9, 1, '');
    WITH gone AS (DELETE FROM children RETURNING *) INSERT INTO parents SELECT id + 9 FROM gone;
    SELECT count(*) FROM children JOIN parents ON true;
    SELECT id FROM children FOR UPDATE;
    DO $$ DECLARE n bigint := 0; BEGIN FOR n IN SELECT id FROM parents LOOP
        IF n > 0 THEN DELETE FROM children WHERE id = n; END IF; n := n + 1; END LOOP; END $$;
    RESET ALL;
    SET LOCAL statement_timeout = 0
"""
RENAMED = {"offspring": "children", "looked_at": "seen"}
RELATIONS = text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
LOCKS_OF_THIS_TRANSACTION = text("""
    SELECT relname, mode FROM pg_locks
    -- A lock on an index that was there before holds up everybody who reads its table.
    LEFT JOIN pg_index ON indexrelid = relation
        AND pg_index.xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid
    JOIN pg_class ON pg_class.oid = coalesce(indrelid, relation)
    WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
      AND relkind IN ('r', 'p', 'm', 'v', 'S') AND relnamespace = 'public'::regnamespace
""")
WORK_OF_THIS_TRANSACTION = text("""
    SELECT pg_class.relname, relfilenode, seq_scan FROM pg_class
    JOIN pg_stat_xact_user_tables ON relid = pg_class.oid
    WHERE pg_class.relname IN ('parents', 'children', 'offspring')
""")


def make_tables(engine: Engine) -> None:
    """Make what the statements are about."""
    with engine.begin() as connection:
        for part in split_statements(TABLES):
            connection.exec_driver_sql(part)


def locks_said(statement: str) -> dict[str, Lock]:
    """Return the strongest lock that a statement is said to take on each table."""
    said: dict[str, Lock] = {}
    for effect in classify(statement, make_schema()):
        assert effect.is_known
        if effect.table is not None:
            said[effect.table] = max(effect.lock, said.get(effect.table, Lock.NONE))
    return said


def make_schema() -> Schema:
    """Return what is known of the tables."""
    types = {"name": "character varying(20)", "size": "integer", "price": "numeric(8,2)"}
    return Schema(
        column_types={("children", name): kind for name, kind in {**types, "day": "text"}.items()},
        index_tables={"ix_children_name": "children", "uq_children_size": "children"},
        foreign_keys={
            ("children", "fk_children_parent"): ForeignKey(("parent_id",), "parents"),
            ("children", "fk_again"): ForeignKey(("parent_id",), "parents"),
        },
        not_null_checks={("children", "ck_note"): "note"},
        validated={("children", "ck_note")},
        default_partitions={"parts": "others_of_parts"},
        existing={"parents", "children", "parts", "low", "high", "names", "seen"},
    )


@pytest.mark.parametrize("statement", split_statements(STATEMENTS), ids=normalise)
def test_locks_and_work_are_what_the_server_does(engine: Engine, statement: str) -> None:
    make_tables(engine)
    # A new connection, which has read no table yet.
    with engine.connect() as connection:
        before = files_and_scans(connection)
        there = set(connection.scalars(RELATIONS))
        connection.rollback()
        connection.exec_driver_sql(statement.replace("%", "%%"))
        taken = locks_taken(connection)
        after = files_and_scans(connection)
        connection.rollback()

    said = locks_said(statement)
    for name, lock in taken.items():
        table = RENAMED.get(name, name)
        if table in said:
            assert lock == said[table], (table, said[table].label)
    weak = {table for table, lock in taken.items() if lock <= Lock.ROW_SHARE}
    assert {RENAMED.get(table, table) for table in set(taken) - weak} & there <= set(said)
    assert_work(statement, before, after)


def assert_work(
    statement: str, before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> None:
    """Assert that a table is rewritten or read whole where that is said, and nowhere else."""
    effects = classify(statement, make_schema())
    works = {effect.work for effect in effects if effect.table == "children"}
    writes_rows = Work.ROWS in {effect.work for effect in effects}
    if "children" not in after or writes_rows or "ANALYZE" in statement:
        return  # Rows are read one way or another, and samples are no scan.
    is_rewritten = before["children"][0] != after["children"][0]
    if statement.startswith("TRUNCATE"):
        return  # It takes a new file, which is empty.
    assert is_rewritten == (Work.REWRITE in works)
    is_read = after["children"][1] > before["children"][1]
    widens = "TYPE varchar(30)" in statement or "TYPE text" in statement or "(10, 2)" in statement
    if not widens:  # The one place where more is said than done: without a check nothing is read.
        assert is_read == bool(works & {Work.SCAN, Work.REWRITE, Work.INDEX})


def locks_taken(connection: Connection) -> dict[str, Lock]:
    """Return the strongest lock that this transaction holds on each table."""
    strongest: dict[str, Lock] = {}
    for table, mode in connection.execute(LOCKS_OF_THIS_TRANSACTION):
        name = "".join(f"_{letter}" if letter.isupper() else letter for letter in mode)
        lock = Lock[name.removeprefix("_").removesuffix("_Lock").upper()]
        strongest[table] = max(lock, strongest.get(table, Lock.NONE))
    return strongest


def files_and_scans(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return each table's file and how often this transaction read it from end to end."""
    rows = connection.execute(WORK_OF_THIS_TRANSACTION)
    return {row[0]: (row[1], row[2]) for row in rows}
