"""What is kept of erasures outside, so that a restored backup erases the same people again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Erasure, User
from webapp.services.operations import erasure, heirs

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True)
class ErasedAccount:
    """One erasure as it is kept elsewhere: numbers and moments, and nothing that names anybody.

    A number alone does not say which account it was: behind a restored backup it is given anew.
    """

    account_id: int
    account_created_at: datetime
    heir_id: int | None
    heir_created_at: datetime | None


class Replayed(StrEnum):
    """What became of one of them."""

    BEGUN = "begun"
    ERASED_ALREADY = "erased already"
    NOT_HERE = "not here"


_READ: TypeAdapter[ErasedAccount] = TypeAdapter(ErasedAccount)


def list_erased(session: Session) -> Iterator[ErasedAccount]:
    """Yield every erasure, in the order of the accounts' numbers."""
    statement = (
        select(
            Erasure.account_id, Erasure.account_created_at, Erasure.heir_id,
            User.created_at.label("heir_created_at"),
        )
        .outerjoin(User, User.id == Erasure.heir_id)
        .where(Erasure.account_id > 0)
        .order_by(Erasure.account_id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )  # fmt: skip
    for row in session.execute(statement):
        yield ErasedAccount(**row._asdict())


def read(line: bytes) -> ErasedAccount:
    """Read one line of what was kept. Raises ValueError."""
    return _READ.validate_json(line)


def replay(session: Session, erased: ErasedAccount) -> Replayed:
    """Erase an account once more, where this database has it and has not erased it.

    Raises ConflictError where the last admin would be lost.
    """
    if not erasure.is_same_account(session, erased.account_id, erased.account_created_at):
        return Replayed.NOT_HERE
    began = erasure.begin(
        session, erased.account_id, actor_id=None, heir_id=_heir_here(session, erased)
    )
    return Replayed.BEGUN if began else Replayed.ERASED_ALREADY


def _heir_here(session: Session, erased: ErasedAccount) -> int | None:
    """Return the heir, where it is the same account here and still writes."""
    if erased.heir_id is None or erased.heir_created_at is None:
        return None
    is_same = erasure.is_same_account(session, erased.heir_id, erased.heir_created_at)
    return erased.heir_id if is_same and heirs.is_writer(session, erased.heir_id) else None
