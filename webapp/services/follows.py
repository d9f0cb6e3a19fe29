"""Who follows what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.models import Category, Content, Follow, Publication, Tag, User
from webapp.services.actors import Actor
from webapp.services.errors import NotFoundError


class Target(StrEnum):
    """What can be followed."""

    AUTHOR = "author"
    CATEGORY = "category"
    TAG = "tag"
    CONTENT = "content"


@dataclass(frozen=True)
class FollowLine:
    """One follow as its owner sees it in a list."""

    id: int
    target: Target
    target_id: int
    name: str
    created_at: datetime


_COLUMNS: dict[Target, InstrumentedAttribute[int | None]] = {
    Target.AUTHOR: Follow.author_id,
    Target.CATEGORY: Follow.category_id,
    Target.TAG: Follow.tag_id,
    Target.CONTENT: Follow.content_id,
}

_EXISTING: dict[Target, Any] = {
    Target.AUTHOR: User.id,
    Target.CATEGORY: Category.id,
    Target.TAG: Tag.id,
    # A draft is nobody's business: an item can be followed once it is public.
    Target.CONTENT: Publication.content_id,
}


def follow(session: Session, actor: Actor, target: Target, target_id: int) -> None:
    """Follow something; following it again changes nothing. Raises NotFoundError."""
    key = _EXISTING[target]
    if session.scalar(select(key).where(key == target_id)) is None:
        raise NotFoundError(f"There is no such {target.value} to follow.")
    column = _COLUMNS[target]
    session.execute(
        insert(Follow)
        .values({"user_id": actor.user_id, column.key: target_id})
        .on_conflict_do_nothing(
            index_elements=[column.key, "user_id"], index_where=column.is_not(None)
        )
    )


def unfollow(session: Session, actor: Actor, target: Target, target_id: int) -> None:
    """Stop following something; whether it was followed makes no difference."""
    session.execute(
        delete(Follow).where(Follow.user_id == actor.user_id, _COLUMNS[target] == target_id)
    )


def list_follows(session: Session, actor: Actor, *, after_id: int, limit: int) -> list[FollowLine]:
    """Return what the actor follows, oldest first, from above `after_id`."""
    target_id = func.coalesce(
        Follow.author_id, Follow.category_id, Follow.tag_id, Follow.content_id
    )
    name = func.coalesce(User.display_name, Category.name, Tag.name, Content.title, literal(""))
    statement = (
        select(Follow, target_id, name)
        .outerjoin(User, User.id == Follow.author_id)
        .outerjoin(Category, Category.id == Follow.category_id)
        .outerjoin(Tag, Tag.id == Follow.tag_id)
        .outerjoin(Content, Content.id == Follow.content_id)
        .where(Follow.user_id == actor.user_id, Follow.id > after_id)
        .order_by(Follow.id)
        .limit(limit)
    )
    return [
        FollowLine(row.id, _target_of(row), target_id, name, row.created_at)
        for row, target_id, name in session.execute(statement)
    ]


def _target_of(row: Follow) -> Target:
    return next(
        target for target, column in _COLUMNS.items() if getattr(row, column.key) is not None
    )
