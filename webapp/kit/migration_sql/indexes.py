"""What making, dropping and renaming an index does to its table."""

import re

from webapp.kit.migration_sql.effects import CONCURRENTLY, Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema, bare

_MAY_BE_INVALID = (
    "IF NOT EXISTS would keep the invalid index that an interrupted run leaves behind: make it"
    " without, and `DROP INDEX CONCURRENTLY IF EXISTS` before."
)


def create_index(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge CREATE INDEX; beside running writes where it is made CONCURRENTLY."""
    unique, concurrently, if_not_exists, name, table = match.group(1, 2, 3, 4, 5)
    schema.index_tables[bare(name)] = bare(table)
    if unique:
        schema.unique_indexes.add(bare(name))
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if concurrently else Lock.SHARE
    defect = _MAY_BE_INVALID if concurrently and if_not_exists else None
    rule = f"The running code has to obey this already: {bare(name)} is unique." if unique else None
    return [
        Effect(
            bare(table),
            lock,
            Work.INDEX,
            condition=rule,
            defect=defect,
            no_transaction=CONCURRENTLY if concurrently else None,
        )
    ]


def drop_index(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge DROP INDEX; without a unique one, ON CONFLICT of the running code fails."""
    concurrently, if_exists, name = match.group(1, 2, 3)
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if concurrently else Lock.ACCESS_EXCLUSIVE
    index = bare(name)
    is_known = index in schema.index_tables
    # All indexes of the schema `public` are known, so IF EXISTS of another one does nothing.
    is_absent = not is_known and if_exists and "." not in index
    is_needed = index in schema.unique_indexes or not (is_known or is_absent)
    phase = Phase.CONTRACT if is_needed else Phase.EXPAND
    table = schema.index_tables.get(index)
    no_transaction = CONCURRENTLY if concurrently else None
    return [Effect(table, lock, phase=phase, no_transaction=no_transaction)]


def rename_index(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge ALTER INDEX … RENAME, whose lock reads and writes of the table take weakly."""
    return [Effect(schema.index_tables.get(bare(match.group(1))), Lock.SHARE_UPDATE_EXCLUSIVE)]
