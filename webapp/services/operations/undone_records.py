"""Put categories, roles, profiles and preferences back to what they were before a session."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from webapp.kit.permissions import Permission
from webapp.kit.roles import RoleName
from webapp.models import Category, Content, Follow, Publication, Tag
from webapp.services.accounts import accounts
from webapp.services.accounts.actors import Actor
from webapp.services.audience import notifications
from webapp.services.content import category_removal, tag_changes, taxonomy
from webapp.services.content.records import facts_of_category
from webapp.services.content.tag_changes import TagChanges
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.errors import ConflictError, ForbiddenError
from webapp.services.operations.agent_sessions import Line
from webapp.services.operations.undo_reasons import IrreversibleError


def require_rights(actor: Actor, part: str, user_id: int) -> None:
    """Raise ForbiddenError where the actor may not put this back, nor hear who has changed it."""
    if part == "role":
        actor.require(Permission.USER_SET_ROLE)
        return
    own = Permission.ACCOUNT_EDIT if part == "profile" else Permission.NOTIFICATION_MANAGE
    actor.require(own)
    if actor.user_id != user_id:
        raise ForbiddenError("What somebody says of themselves is put back by nobody else.")


def put_account_back(
    session: Session, actor: Actor, user_id: int, part: str, lines: Sequence[Line]
) -> None:
    """Put one part of an account back. Raises what its own change raises, and IrreversibleError."""
    former = _former(lines)
    if part == "role" and "role" in former:
        accounts.set_role(session, actor, user_id, _whatever_it_is, RoleName(former["role"]))
    elif part == "profile" and former:
        accounts.change_profile(
            session, user_id, _whatever_it_is,
            display_name=former.get("display_name"), bio=former.get("bio"),
        )  # fmt: skip
    elif part == "preferences" and former:
        notifications.set_wants_mail(
            session, user_id, by_mail=former.get("by_mail"),
            notices_by_mail=former.get("notices_by_mail"), actor_id=actor.user_id,
        )  # fmt: skip


def put_category_back(
    session: Session, actor: Actor, category_id: int, lines: Sequence[Line]
) -> None:
    """Put a locked category back, or remove one that the session made and nothing stands in.

    Raises what its own change raises, and IrreversibleError.
    """
    is_new = any(line.action == "category.create" for line in lines)
    if any(line.action == "category.delete" for line in lines):
        if not is_new:
            raise IrreversibleError("Its items and followers lost it when it was deleted.")
        return
    if any(line.action == "category.merge" for line in lines):
        raise IrreversibleError("What stood in the two categories stands in one since.")
    category = taxonomy.get_category(session, category_id)
    if is_new:
        _require_unused(session, category_id)
        category_removal.delete_category(session, actor, category_id, _whatever_it_is)
        return
    wanted = facts_of_category(category) | _former(lines)
    if wanted != facts_of_category(category):
        taxonomy.change_category(
            session, actor, category_id, _whatever_it_is, CategoryChanges(**wanted)
        )


def put_tag_back(session: Session, actor: Actor, tag_id: int, lines: Sequence[Line]) -> None:
    """Give a locked tag the name and slug of before. Raises what that raises, IrreversibleError."""
    tag = session.get(Tag, tag_id)
    if tag is None or any(line.action != "tag.edit" for line in lines):
        raise IrreversibleError("Its items and followers have lost it, or have another one.")
    wanted = tag_changes.facts_of(tag) | _former(lines)
    if wanted != tag_changes.facts_of(tag):
        tag_changes.rename_tag(session, actor, tag_id, _whatever_it_is, TagChanges(**wanted))


def _former(lines: Sequence[Line]) -> dict[str, Any]:
    """Return the values before the session, of the fields that it changed."""
    former: dict[str, Any] = {}
    for line in lines:
        for name, values in line.changes.items():
            former.setdefault(name, values["old"])
    if any(isinstance(value, dict) for value in former.values()):
        raise IrreversibleError("The log keeps of a long text its length alone.")
    return former


def _require_unused(session: Session, category_id: int) -> None:
    used = or_(
        exists().where(Content.category_id == category_id, Content.status != "trashed"),
        exists().where(Publication.category_id == category_id),
        exists().where(Category.parent_id == category_id),
        exists().where(Follow.category_id == category_id),
    )
    if session.scalar(select(used)):
        raise ConflictError("Items or categories stand in it, or somebody follows it.")


def _whatever_it_is(_thing: object) -> bool:
    return True
