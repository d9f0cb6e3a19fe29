"""Follow the chain over the activity log, block by block, and name the first fault."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.kit.activity_digests import FIRST_HASH, block_hash, line_digest, unpack_digests
from webapp.models import ActivityBlock, ActivityLog
from webapp.models.activity_logs import LINE_COLUMNS

MOST_WAITING = 100_000


@dataclass(frozen=True)
class Link:
    """Where one has come to: a block, its hash and its last line. Number 0 is the beginning."""

    number: int = 0
    hash: bytes = FIRST_HASH
    until_id: int = 0


@dataclass(frozen=True)
class Fault:
    """What is wrong first: `line` is the id of a line, None where the block itself is at fault."""

    block: int
    line: int | None
    sentence: str


@dataclass(frozen=True)
class CheckedBlock:
    """A block that is as it was sealed."""

    link: Link
    lines: int
    erased: int
    is_pruned: bool


@dataclass(frozen=True)
class Waiting:
    """The lines that no block seals yet: how many, up to `MOST_WAITING`, and since when."""

    lines: int
    since: datetime | None


def find_link(session: Session, number: int, expected_hash: bytes) -> Link | Fault:
    """Return the link from which to go on, or the fault where the block is another one by now."""
    block = session.get(ActivityBlock, number)
    if block is None:
        return Fault(number, None, f"Block {number} is missing.")
    if block.hash != expected_hash or block_hash(_columns(block)) != expected_hash:
        return Fault(number, None, f"Block {number} is not the one that was noted.")
    return Link(number, block.hash, block.until_id)


def check_next(session: Session, link: Link) -> CheckedBlock | Fault | None:
    """Check the block behind a link, with its lines; None where there is no further one.

    To be called in a transaction that sees one moment (REPEATABLE READ), so that a block that is
    pruned meanwhile is either there with its lines or pruned.
    """
    block = session.scalars(
        select(ActivityBlock)
        .where(ActivityBlock.number > link.number)
        .order_by(ActivityBlock.number)
        .limit(1)
    ).one_or_none()
    if block is None:
        return None
    fault = _check_itself(block, link) or _check_digests(block)
    if fault is not None:
        return fault
    erased = 0
    for line_id, is_erased, complaint in _compare(session, block):
        if complaint is not None:
            return Fault(block.number, line_id, f"Line {line_id} {complaint}.")
        erased += is_erased
    link = Link(block.number, block.hash, block.until_id)
    return CheckedBlock(link, block.row_count, erased, block.pruned_at is not None)


def look_at_waiting(session: Session, link: Link) -> Waiting:
    """Return what waits behind the last block."""
    newer = select(ActivityLog.created_at).where(ActivityLog.id > link.until_id)
    newer = newer.order_by(ActivityLog.id).limit(MOST_WAITING)
    rows = newer.subquery()
    count, since = session.execute(select(func.count(), func.min(rows.c.created_at))).one()
    return Waiting(count, since)


def _columns(block: ActivityBlock) -> dict[str, object]:
    return {column.name: getattr(block, column.name) for column in block.__table__.columns}


def _check_itself(block: ActivityBlock, link: Link) -> Fault | None:
    expected = link.number + 1
    if block.number != expected:
        return Fault(expected, None, f"Block {expected} is missing.")
    follows = block.previous_hash == link.hash and block.after_id == link.until_id
    if not follows or block_hash(_columns(block)) != block.hash:
        return Fault(block.number, None, f"Block {block.number} was changed, or one before it.")
    return None


def _check_digests(block: ActivityBlock) -> Fault | None:
    if block.pruned_at is not None:
        return None
    if hashlib.sha256(block.digests).digest() != block.rows_hash:
        return Fault(block.number, None, f"The digests of block {block.number} were changed.")
    return None


def _compare(session: Session, block: ActivityBlock) -> Iterator[tuple[int, bool, str | None]]:
    """Yield each line of a block, whether it is erased, and what is wrong with it."""
    try:
        sealed = dict(unpack_digests(block.digests))
    except struct.error:
        sealed = {}
    statement = select(*LINE_COLUMNS).where(ActivityLog.id <= block.until_id)
    if block.number > 1:
        statement = statement.where(ActivityLog.id > block.after_id)
    # One more than there should be is enough to find one that was added.
    statement = statement.order_by(ActivityLog.id).limit(len(sealed) + 1)
    expected = iter(sorted(sealed))
    for line in session.execute(statement).mappings():
        line_id = line["id"]
        if line_id not in sealed:
            yield line_id, False, "was added afterwards"
            return
        if (missing := next(expected)) != line_id:
            yield missing, False, "is missing"
            return
        is_same = line_digest(line) == sealed[line_id]
        yield line_id, line["erased_at"] is not None, None if is_same else "was changed"
    for missing in expected:
        yield missing, False, "is missing"
