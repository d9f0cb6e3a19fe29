"""Whose an item is: given to another account, with the public document of it."""

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Move
from webapp.kit.permissions import Permission
from webapp.models import Content, Publication
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import lifecycle
from webapp.services.publishing.refresh import refresh_items


def require_giving(actor: Actor) -> None:
    """Raise ForbiddenError unless the actor may give items to another account."""
    actor.require(Permission.CONTENT_EDIT_ANY)
    actor.require(Permission.CONTENT_PUBLISH)


def give(session: Session, actor: Actor, item: Content, author_id: int) -> None:
    """Make another account the author of a locked item; nothing where it is that already.

    The caller has looked whether that account writes. Nobody is told. The public sees it at once,
    and under what is planned, so it takes the right to publish as well. Raises ForbiddenError, for
    those as well who may edit their own alone, and MoveRefusedError.
    """
    require_giving(actor)
    lifecycle.require_move(session, actor, item, Move.EDIT)
    former = item.author_id
    if former == author_id:
        return
    session.execute(
        update(Content)
        .where(Content.id == item.id)
        .values(
            author_id=author_id,
            revision=Content.revision + 1,
            updated_at=func.clock_timestamp(),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Publication)
        .where(Publication.content_id == item.id)
        .values(author_id=author_id)
        .execution_options(synchronize_session=False)
    )
    if item.status == "published":
        refresh_items(session, [item.id])
    session.expire(item)
    activity.record(
        session, actor.user_id, "content.change_author", "content", item.id,
        changes=activity.difference({"author_id": former}, {"author_id": author_id}),
    )  # fmt: skip
