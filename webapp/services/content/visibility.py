"""What an actor may see of the items, written once."""

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
