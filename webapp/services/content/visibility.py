"""What an actor may see of the items, written once."""

from sqlalchemy import Select, select

from webapp.kit.roles import RoleName
from webapp.models import Content
from webapp.services.accounts.actors import Actor


def visible_content(actor: Actor) -> Select[Content]:
    """Return the one SELECT of the items that an actor may see: editors all, others their own."""
    statement = select(Content)
    if actor.may(RoleName.EDITOR):
        return statement
    return statement.where(Content.author_id == actor.user_id)
