"""Let versions go that have outlived their use, and nothing that another one is read by.

What is looked at together is a chain: a keyframe and what hangs on it. All of it is read and
compared with its digests first; where one is damaged, the whole chain stays. What is kept and hangs
on something that goes is packed anew, against another or alone, before that goes, in the same
transaction. Nothing is locked meanwhile: versions never change. Only then is the item locked, asked
once more what may go, and written, and whoever is at work on an item is not waited for.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from webapp.models import Content, ContentVersion
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.content.packed_chains import KEYFRAME_EVERY, reference_among
from webapp.services.content.packing import pack_against
from webapp.services.content.repacked_rows import RepackedRow, write_repacked
from webapp.services.content.retention import (
    KeepRule,
    OutlivedChain,
    Place,
    find_outlived,
    still_outlived,
)
from webapp.services.content.version_texts import StoredVersion, read_stored, stored

log = structlog.get_logger()

# A version may have 2 MB, and is read with the four that it hangs on.
_READ_AT_ONCE = 16


@dataclass
class Pruning:
    """What became of some chains, and from where to go on; None behind the last item.

    `versions` counts those that went, by the ids of their items, and `sizes` their bytes; `freed`
    are the bytes of all, less what packing others anew has added. `busy` are the items that
    somebody was at work on, `damaged` the chains that stay because of a damaged version, as the
    item and the number of that version.
    """

    following: Place | None
    versions: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    repacked: int = 0
    freed: int = 0
    busy: set[int] = field(default_factory=set)
    damaged: list[tuple[int, int]] = field(default_factory=list)

    def add(self, content_id: int, versions: int, size: int) -> None:
        """Count versions that went, or would go."""
        if versions:
            self.versions[content_id] = self.versions.get(content_id, 0) + versions
            self.sizes[content_id] = self.sizes.get(content_id, 0) + size
            self.freed += size


@dataclass(frozen=True)
class _Link:
    """A version of a chain, and what it hangs on."""

    id: int
    number: int
    reference_id: int | None


def foresee(
    session: Session, rule: KeepRule, after: Place, *, content_id: int | None = None
) -> Pruning:
    """Say what `prune` would do with the next versions; what packing anew adds is not in it."""
    found = find_outlived(session, rule, after, content_id=content_id)
    pruning = Pruning(found.following)
    for chain in found.chains:
        size = sum(version.size for version in chain.versions)
        pruning.add(chain.content_id, len(chain.versions), size)
    return pruning


def prune(
    session: Session, rule: KeepRule, after: Place, *, content_id: int | None = None
) -> Pruning:
    """Delete the next versions that have outlived their use, and add a line for each item.

    It may be cut off anywhere, and run twice at once.
    """
    found = find_outlived(session, rule, after, content_id=content_id)
    pruning = Pruning(found.following)
    planned = [(chain, _plan(session, chain, pruning)) for chain in found.chains]
    wanted = [chain.content_id for chain, rows in planned if rows is not None]
    locked = _lock_items(session, wanted)
    numbers: dict[int, list[int]] = {}
    for chain, rows in planned:
        if rows is None:
            continue
        if chain.content_id not in locked:
            pruning.busy.add(chain.content_id)
        else:
            gone = _prune_chain(session, rule, chain, rows, pruning)
            numbers.setdefault(chain.content_id, []).extend(gone)
    lines = [
        (item_id, {"versions": len(gone), "first": min(gone), "last": max(gone)})
        for item_id, gone in numbers.items()
        if gone
    ]
    activity.record_many(session, None, "versions.prune", "content", lines)
    return pruning


def _plan(session: Session, chain: OutlivedChain, pruning: Pruning) -> list[RepackedRow] | None:
    """Return what has to be packed anew first; None where a version of the chain is damaged."""
    links = _links(session, chain.content_id, chain.chain)
    damaged = _find_damaged(session, links)
    if damaged:
        for link in damaged:
            log.error("version.damaged", content_id=chain.content_id, number=link.number,
                      version_id=link.id, cause_id=link.id)  # fmt: skip
        pruning.damaged += [(chain.content_id, link.number) for link in damaged]
        return None
    going = {version.id for version in chain.versions}
    kept = {link.number: link.id for link in links if link.id not in going}
    hanging = [link for link in links if link.id not in going and link.reference_id in going]
    rows = []
    for start in range(0, len(hanging), _READ_AT_ONCE):
        rows += _repack(session, hanging[start : start + _READ_AT_ONCE], kept)
    return rows


def _links(session: Session, content_id: int, chain: int) -> list[_Link]:
    first = chain * KEYFRAME_EVERY + 1
    statement = select(
        ContentVersion.id, ContentVersion.number, ContentVersion.reference_id
    ).where(
        ContentVersion.content_id == content_id,
        ContentVersion.number.between(first, first + KEYFRAME_EVERY - 1),
    )  # fmt: skip
    rows = session.execute(statement.order_by(ContentVersion.number))
    return [_Link(*row) for row in rows]


def _read(session: Session, ids: Collection[int]) -> dict[int, StoredVersion]:
    found = read_stored(session, stored(is_one_of(ContentVersion.id, ids)))
    return {version.row.id: version for version in found}


def _find_damaged(session: Session, links: Sequence[_Link]) -> list[_Link]:
    damaged = []
    for start in range(0, len(links), _READ_AT_ONCE):
        some = links[start : start + _READ_AT_ONCE]
        found = _read(session, [link.id for link in some])
        # Another pruning may have been faster.
        damaged += [link for link in some if link.id in found and not found[link.id].is_intact()]
    return damaged


def _repack(session: Session, hanging: Sequence[_Link], kept: dict[int, int]) -> list[RepackedRow]:
    references = {}
    for link in hanging:
        number = reference_among(link.number, kept.keys() - {link.number})
        references[link.id] = None if number is None else kept[number]
    ids = {link.id for link in hanging} | {one for one in references.values() if one is not None}
    found = _read(session, ids)
    rows = []
    for link in hanging:
        version, reference_id = found.get(link.id), references[link.id]
        if version is None or not version.is_packed or not version.is_intact():
            continue
        former_id = link.reference_id
        if former_id is None or version.row.reference_id != former_id:
            continue  # Another pruning has packed it anew since its link was read.
        reference = None if reference_id is None else found.get(reference_id)
        frame = pack_against(version, reference)
        if frame is not None:
            grown = len(frame.packed) - len(version.row.packed)
            rows.append(RepackedRow(link.id, former_id, frame.packed, frame.reference_id, grown))
    return rows


def _lock_items(session: Session, content_ids: Collection[int]) -> set[int]:
    items = select(Content.id).where(is_one_of(Content.id, set(content_ids)))
    locked = items.order_by(Content.id).with_for_update(skip_locked=True)
    return set(session.scalars(locked)) if content_ids else set()


def _prune_chain(
    session: Session,
    rule: KeepRule,
    chain: OutlivedChain,
    rows: Sequence[RepackedRow],
    pruning: Pruning,
) -> list[int]:
    """Pack anew and delete in a locked item; returns the numbers that went.

    The versions are locked as well, those that nobody else holds: who packs against one, or is
    about to name it, does. What was named by then is seen by what is asked after that.
    """
    sizes = {version.id: version for version in chain.versions}
    ids = sizes.keys() | {row.version_id for row in rows}
    held = select(ContentVersion.id).where(is_one_of(ContentVersion.id, ids))
    held = held.order_by(ContentVersion.id).with_for_update(skip_locked=True)
    locked = set(session.scalars(held))
    going = sizes.keys() & locked & still_outlived(session, rule, chain.content_id, chain.chain)
    repacked = write_repacked(session, [row for row in rows if row.version_id in locked])
    going = _without_references(going, _links(session, chain.content_id, chain.chain))
    session.execute(delete(ContentVersion).where(is_one_of(ContentVersion.id, going)))
    size = sum(sizes[version_id].size for version_id in going)
    pruning.repacked += len(repacked)
    pruning.freed -= sum(row.grown for row in rows if row.version_id in repacked)
    pruning.add(chain.content_id, len(going), size)
    return sorted(sizes[version_id].number for version_id in going)


def _without_references(going: Collection[int], links: Sequence[_Link]) -> set[int]:
    """Leave out what something hangs on that stays, and what that hangs on."""
    left = set(going)
    for link in reversed(links):  # What hangs on another has the higher number.
        if link.id not in left and link.reference_id is not None:
            left.discard(link.reference_id)
    return left
