"""What is left of an erased account in each table, a batch at a time.

Most of it follows from `webapp/models/personal_data.py`: rows that are deleted with an account, and
rows whose link to it is emptied. What needs more than that has a statement of its own here.
"""

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import CursorResult, TextClause, text
from sqlalchemy.orm import Session

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.models.held import Treatment
from webapp.models.personal_data import HELD
from webapp.services import activity_erasure

ROWS_A_BATCH = 2_000

_FORGET_ANSWERS = text(
    """
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE scope = ANY (ARRAY(
            SELECT 'user:' || :account_id UNION ALL
            SELECT 'api_key:' || id FROM api_keys WHERE user_id = :account_id))
        LIMIT :size))
    """
)

# Mails are found by the inbox, because an index by reader would make telling slower. A news that
# was cut short has mails and no row in the inbox; a later event of its item has one.
_FORGET_INBOX = text(
    """
    WITH told AS MATERIALIZED (
        SELECT event_id FROM notifications WHERE user_id = :account_id
        ORDER BY event_id LIMIT :size
    ), mailed AS (
        DELETE FROM mail_deliveries WHERE user_id = :account_id AND event_id IN (
            SELECT event_id FROM told
            UNION
            SELECT other.id FROM told JOIN events ON events.id = told.event_id
            JOIN events AS other ON other.content_id = events.content_id)
    )
    DELETE FROM notifications USING told
    WHERE notifications.user_id = :account_id AND notifications.event_id = told.event_id
    """
)

# Locked as every change of an item locks it, so that a publication comes before or after, whole.
_HAND_OVER = text(
    """
    WITH item AS MATERIALIZED (
        SELECT id FROM content WHERE author_id = :account_id ORDER BY id LIMIT :size FOR UPDATE
    ), public AS (
        UPDATE publications SET author_id = :heir_id FROM item WHERE content_id = item.id
    )
    UPDATE content SET author_id = :heir_id, revision = revision + 1
    FROM item WHERE content.id = item.id
    """
)

# What an import noted of an article keeps all but the names of who wrote it.
_FORGET_SOURCE = text(
    """
    UPDATE import_records SET author_id = NULL, said = jsonb_set(said, '{author}', 'null'),
        private = private - 'authors' - 'author'
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM import_records WHERE author_id = :account_id LIMIT :size))
    """
)
_OF_THEIR_OWN = {"notifications", "mail_deliveries", "import_records"}


def _generic(change: str, table: str, link: str) -> TextClause:
    return text(
        f"{change} WHERE ctid = ANY (ARRAY("  # noqa: S608 - the names stand in the code
        f"SELECT ctid FROM {table} WHERE {link} = :account_id LIMIT :size))"
    )


def _statements() -> tuple[TextClause, ...]:
    """Return the statements that name the account alone, in the order in which they are tried."""
    generic = []
    for table, held in HELD.items():
        for link, erasure in held.people.items() if table not in _OF_THEIR_OWN else ():
            if erasure is Treatment.DELETED:
                generic.append(_generic(f"DELETE FROM {table}", table, link))  # noqa: S608
            elif erasure is Treatment.UNLINKED:
                generic.append(_generic(f"UPDATE {table} SET {link} = NULL", table, link))  # noqa: S608
    # The answers are found by the keys, so they go before them.
    return (_FORGET_ANSWERS, _FORGET_INBOX, _FORGET_SOURCE, *generic)


_STATEMENTS = _statements()


def run_one(session: Session, account_id: int, heir_id: int | None) -> bool:
    """Do the first batch that finds something, and say whether one did."""
    steps: list[Callable[[], int]] = [
        *(lambda statement=statement: _count(session, statement, account_id)
          for statement in _STATEMENTS),
        lambda: _hand_over(session, account_id, heir_id),
        lambda: activity_erasure.erase_some(session, account_id, most=ROWS_A_BATCH),
    ]  # fmt: skip
    return any(step() for step in steps)


def _hand_over(session: Session, account_id: int, heir_id: int | None) -> int:
    if heir_id is None:
        return 0
    # The public documents get the heir's name behind it.
    enqueue_anew(session, RefreshPublications(named="author", named_id=heir_id))
    return _count(session, _HAND_OVER, account_id, heir_id=heir_id)


def _count(session: Session, statement: TextClause, account_id: int, **more: int) -> int:
    parameters = {"account_id": account_id, "size": ROWS_A_BATCH, **more}
    return cast(CursorResult[Any], session.execute(statement, parameters)).rowcount
