"""Retractions: an item leaves the public for good, and in its place stands why."""

from collections.abc import Collection, Sequence

from sqlalchemy import Text, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Move, Standing
from webapp.kit.permissions import Permission
from webapp.models import Content, Publication, Retraction
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, lifecycle
from webapp.services.errors import ConflictError
from webapp.services.publishing import supersession
from webapp.services.publishing.publishing import withdraw
from webapp.services.publishing.shown import shown_version


def retract(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    reason: str,
    *,
    keep_title: bool = True,
) -> None:
    """Take an item from the public and say why in its place; its open schedules end.

    It is over when the item is published again. Raises NotFoundError, ForbiddenError,
    StaleRevisionError, and MoveRefusedError when the item is not public.
    """
    item = content.lock_for_change(session, actor, content_id, revisions)
    facts = lifecycle.require_move(session, actor, item, Move.RETRACT)
    shown = shown_version(session, item)
    retraction_id = _keep(session, actor, item, reason, keep_title=keep_title)
    withdraw(session, [content_id])
    supersession.end_at_withdrawal(session, actor, content_id)
    changes = activity.difference({"status": facts.standing}, {"status": Standing.RETRACTED})
    activity.record(
        session, actor.user_id, "content.retract", "content", content_id,
        changes=changes, shown=shown, retraction_id=retraction_id,
    )  # fmt: skip
    session.expire(item)


def retract_again(session: Session, actor: Actor, item: Content) -> None:
    """Bring the newest retraction of a locked item back, which a publication had ended.

    The item is not public any more. Raises ForbiddenError, and ConflictError where none is kept.
    """
    actor.require(Permission.CONTENT_PUBLISH)
    before = lifecycle.standing_of(item)
    former = (
        select(
            Retraction.content_id, Content.publish_sequence, Retraction.slug, Retraction.title,
            Retraction.reason, Retraction.retracted_by_id, Retraction.retracted_at,
        )
        .join(Content, Content.id == Retraction.content_id)
        .where(Retraction.content_id == item.id)
        .order_by(Retraction.sequence.desc())
        .limit(1)
    )  # fmt: skip
    names = [
        "content_id", "sequence", "slug", "title", "reason", "retracted_by_id", "retracted_at",
    ]  # fmt: skip
    made = insert(Retraction).from_select(names, former).returning(Retraction.id)
    retraction_id = session.scalar(made)
    if retraction_id is None:
        raise ConflictError("Why the item was retracted is known no more.")
    _mark(session, item)
    session.refresh(item)
    changes = activity.difference({"status": before}, {"status": lifecycle.standing_of(item)})
    activity.record(
        session, actor.user_id, "content.retract", "content", item.id,
        changes=changes, shown=None, retraction_id=retraction_id,
    )  # fmt: skip


def take_back(session: Session, actor: Actor, item: Content, retraction_ids: Sequence[int]) -> None:
    """Delete some retractions of a locked item, so that none of them stands in its place.

    Raises ForbiddenError.
    """
    if not retraction_ids:
        return
    actor.require(Permission.CONTENT_PUBLISH)
    session.execute(
        delete(Retraction)
        .where(is_one_of(Retraction.id, retraction_ids), Retraction.content_id == item.id)
        .execution_options(synchronize_session=False)
    )
    if item.retracted_sequence != item.publish_sequence:
        return
    before = lifecycle.standing_of(item)
    session.execute(
        update(Content)
        .where(Content.id == item.id)
        .values(
            retracted_sequence=None,
            revision=Content.revision + 1,
            updated_at=func.clock_timestamp(),
        )
        .execution_options(synchronize_session=False)
    )
    session.refresh(item)
    changes = activity.difference({"status": before}, {"status": lifecycle.standing_of(item)})
    activity.record(
        session, actor.user_id, "content.unpublish", "content", item.id, changes=changes, shown=None
    )


def _keep(session: Session, actor: Actor, item: Content, reason: str, *, keep_title: bool) -> int:
    """Note what shall stand in the place of an item that is still public; returns its id."""
    title = Publication.summary["title"].as_string() if keep_title else literal(None, Text())
    what = select(
        Publication.content_id, literal(item.publish_sequence), Publication.slug, title,
        literal(reason), literal(actor.user_id), func.clock_timestamp(),
    ).where(Publication.content_id == item.id)  # fmt: skip
    names = [
        "content_id", "sequence", "slug", "title", "reason", "retracted_by_id", "retracted_at",
    ]  # fmt: skip
    made = insert(Retraction).from_select(names, what).returning(Retraction.id)
    retraction_id: int = session.scalars(made).one()
    _mark(session, item)
    return retraction_id


def _mark(session: Session, item: Content) -> None:
    session.execute(
        update(Content)
        .where(Content.id == item.id)
        .values(retracted_sequence=Content.publish_sequence)
        .execution_options(synchronize_session=False)
    )
