"""Quotas: what an account may have at once, and what it may make in a day.

What is refused is refused after it was written, by an error that rolls it back: the row of the
account's usage is locked from then on to the end of the transaction, so of two requests at once the
second one counts what the first has made.
"""

from typing import Any, Protocol

from sqlalchemy import BigInteger, Select, bindparam, func, select, text
from sqlalchemy.orm import Session

from webapp.adapters import built_statements
from webapp.services.accounts.actors import Actor
from webapp.services.errors import DailyQuotaError, QuotaError

USE_PARAMETERS = tuple(
    bindparam(name, type_=BigInteger()) for name in ("used_by", "used_saves", "used_bytes")
)


def use_from(source: str) -> str:
    """Return the part of a statement that counts a use where its `source` has a row.

    Its parameters are `USE_PARAMETERS`, by `use_of`; what it returns is for `require_usage`. A day
    that a slower request still counts as today does not come back. The count begins anew with a new
    day; the row is locked by the update, whatever is added.
    """
    return f"""
    INSERT INTO account_usages AS usage (user_id, day_began_at, saves, saved_bytes)
    SELECT :used_by, date_trunc('day', clock_timestamp(), 'UTC'), :used_saves, :used_bytes
    FROM {source}
    ON CONFLICT (user_id) DO UPDATE SET
        day_began_at = greatest(usage.day_began_at, excluded.day_began_at),
        saves = excluded.saves
            + CASE WHEN usage.day_began_at < excluded.day_began_at THEN 0 ELSE usage.saves END,
        saved_bytes = excluded.saved_bytes
            + CASE WHEN usage.day_began_at < excluded.day_began_at THEN 0 ELSE usage.saved_bytes END
    RETURNING saves, saved_bytes, greatest(1, ceil(extract(epoch FROM
        day_began_at + interval '1 day' - clock_timestamp())))::integer AS seconds
    """  # noqa: S608 - the source is a constant of the code


_USE = text(use_from("(SELECT) AS once")).bindparams(*USE_PARAMETERS)


class Usage(Protocol):
    """What an account has saved today, this time included, and when the next day begins."""

    @property
    def saves(self) -> int: ...
    @property
    def saved_bytes(self) -> int: ...
    @property
    def seconds(self) -> int: ...


def use_of(actor: Actor, saved_bytes: int) -> dict[str, int]:
    """Return the parameters of one save of so many bytes; it counts where a day has its bounds."""
    counts = actor.quotas.counts_saves
    return {
        "used_by": actor.user_id,
        "used_saves": int(counts),
        "used_bytes": saved_bytes if counts else 0,
    }


def require_usage(actor: Actor, usage: Usage, saved_bytes: int) -> None:
    """Raise DailyQuotaError where a save of so many bytes was one too many for the day."""
    most_saves, most_bytes = actor.quotas.saves_a_day, actor.quotas.bytes_a_day
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
    lock_usage(session, actor)
    counted = session.scalar(select(func.count()).select_from(rows.limit(most + 1).subquery()))
    if counted is not None and counted > most:
        raise QuotaError(f"This account has {counted - 1} of at most {most} {advice}")


def lock_usage(session: Session, actor: Actor) -> None:
    """Let the requests of an account take turns from here to the end of the transaction."""
    nothing = {"used_by": actor.user_id, "used_saves": 0, "used_bytes": 0}
    built_statements.first(session.connection(), _USE, nothing)
