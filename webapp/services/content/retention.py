"""Which versions have outlived their use: all for some days, then one a day, then one a month.

A day and a month are those of UTC, and the last version of each is kept. So what is pruned was
never the newest for longer than a day. The first, the newest, what is not sealed yet, and what
`version_pins` names are kept whatever their age.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.orm import Session

from webapp.models.arrays import IdArray
from webapp.services.content.packed_chains import KEYFRAME_EVERY
from webapp.services.content.version_pins import PINS

FEWEST_DAYS = 2
"""With fewer days a version could go while somebody's change that began from it is on its way."""
# So many versions are looked at by one statement, of one item at least, and so many are found; the
# rest of a chain comes with them.
_VERSIONS_AT_ONCE = 2_000
_FOUND_AT_ONCE = 200
_ITEMS_AT_ONCE = 1_000


@dataclass(frozen=True)
class KeepRule:
    """For how many days every version is kept (0 for ever), and for how many one of each day."""

    all_days: int
    daily_days: int


@dataclass(frozen=True)
class Place:
    """How far a walk over all versions has come: an item, and a chain of its versions."""

    content_id: int = 0
    chain: int = -1


@dataclass(frozen=True)
class OutlivedVersion:
    """A version that may go, and how many bytes it takes, as PostgreSQL has compressed them."""

    id: int
    number: int
    size: int


@dataclass(frozen=True)
class OutlivedChain:
    """Versions of one item, of one keyframe and what hangs on it, that may go."""

    content_id: int
    chain: int
    versions: tuple[OutlivedVersion, ...]


@dataclass(frozen=True)
class Found:
    """What may go, and from where to look on; None behind the last item."""

    chains: tuple[OutlivedChain, ...]
    following: Place | None


# No number is below that of the item's versions, so most items are left out by what they say alone.
_ITEMS = text(
    """
    SELECT id FROM (
        SELECT id, sum(version) OVER (ORDER BY id) - version AS before FROM (
            SELECT id, version FROM content
            WHERE id >= :content_id AND version > 2
            AND (CAST(:only AS bigint) IS NULL OR id = :only)
            ORDER BY id LIMIT :items
        ) AS following
    ) AS counted WHERE before < :versions ORDER BY id
    """
).bindparams(items=_ITEMS_AT_ONCE, versions=_VERSIONS_AT_ONCE)

_SIZE = " + ".join(
    f"coalesce(pg_column_size(version.{column}), 0)"
    for column in ("title", "slug", "body", "excerpt", "packed", "tags", "metadata")
)
_OUTLIVED = text(
    f"""
    WITH item AS MATERIALIZED (
        SELECT id, version FROM content WHERE id = ANY (:content_ids)
    ), pinned AS MATERIALIZED (
        {" UNION ALL ".join(f"({pin.statement})" for pin in PINS)}
    ), made AS (
        SELECT version.id, version.content_id, version.number, version.created_at,
            version.sealed_at, (version.number - 1) / {KEYFRAME_EVERY} AS chain,
            item.version AS newest,
            min(version.number) OVER (PARTITION BY version.content_id) AS first,
            max(version.number) OVER (
                PARTITION BY version.content_id,
                    date_trunc('day', version.created_at AT TIME ZONE 'UTC')) AS last_of_day,
            max(version.number) OVER (
                PARTITION BY version.content_id,
                    date_trunc('month', version.created_at AT TIME ZONE 'UTC')) AS last_of_month,
            lead(version.sealed_at) OVER (
                PARTITION BY version.content_id ORDER BY version.number) AS next_sealed_at
        FROM item JOIN content_versions AS version ON version.content_id = item.id
    ), outlived AS (
        SELECT id, content_id, number, chain FROM made
        WHERE created_at < now() - make_interval(days => :all_days)
        AND number NOT IN (first, newest)
        AND number <> CASE WHEN created_at < now() - make_interval(days => :daily_days)
            THEN last_of_month ELSE last_of_day END
        AND sealed_at IS NOT NULL AND next_sealed_at IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM pinned
            WHERE pinned.content_id = made.content_id AND pinned.number = made.number)
        AND (content_id, chain) > (:content_id, :chain)
        ORDER BY content_id, chain FETCH FIRST :found ROWS WITH TIES
    )
    SELECT outlived.id, outlived.content_id, outlived.number, outlived.chain, {_SIZE} AS size
    FROM outlived JOIN content_versions AS version ON version.id = outlived.id
    ORDER BY outlived.content_id, outlived.number
    """  # noqa: S608 - the parts are constants of the code
).bindparams(bindparam("content_ids", type_=IdArray()))


def find_outlived(
    session: Session, rule: KeepRule, after: Place, *, content_id: int | None = None
) -> Found:
    """Return the next versions that may go behind a place, of one item or of all.

    With a rule of 0 days none is found.
    """
    if not rule.all_days:
        return Found((), None)
    items = _ITEMS.bindparams(content_id=after.content_id)
    ids = session.scalars(items, {"only": content_id}).all()
    if not ids:
        return Found((), None)
    rows = _outlived(session, rule, ids, after)
    chains = tuple(
        OutlivedChain(item_id, chain, tuple(OutlivedVersion(r.id, r.number, r.size) for r in group))
        for (item_id, chain), group in groupby(rows, key=lambda row: (row.content_id, row.chain))
    )
    if len(rows) >= _FOUND_AT_ONCE:
        return Found(chains, Place(chains[-1].content_id, chains[-1].chain))
    return Found(chains, Place(ids[-1] + 1))


def still_outlived(session: Session, rule: KeepRule, content_id: int, chain: int) -> set[int]:
    """Return the ids of the versions of a chain that may go, as it is now."""
    rows = _outlived(session, rule, [content_id], Place(content_id, chain - 1))
    return {row.id for row in rows if row.chain == chain}


def _outlived(
    session: Session, rule: KeepRule, content_ids: Sequence[int], after: Place
) -> Sequence[Row[*tuple[Any, ...]]]:
    parameters = {
        "content_ids": content_ids,
        "all_days": max(FEWEST_DAYS, rule.all_days),
        "daily_days": max(FEWEST_DAYS, rule.all_days, rule.daily_days),
        "content_id": after.content_id,
        "chain": after.chain,
        "found": _FOUND_AT_ONCE,
    }
    return session.execute(_OUTLIVED, parameters).all()
