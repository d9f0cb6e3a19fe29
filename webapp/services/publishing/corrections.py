"""Corrections: what is public is replaced, and the public is told what was wrong.

The notes of an item are shown with its public document for as long as it is public, through later
publications, and again where it comes back after a withdrawal. They are read with the document and
never copied into it, so that a release that does not know of them loses none.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Move
from webapp.models import Correction
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import QuotaError
from webapp.services.publishing.publishing import Release, prepare, release, settle

MOST_OF_ONE_ITEM = 100
"""How many corrections an item has at most; its public document shows them all."""


def correct(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    note: str,
    *,
    number: int | None = None,
    notify: bool = False,
) -> None:
    """Publish a version of a public item, without a number the newest, with a public note.

    What publishing wants, this wants as well. Followers are told only where `notify` says so.
    Raises NotFoundError, ForbiddenError, StaleRevisionError, MoveRefusedError for an item that is
    not public, and QuotaError.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    ready = prepare(session, actor, item, number=number, notify=notify, move=Move.CORRECT)
    _require_room(session, content_id)
    made = [Release(content_id, ready.version_id)]
    release(session, made, notify=notify, is_correction=True)
    settle(session, actor, ready)
    correction_id = session.scalars(
        insert(Correction)
        .values(
            content_id=content_id,
            sequence=ready.sequence + 1,
            number=ready.number,
            note=note,
            corrected_by_id=actor.user_id,
        )
        .returning(Correction.id)
    ).one()
    activity.record(
        session, actor.user_id, "content.correct", "content", content_id,
        correction_id=correction_id, **ready.told(notify=notify),
    )  # fmt: skip
    session.expire(item)


def take_back(session: Session, content_id: int, correction_ids: Sequence[int]) -> None:
    """Delete some corrections of an item that the caller has locked, and publishes anew."""
    session.execute(
        delete(Correction)
        .where(is_one_of(Correction.id, correction_ids), Correction.content_id == content_id)
        .execution_options(synchronize_session=False)
    )


def _require_room(session: Session, content_id: int) -> None:
    of_item = select(func.count()).where(Correction.content_id == content_id)
    if (session.scalar(of_item) or 0) >= MOST_OF_ONE_ITEM:
        raise QuotaError(
            f"The item has {MOST_OF_ONE_ITEM} corrections, and no more are shown; publish it."
        )
