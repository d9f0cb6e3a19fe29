"""What making, dropping and renaming an index does to its table."""

import re

from webapp.kit.migration_sql.effects import Effect, Lock, Phase, Work
from webapp.kit.migration_sql.schema import Schema, bare


def create_index(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge CREATE INDEX; beside running writes where it is made CONCURRENTLY."""
    unique, concurrently, name, table = match.group(1, 2, 3, 4)
    schema.index_tables[bare(name)] = bare(table)
    if unique:
        schema.unique_indexes.add(bare(name))
    lock = Lock.SHARE_UPDATE_EXCLUSIVE if concurrently else Lock.SHARE
    rule = f"The running code has to obey this already: {bare(name)} is unique." if unique else None
    return [Effect(bare(table), lock, Work.INDEX, condition=rule)]


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
    return [Effect(schema.index_tables.get(index), lock, phase=phase)]


def rename_index(match: "re.Match[str]", schema: Schema) -> list[Effect]:
    """Judge ALTER INDEX … RENAME, whose lock reads and writes of the table take weakly."""
    return [Effect(schema.index_tables.get(bare(match.group(1))), Lock.SHARE_UPDATE_EXCLUSIVE)]
