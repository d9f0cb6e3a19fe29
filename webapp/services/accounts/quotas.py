"""Quotas: what an account may have at once, and what it may make in a day.

What is refused is refused after it was written, by an error that rolls it back: the row of the
account's usage is locked from then on to the end of the transaction, so of two requests at once the
second one counts what the first has made.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from webapp.services.accounts.actors import Actor
from webapp.services.errors import DailyQuotaError, QuotaError

# A day that a slower request still counts as today does not come back. The count begins anew with a
# new day; the row is locked by the update, whatever is added.
_USE = text(
    """
    INSERT INTO account_usages AS usage (user_id, day_began_at, saves, saved_bytes)
    VALUES (:user_id, date_trunc('day', clock_timestamp(), 'UTC'), :saves, :saved_bytes)
    ON CONFLICT (user_id) DO UPDATE SET
        day_began_at = greatest(usage.day_began_at, excluded.day_began_at),
        saves = excluded.saves
            + CASE WHEN usage.day_began_at < excluded.day_began_at THEN 0 ELSE usage.saves END,
        saved_bytes = excluded.saved_bytes
            + CASE WHEN usage.day_began_at < excluded.day_began_at THEN 0 ELSE usage.saved_bytes END
    RETURNING saves, saved_bytes, greatest(1, ceil(extract(epoch FROM
        day_began_at + interval '1 day' - clock_timestamp())))::integer AS seconds
    """
)


@dataclass(frozen=True)
class _Usage:
    """What an account has saved today, this time included, and when the next day begins."""

    saves: int
    saved_bytes: int
    seconds: int


def charge_save(session: Session, actor: Actor, saved_bytes: int) -> None:
    """Count one save of so many bytes. Raises DailyQuotaError where it is one too many."""
    most_saves, most_bytes = actor.quotas.saves_a_day, actor.quotas.bytes_a_day
    if not most_saves and not most_bytes:
        return
    usage = _use(session, actor, saves=1, saved_bytes=saved_bytes)
    if most_saves and usage.saves > most_saves:
        raise DailyQuotaError(
            f"This account has saved {usage.saves - 1} times today, and may {most_saves} times a "
            f"day; the day ends at midnight UTC, in {usage.seconds} seconds. Keep the text, and "
            "save it then.",
            usage.seconds,
        )
    if most_bytes and usage.saved_bytes > most_bytes:
        raise DailyQuotaError(
            f"This account has saved {usage.saved_bytes - saved_bytes} bytes of text today, and "
            f"this save has {saved_bytes} more; it may save {most_bytes} a day. The day ends at "
            f"midnight UTC, in {usage.seconds} seconds. Keep the text, and save it then.",
            usage.seconds,
        )


def require_room(session: Session, actor: Actor, rows: Select[Any], most: int, advice: str) -> None:
    """Raise QuotaError where an account has more rows than it may, the newest included.

    `rows` finds them by an index; as many as `most` are looked at. `advice` says what they are and
    how to make room.
    """
    if not most:
        return
    _use(session, actor, saves=0, saved_bytes=0)
    counted = session.scalar(select(func.count()).select_from(rows.limit(most + 1).subquery()))
    if counted is not None and counted > most:
        raise QuotaError(f"This account has {counted - 1} of at most {most} {advice}")


def _use(session: Session, actor: Actor, *, saves: int, saved_bytes: int) -> _Usage:
    parameters = {"user_id": actor.user_id, "saves": saves, "saved_bytes": saved_bytes}
    return _Usage(**session.execute(_USE, parameters).one()._asdict())
