"""Versions after their save."""

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from webapp.jobs.messages import SealVersion
from webapp.jobs.outcomes import Done, GiveUp, Outcome, Snooze
from webapp.services.content import draft_index, sealing
from workers.context import InBatch, WorkerContext

# Well below the seconds of a lease, even if the last one takes as long as a version can.
SECONDS_A_BATCH = 10.0
SECONDS_TO_INDEX = 5.0
SECONDS_UNTIL_FREE = 1.0


def seal_versions(
    session: Session, _context: WorkerContext, messages: Sequence[SealVersion]
) -> list[Outcome]:
    """Check versions, add their statistics, and have their items found by them.

    A text that is not what was saved is reported.
    """
    ids = [message.version_id for message in messages]
    done = sealing.seal_versions(session, ids, seconds=SECONDS_A_BATCH)
    sealed = sorted(set(ids) - done.damaged - done.left)
    held = draft_index.index_versions(session, sealed, seconds=SECONDS_TO_INDEX)
    return [_outcome(done, held, version_id) for version_id in ids]


def _outcome(done: sealing.Sealing, held: Collection[int], version_id: int) -> Outcome:
    if version_id in done.damaged:
        return GiveUp("The text of this version is not the one that was saved.")
    if version_id in held:
        return Snooze(SECONDS_UNTIL_FREE)
    return Snooze() if version_id in done.left else Done()


HANDLERS = (InBatch(SealVersion, seal_versions),)
