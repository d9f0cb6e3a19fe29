"""What is known of the tables while pending statements are read, one after the other."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ForeignKey:
    """The columns of a foreign key, and the table that it refers to."""

    columns: tuple[str, ...]
    target: str


@dataclass
class Schema:
    """The facts that decide which lock a statement takes and how much it has to do.

    Names are without the schema `public`. `column_types` are spelt as by format_type, or as a
    pending statement gives them. `unique_indexes` are the valid ones, `unique_keys` the (table,
    constraint) of keys. `not_null_checks` maps (table, constraint) to the column that a check
    `column IS NOT NULL` is on, and `validated` holds the checks that every row is known to obey.
    `default_partitions` maps a partitioned table to the part that takes what no other does.
    `existing` are the tables and views that were there before, and `created` the tables that a
    pending statement makes beside them: nobody uses those yet.
    """

    functions: set[str] = field(default_factory=set)
    column_types: dict[tuple[str, str], str] = field(default_factory=dict)
    index_tables: dict[str, str] = field(default_factory=dict)
    unique_indexes: set[str] = field(default_factory=set)
    unique_keys: set[tuple[str, str]] = field(default_factory=set)
    foreign_keys: dict[tuple[str, str], ForeignKey] = field(default_factory=dict)
    not_null_checks: dict[tuple[str, str], str] = field(default_factory=dict)
    validated: set[tuple[str, str]] = field(default_factory=set)
    default_partitions: dict[str, str] = field(default_factory=dict)
    existing: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)

    def is_proven_not_null(self, table: str, column: str) -> bool:
        """Say whether a validated check spares SET NOT NULL the look at every row."""
        return any(
            of_column == column and key[0] == table and key in self.validated
            for key, of_column in self.not_null_checks.items()
        )

    def refers_to(self, table: str) -> set[str]:
        """Return the tables that a table's foreign keys point at, and those that point at it."""
        ends = [(key[0], found.target) for key, found in self.foreign_keys.items()]
        return {b if a == table else a for a, b in ends if table in {a, b}} - {table}
