"""What is told of a table that may hold something of people; the tables are in `personal_data`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Treatment(StrEnum):
    """What the erasure of a person does to a column."""

    DELETED = "the row is deleted"
    EMPTIED = "emptied, the row stays"
    UNLINKED = "the link is emptied, the row stays"
    HANDED_OVER = "goes to the heir, or stays with the row that has no name any more"
    KEPT = "kept"
    NOBODYS = "nobody's"


@dataclass(frozen=True)
class Apart:
    """A column that an erasure treats otherwise than its row, and why."""

    erasure: Treatment
    why: str


@dataclass(frozen=True)
class Held:
    """What one table holds.

    `people` are its columns with the number of an account, and what an erasure does to the rows of
    that account; the first is whose the row is. `columns` follow the row. `hidden` do so as well,
    and stand in no export: hashes and salts, of use to a thief and to nobody else.
    """

    whose: str
    why: str
    until: str
    erasure: Treatment
    columns: str
    hidden: str = ""
    people: Mapping[str, Treatment] = field(default_factory=dict)
    apart: Mapping[str, Apart] = field(default_factory=dict)
    is_exported: bool = True

    def erasures(self) -> Iterator[tuple[str, Treatment, str]]:
        """Yield each column with what an erasure does to it, and why where it is told apart."""
        for column in (*self.columns.split(), *self.hidden.split()):
            yield column, self.erasure, ""
        for column, erasure in self.people.items():
            yield column, erasure, ""
        for column, apart in self.apart.items():
            yield column, apart.erasure, apart.why
