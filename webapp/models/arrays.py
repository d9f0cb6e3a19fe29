"""Arrays as parameters: one for a statement, however many rows it is about."""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Dialect, any_, literal
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import UserDefinedType


class IdArray(UserDefinedType[Collection[int]]):
    """A parameter of the type `bigint[]`.

    It is written as PostgreSQL's own text for an array. The driver would look at each element by
    itself, which was nearly half of what a publishing process did for its batches.
    """

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name."""
        return "BIGINT[]"

    def bind_processor(self, dialect: Dialect) -> Callable[[Collection[int] | None], str | None]:
        """Return what writes the ids; a value that is no integer raises TypeError."""
        del dialect  # There is one.
        return lambda ids: None if ids is None else f"{{{','.join(map(int.__repr__, ids))}}}"


class MomentArray(UserDefinedType[Collection[datetime | None]]):
    """A parameter of the type `timestamptz[]`, written as an `IdArray` is and for its reason."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name."""
        return "TIMESTAMPTZ[]"

    def bind_processor(
        self, dialect: Dialect
    ) -> Callable[[Collection[datetime | None] | None], str | None]:
        """Return what writes the moments, None as NULL."""
        del dialect  # There is one.
        return lambda moments: None if moments is None else f"{{{','.join(map(_spell, moments))}}}"


def _spell(moment: datetime | None) -> str:
    return "NULL" if moment is None else moment.isoformat()


def is_one_of(
    column: InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ids: Collection[int]
) -> ColumnElement[bool]:
    """Return the condition that a column holds one of some ids."""
    return column == any_(literal(ids, IdArray()))
