"""What is read of the database before the pending steps are judged."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapp.kit.migration_sql.schema import ForeignKey
from webapp.services.operations.migrations import schema_facts

TABLES = """
    CREATE TABLE parts (id bigint NOT NULL) PARTITION BY RANGE (id);
    CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (1000);
    CREATE TABLE high PARTITION OF parts FOR VALUES FROM (1000) TO (2000);
    CREATE TABLE rest PARTITION OF parts DEFAULT;
    CREATE TABLE none (id bigint) PARTITION BY RANGE (id);
    INSERT INTO parts SELECT generate_series(0, 1499);
    ANALYZE parts;
    CREATE VIEW seen AS SELECT id FROM parts;
"""


def make(engine: Engine, script: str) -> None:
    """Run some statements."""
    with engine.begin() as connection:
        connection.exec_driver_sql(script)


def test_a_partitioned_table_is_as_large_as_its_parts(engine: Engine) -> None:
    make(engine, TABLES)
    with Session(engine) as session:
        sizes = schema_facts.read_sizes(session)
        schema = schema_facts.read_schema(session)
    assert sizes["parts"].rows == 1500
    assert sizes["parts"].table_bytes == sizes["low"].table_bytes + sizes["high"].table_bytes > 0
    assert (sizes["none"].total_bytes, sizes["none"].rows) == (0, 0)
    assert schema.existing == {"parts", "low", "high", "rest", "none", "seen"}
    assert schema.default_partitions == {"parts": "rest"}


KEYS = """
    CREATE TABLE parents (
        id bigint PRIMARY KEY, a text, b text UNIQUE,
        CONSTRAINT ck_a CHECK (a IS NOT NULL),
        CONSTRAINT ck_a_or_b CHECK (a IS NOT NULL OR b IS NOT NULL)
    );
    CREATE TABLE children (id bigint CONSTRAINT fk REFERENCES parents (id));
    CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE UNIQUE INDEX uq_a ON parents (a);
    CREATE INDEX ix_a ON parents (a);
    CREATE UNIQUE INDEX uq_broken ON parents (a);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_broken'::regclass;
"""


def test_what_the_running_code_may_need_is_known(engine: Engine) -> None:
    make(engine, KEYS)
    with Session(engine) as session:
        schema = schema_facts.read_schema(session)
    assert schema.unique_keys == {("parents", "parents_pkey"), ("parents", "parents_b_key")}
    assert schema.unique_indexes == {"parents_pkey", "parents_b_key", "uq_a"}
    assert {"ix_a", "uq_broken"} < set(schema.index_tables)
    assert schema.foreign_keys == {("children", "fk"): ForeignKey(("id",), "parents")}
    assert schema.not_null_checks == {("parents", "ck_a"): "a"}
    assert schema.functions == {"touch"}
