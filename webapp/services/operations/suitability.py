"""Whether a database can carry Imprint at all, asked before it fails at some later moment."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

OLDEST_VERSION, NEWEST_VERSION = 15, 18
NAMED_TABLES = 5

# Blocks of the activity log are never deleted, and of some tables only some columns may change.
_FACTS = text(
    """
    SELECT
        current_setting('server_encoding') AS encoding,
        current_setting('server_version_num')::int / 10000 AS version,
        pg_is_in_recovery() AS is_standby,
        current_setting('transaction_read_only') = 'on' AS is_read_only,
        current_schema() IS NOT NULL AS has_schema,
        has_database_privilege(current_database(), 'TEMPORARY') AS may_make_temporary,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
        ARRAY(
            SELECT name
            FROM unnest(CAST(:tables AS text[])) AS name, to_regclass(quote_ident(name)) AS place
            WHERE NOT (
                has_table_privilege(place, 'SELECT') AND has_table_privilege(place, 'INSERT')
                AND has_any_column_privilege(place, 'UPDATE')
                AND (has_table_privilege(place, 'DELETE') OR name = 'activity_blocks')
            )
            ORDER BY name
        ) AS refused_tables
    """
)


@dataclass(frozen=True)
class DatabaseFacts:
    """What a database says of itself, and of what the account that asks may do there."""

    encoding: str = "UTF8"
    version: int = NEWEST_VERSION
    is_standby: bool = False
    is_read_only: bool = False
    has_schema: bool = True
    may_make_temporary: bool = True
    may_create: bool = True
    refused_tables: Collection[str] = ()


@dataclass(frozen=True)
class Findings:
    """A sentence for each thing that is wrong: for good, for now, or perhaps."""

    lasting_faults: list[str] = field(default_factory=list)
    passing_faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All that keeps Imprint from its work."""
        return self.lasting_faults + self.passing_faults


def read_facts(connection: Connection | Session, tables: Collection[str] = ()) -> DatabaseFacts:
    """Ask the database; of tables only whether the account may read and write those that exist."""
    row = connection.execute(_FACTS, {"tables": list(tables)}).one()
    return DatabaseFacts(**row._mapping)


def judge(facts: DatabaseFacts, *, is_migrating: bool) -> Findings:
    """Say what is wrong with a database for the code that serves, or for migrations."""
    findings = Findings()
    _judge_for_good(facts, findings)
    if facts.is_standby:
        findings.passing_faults.append(
            "The server is a standby (in recovery) and takes no writes; promote it, or name the"
            " primary too, as in ?host=a,b&target_session_attrs=read-write."
        )
    elif facts.is_read_only:
        findings.passing_faults.append(
            "The database is read-only (default_transaction_read_only is on)."
        )
    if is_migrating:
        _judge_rights_to_migrate(facts, findings)
    elif facts.refused_tables:
        named = ", ".join(list(facts.refused_tables)[:NAMED_TABLES])
        more = len(facts.refused_tables) - NAMED_TABLES
        findings.passing_faults.append(
            "The account may not read and write all tables: grant it SELECT, INSERT, UPDATE and"
            f" DELETE on {named}{f' and {more} more' if more > 0 else ''}."
        )
    return findings


def _judge_for_good(facts: DatabaseFacts, findings: Findings) -> None:
    if facts.encoding != "UTF8":
        findings.lasting_faults.append(
            f"The encoding of the database is {facts.encoding}, and Imprint needs UTF8: make"
            " another with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
        )
    if facts.version < OLDEST_VERSION:
        findings.lasting_faults.append(
            f"The server is PostgreSQL {facts.version}, and Imprint needs {OLDEST_VERSION} at"
            " least."
        )
    if facts.version > NEWEST_VERSION:
        findings.warnings.append(
            f"The server is PostgreSQL {facts.version}; Imprint is tested with {OLDEST_VERSION} to"
            f" {NEWEST_VERSION}."
        )
    if not facts.has_schema:
        findings.lasting_faults.append(
            "No schema of the search_path is there for this account: make it, grant USAGE on it,"
            " or change the search_path in the options of DATABASE_URL."
        )


def _judge_rights_to_migrate(facts: DatabaseFacts, findings: Findings) -> None:
    if not facts.may_make_temporary:
        findings.passing_faults.append(
            "The account lacks the right TEMPORARY, which migrations need for functions of their"
            " own: GRANT TEMPORARY ON DATABASE … TO …"
        )
    if facts.has_schema and not facts.may_create:
        findings.passing_faults.append(
            "The account may make no tables in this schema: GRANT CREATE ON SCHEMA … TO …"
        )
