"""The words for what a statement does to a table: its lock, its work, and who can live with it."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Lock(IntEnum):
    """PostgreSQL's table locks, from the weakest to the strongest."""

    NONE = 0
    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def label(self) -> str:
        """The name as PostgreSQL writes it."""
        return self.name.replace("_", " ")

    @property
    def blocks_writes(self) -> bool:
        """Say whether inserts, updates and deletes wait for it."""
        return self >= Lock.SHARE

    @property
    def blocks_reads(self) -> bool:
        """Say whether plain reads wait for it, too."""
        return self is Lock.ACCESS_EXCLUSIVE


class Work(StrEnum):
    """What a statement does with the rows that are there; its time grows with the table."""

    NONE = "none"
    SCAN = "scan"
    INDEX = "index build"
    REWRITE = "rewrite"
    ROWS = "row writes"


class Phase(StrEnum):
    """Where a change belongs, by what it asks of the code that is running."""

    EXPAND = "expand"
    BACKFILL = "backfill"
    CONTRACT = "contract"


CONCURRENTLY = "CONCURRENTLY"


@dataclass(frozen=True)
class Effect:
    """What one statement, or one action of an ALTER TABLE, does to one table.

    `table` is None where there is none, or where it cannot be told. `sized_by` are the tables of
    which the largest says how much work it is, where that is not `table` alone. `condition` is what
    the running code has to obey from then on; `defect` why it fails or harms whatever the size;
    `removes` the column that is gone afterwards, or "" for the whole table; `no_transaction` names
    what does not run inside of one. What is not known counts as the strongest lock.
    """

    table: str | None
    lock: Lock
    work: Work = Work.NONE
    phase: Phase = Phase.EXPAND
    sized_by: tuple[str, ...] = ()
    condition: str | None = None
    defect: str | None = None
    removes: str | None = None
    commits_in_between: bool = False
    no_transaction: str | None = None
    is_known: bool = True


UNKNOWN = Effect(
    table=None,
    lock=Lock.ACCESS_EXCLUSIVE,
    work=Work.REWRITE,
    phase=Phase.CONTRACT,
    defect="This statement is not known here, so it counts as ACCESS EXCLUSIVE on every table.",
    is_known=False,
)
