"""Seal the lines of the activity log in a chain of blocks, and prune the oldest blocks.

Writers are not held up: they add lines and take no turn. A dispatcher chains what has settled, a
moment later. Lines get their ids before they commit, so a block may end at a line only when every
transaction that could still bring one before it has ended: a `Horizon` is noted first, and waited
for.
"""

import hashlib
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from webapp.kit.activity_digests import FIRST_HASH, block_hash, line_digest, pack_digests
from webapp.models import ActivityBlock, ActivityLog
from webapp.models.activity_logs import LINE_COLUMNS

LINES_A_BLOCK = 1_000
BLOCKS_A_PRUNE = 5
_SEAL_LOCK = 0x696D_7072_0003  # An advisory lock key of Imprint's own: who adds a block.


@dataclass(frozen=True)
class Horizon:
    """The newest line that was there, and the number of a transaction that began after it."""

    until_id: int
    transaction: int


@dataclass(frozen=True)
class Sealed:
    """What a block seals, and its hash, which anchors the chain where it is kept elsewhere."""

    number: int
    row_count: int
    until_id: int
    hash: bytes


def advance(session: Session, horizon: Horizon | None) -> tuple[Horizon | None, Sealed | None]:
    """Add a block if the horizon's lines have settled; returns what to come back with, and it.

    Without a horizon one is noted, if there is a line to seal. To be committed by the caller.
    """
    if horizon is None:
        return _find_horizon(session), None
    if not _has_settled(session, horizon):
        return horizon, None
    sealed = _seal(session, horizon.until_id)
    if sealed is not None and sealed.until_id < horizon.until_id:
        return horizon, sealed
    return _find_horizon(session), sealed


def prune_blocks(session: Session, days: int) -> bool:
    """Delete the lines of a few of the oldest blocks, where all of a block's lines are older.

    Returns whether there may be more. A block keeps its hash and its count, so the chain can still
    be followed. Lines that are not sealed yet stay. 0 days keep everything for ever.
    """
    if not days:
        return False
    is_old = ActivityBlock.last_created_at < func.now() - func.make_interval(0, 0, 0, days)
    oldest = session.execute(
        select(
            ActivityBlock.number, ActivityBlock.after_id, ActivityBlock.until_id,
            is_old.label("is_old"),
        )
        .where(ActivityBlock.pruned_at.is_(None))
        .order_by(ActivityBlock.number)
        .limit(BLOCKS_A_PRUNE)
        .with_for_update()
    ).all()  # fmt: skip
    # A block that is younger keeps those behind it, so that what is pruned is one stretch.
    pruned = list(takewhile(lambda block: block.is_old, oldest))
    if not pruned:
        return False
    first, last = pruned[0], pruned[-1]
    session.execute(
        update(ActivityBlock)
        .where(ActivityBlock.number >= first.number, ActivityBlock.number <= last.number)
        .values(pruned_at=func.clock_timestamp(), digests=b"")
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(ActivityLog).where(ActivityLog.id > first.after_id, ActivityLog.id <= last.until_id)
    )
    return len(pruned) == BLOCKS_A_PRUNE


def _find_horizon(session: Session) -> Horizon | None:
    newest = session.scalar(select(func.max(ActivityLog.id)))
    sealed = session.scalar(select(func.max(ActivityBlock.until_id)))
    if newest is None or newest <= (sealed or 0):
        return None
    # Taken behind the look at the lines: whoever wrote one of them has a smaller number.
    number = session.scalar(text("SELECT pg_current_xact_id()::text::bigint"))
    return Horizon(newest, int(number or 0))


def _has_settled(session: Session, horizon: Horizon) -> bool:
    oldest = session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    return int(oldest or 0) >= horizon.transaction


def _seal(session: Session, until_id: int) -> Sealed | None:
    """Add the block of the lines up to this one, or of the first of them; None where others do."""
    if not session.scalar(select(func.pg_try_advisory_xact_lock(_SEAL_LOCK))):
        return None
    before = session.execute(
        select(ActivityBlock.number, ActivityBlock.until_id, ActivityBlock.hash)
        .order_by(ActivityBlock.number.desc())
        .limit(1)
    ).one_or_none()
    number, after_id, previous = (0, 0, FIRST_HASH) if before is None else before
    lines = (
        select(*LINE_COLUMNS)
        .where(ActivityLog.id > after_id, ActivityLog.id <= until_id)
        .order_by(ActivityLog.id)
        .limit(LINES_A_BLOCK)
    )
    found = session.execute(lines).mappings().all()
    if not found:
        return None
    digests = pack_digests({line["id"]: line_digest(line) for line in found})
    block: dict[str, Any] = {
        "number": number + 1,
        "previous_hash": previous,
        "after_id": after_id,
        "until_id": found[-1]["id"],
        "row_count": len(found),
        "last_created_at": max(line["created_at"] for line in found),
        "sealed_at": session.scalar(select(func.clock_timestamp())),
        "digests": digests,
        "rows_hash": hashlib.sha256(digests).digest(),
    }
    block["hash"] = block_hash(block)
    session.execute(insert(ActivityBlock).values(block))
    return Sealed(block["number"], len(found), block["until_id"], block["hash"])
