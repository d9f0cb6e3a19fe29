"""What an actor may see of the items, and do to them, written once."""

from sqlalchemy import Select, false, select

from webapp.kit.permissions import Permission
from webapp.models import Content
from webapp.services.accounts.actors import Actor


def visible_content(actor: Actor) -> Select[Content]:
    """Return the one SELECT of the items that an actor may see: editors all, others their own."""
    statement = select(Content)
    if actor.may(Permission.CONTENT_READ_ANY):
        return statement
    if actor.may(Permission.CONTENT_READ_OWN):
        return statement.where(Content.author_id == actor.user_id)
    return statement.where(false())


def require_on(actor: Actor, content: Content, own: Permission, of_anybody: Permission) -> None:
    """Raise ForbiddenError unless the actor may do this to an item that it sees.

    `own` suffices for the actor's own items, and `of_anybody` for all.
    """
    if content.author_id != actor.user_id or not actor.may(own):
        actor.require(of_anybody)
