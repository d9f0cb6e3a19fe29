"""Where the database differs from what the models say, in what Alembic does not compare.

The tables of the models are made as temporary ones, in a transaction that is rolled back, and
PostgreSQL tells of both sides in its own words: so nothing is lost in between, and a rule that is
written differently but means the same is the same. The account needs the right TEMPORARY.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, MetaData

from webapp.services.operations.migrations.catalog import (
    SWITCHED_OFF,
    TEMPORARY,
    Thing,
    read_catalog,
)

# Longer ones are functions, of which the beginning is enough to find them.
LONGEST_SHOWN = 400

# What Alembic keeps for itself.
_NOT_COMPARED = {"alembic_version"}


@dataclass(frozen=True)
class Difference:
    """One object that the models and the database have differently; None is not at all."""

    thing: Thing
    models: str | None
    database: str | None

    def __str__(self) -> str:
        """Say what it is, what the models say and what the database has."""
        whole = f" of {self.thing.table}" if self.thing.table else ""
        models = _shown(self.models, "say", "do not have it")
        database = _shown(self.database, "has", "does not have it")
        return (
            f"{self.thing.kind} {self.thing.name}{whole}:\n"
            f"  the models {models}\n  the database {database}"
        )


def find_differences(
    connection: Connection,
    metadata: MetaData,
    made_by_migrations: Collection[tuple[str, str, str]] = (),
) -> list[Difference]:
    """Compare the schema `public` with the models.

    Tables that the models do not know are left alone. The caller rolls the transaction back, with
    the temporary tables that are made in it. `made_by_migrations` are the (table, kind, name) that
    no model can say, and that have to be there.

    Raises ProgrammingError without the right TEMPORARY.
    """
    database = _read_database(connection)
    models = _read_models(connection, metadata)
    for thing in (Thing(*names) for names in made_by_migrations):
        is_on = not database.get(thing, SWITCHED_OFF).endswith(SWITCHED_OFF)
        models[thing] = database[thing] if is_on else "that a migration made it"
    tables = set(metadata.tables)
    missing = {name for name in tables if Thing("", "table", name) not in database}
    return [
        Difference(thing, models.get(thing), database.get(thing))
        for thing in sorted(models.keys() | database.keys())
        if models.get(thing) != database.get(thing)
        and _is_compared(thing, tables)
        and thing.table not in missing
    ]


def _is_compared(thing: Thing, tables: set[str]) -> bool:
    table = thing.name if thing.kind == "table" else thing.table
    return not table or (table in tables and table not in _NOT_COMPARED)


def _read_database(connection: Connection) -> dict[Thing, str]:
    connection.exec_driver_sql("SET LOCAL search_path = public")
    return read_catalog(connection, "public")


def _read_models(connection: Connection, metadata: MetaData) -> dict[Thing, str]:
    """Make the tables of the models as temporary ones, and read them."""
    # What is made without the name of a schema is temporary, as this comes first.
    connection.exec_driver_sql("SET LOCAL search_path = pg_temp, public")
    metadata.create_all(connection, checkfirst=False)
    return read_catalog(connection, TEMPORARY)


def _shown(definition: str | None, verb: str, without: str) -> str:
    if definition is None:
        return without
    line = " ".join(definition.split())
    return f"{verb} {line if len(line) <= LONGEST_SHOWN else line[:LONGEST_SHOWN] + '…'}"
