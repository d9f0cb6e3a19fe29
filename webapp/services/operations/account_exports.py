"""An owner asks for a copy of their data: a worker makes it, and a link that ends opens it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Text, case, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import MakeAccountExport, SendAccountExport
from webapp.jobs.leases import seconds_from_now
from webapp.jobs.outbox import enqueue
from webapp.kit.tokens import hash_token, new_token
from webapp.models import AccountExport, AccountExportFile, Job, User
from webapp.services import activity
from webapp.services.accounts.holders import is_on
from webapp.services.errors import ConflictError, NotFoundError, TooManyTriesError
from webapp.services.operations.personal_files import Piece

# What an account may ask for in this time.
MOST_EXPORTS = 3
MOST_EXPORTS_SECONDS = 86_400.0
WRONG_LINK = "This link is unknown or expired."
State = Literal["making", "ready", "expired", "failed"]


@dataclass(frozen=True)
class Export:
    """One copy as its owner sees it."""

    id: int
    state: State
    asked_at: datetime
    rows_done: int
    byte_count: int
    ready_at: datetime | None
    expires_at: datetime | None
    files: int


@dataclass(frozen=True)
class ReadyNotice:
    """Where the link goes, its only token, and until when it opens anything."""

    user_id: int
    address: str
    display_name: str
    token: str
    expires_at: datetime


def ask(session: Session, user_id: int) -> int:
    """Write the duty to make a copy, and return its id.

    Raises ConflictError while another one is being made, and TooManyTriesError beyond
    `MOST_EXPORTS` in a day.
    """
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    age = func.extract("epoch", func.clock_timestamp() - AccountExport.asked_at)
    newest = select(age).where(AccountExport.user_id == user_id).order_by(AccountExport.id.desc())
    ages = session.scalars(newest.limit(MOST_EXPORTS)).all()
    if len(ages) == MOST_EXPORTS and (wait := MOST_EXPORTS_SECONDS - float(ages[-1])) > 0:
        raise TooManyTriesError(f"You may have {MOST_EXPORTS} copies a day.", wait)
    _give_up_failed(session, user_id)
    export_id = session.scalar(
        insert(AccountExport)
        .values(user_id=user_id)
        .on_conflict_do_nothing(
            index_elements=["user_id"], index_where=AccountExport.ready_at.is_(None)
        )
        .returning(AccountExport.id)
    )
    if export_id is None:
        raise ConflictError("A copy is being made already.")
    enqueue(session, MakeAccountExport(export_id=export_id, user_id=user_id))
    activity.trace(session, user_id, "account.export.ask", export_id=export_id)
    return int(export_id)


def show(session: Session, user_id: int, export_id: int) -> Export:
    """Return how far a copy is. Raises NotFoundError for one that is not the account's."""
    files = select(func.count()).where(AccountExportFile.export_id == AccountExport.id)
    state = case(
        (AccountExport.expires_at <= func.clock_timestamp(), "expired"),
        (AccountExport.ready_at.is_not(None), "ready"),
        (_has_failed(), "failed"),
        else_="making",
    )
    found = session.execute(
        select(
            AccountExport.id, state.label("state"), AccountExport.asked_at,
            AccountExport.rows_done, AccountExport.byte_count, AccountExport.ready_at,
            AccountExport.expires_at, files.scalar_subquery().label("files"),
        ).where(AccountExport.id == export_id, AccountExport.user_id == user_id)
    ).one_or_none()  # fmt: skip
    if found is None:
        raise NotFoundError("You have no such copy.")
    return Export(**found._asdict())


def begin_anew(session: Session, export_id: int) -> bool:
    """Take away what an earlier start has made; False where the copy is ready, or nobody's."""
    unready = (
        update(AccountExport)
        .where(AccountExport.id == export_id, AccountExport.ready_at.is_(None))
        .values(rows_done=0, byte_count=0)
        .returning(AccountExport.id)
    )
    if session.scalar(unready) is None:
        return False
    session.execute(delete(AccountExportFile).where(AccountExportFile.export_id == export_id))
    return True


def add_piece(session: Session, export_id: int, number: int, piece: Piece) -> None:
    """Keep what was made, and note how far it is."""
    size = 0
    if piece.file is not None:
        size = len(piece.file)
        file = {"export_id": export_id, "number": number, "data": piece.file}
        session.execute(insert(AccountExportFile).values(file))
    session.execute(
        update(AccountExport)
        .where(AccountExport.id == export_id)
        .values(
            rows_done=AccountExport.rows_done + piece.rows,
            byte_count=AccountExport.byte_count + size,
        )
        .execution_options(synchronize_session=False)
    )


def end(session: Session, export_id: int, user_id: int, *, hours: int) -> None:
    """Let the copy be fetched for so many hours, and write the duty to tell its owner."""
    session.execute(
        update(AccountExport)
        .where(AccountExport.id == export_id)
        .values(ready_at=func.clock_timestamp(), expires_at=seconds_from_now(hours * 3600))
        .execution_options(synchronize_session=False)
    )
    enqueue(session, SendAccountExport(export_id=export_id, user_id=user_id))


def mint_link(session: Session, export_id: int) -> ReadyNotice | None:
    """Make the token of the link, at the moment of sending; it ends the one of an earlier start.

    None for a copy that is gone, or of an account that is off.
    """
    token = new_token()
    minted = session.execute(
        update(AccountExport)
        .where(AccountExport.id == export_id, _is_open(), User.id == AccountExport.user_id,
               is_on())
        .values(token_hash=hash_token(token))
        .returning(
            User.id.label("user_id"), User.email.label("address"),
            case((User.email_proven_at.is_not(None), User.display_name), else_="").label(
                "display_name"
            ),
            AccountExport.expires_at,
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()  # fmt: skip
    return None if minted is None else ReadyNotice(**minted._asdict(), token=token)


def file_numbers(session: Session, token: str) -> list[int]:
    """Return the numbers of the files that a link opens; none for one that opens nothing."""
    numbers = (
        select(AccountExportFile.number)
        .join(AccountExport, AccountExport.id == AccountExportFile.export_id)
        .where(AccountExport.token_hash == hash_token(token), _is_open())
    )
    return list(session.scalars(numbers.order_by(AccountExportFile.number)))


def fetch_by_link(session: Session, token: str, number: int) -> bytes:
    """Return a file that a mailed link opens. Raises NotFoundError with one message for all."""
    return _fetch(session, (AccountExport.token_hash == hash_token(token),), number)


def fetch_own(session: Session, user_id: int, export_id: int, number: int) -> bytes:
    """Return a file of one's own copy. Raises NotFoundError."""
    whose = (AccountExport.id == export_id, AccountExport.user_id == user_id)
    return _fetch(session, whose, number)


def _fetch(session: Session, which: tuple[ColumnElement[bool], ...], number: int) -> bytes:
    """Note that a file is taken, and return it."""
    fetched = session.execute(
        update(AccountExport)
        .where(*which, _is_open(), User.id == AccountExport.user_id, is_on())
        .values(fetched_at=func.clock_timestamp())
        .returning(AccountExport.id, AccountExport.user_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    data = None
    if fetched is not None:
        key = (AccountExportFile.export_id == fetched.id, AccountExportFile.number == number)
        data = session.scalar(select(AccountExportFile.data).where(*key))
    if fetched is None or data is None:
        raise NotFoundError(WRONG_LINK)
    activity.trace(
        session, fetched.user_id, "account.export.fetch", export_id=fetched.id, number=number
    )
    return data


def _is_open() -> ColumnElement[bool]:
    return AccountExport.expires_at > func.clock_timestamp()


def _has_failed() -> ColumnElement[bool]:
    """Return the condition that no worker will make the copy any more."""
    return ~(
        select(Job.id)
        .where(
            Job.kind == MakeAccountExport.kind,
            Job.dedupe_key == cast(AccountExport.id, Text),
            Job.state.in_(["ready", "held", "running"]),
        )
        .correlate(AccountExport)
        .exists()
    )


def _give_up_failed(session: Session, user_id: int) -> None:
    """Make room for another copy where the last one could not be made."""
    session.execute(
        delete(AccountExport)
        .where(AccountExport.user_id == user_id, AccountExport.ready_at.is_(None), _has_failed())
        .execution_options(synchronize_session=False)
    )
