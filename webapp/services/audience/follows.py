"""Who follows what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapp.kit.roles import RoleName
from webapp.models import Category, Follow, Publication, Role, Tag, User
from webapp.services.accounts import quotas
from webapp.services.accounts.actors import Actor
from webapp.services.content.tagging import is_public
from webapp.services.errors import InvalidInputError, NotFoundError


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
    include_subtree: bool
    created_at: datetime


_COLUMNS: dict[Target, InstrumentedAttribute[int | None]] = {
    Target.AUTHOR: Follow.author_id,
    Target.CATEGORY: Follow.category_id,
    Target.TAG: Follow.tag_id,
    Target.CONTENT: Follow.content_id,
}


def _followable(target: Target, target_id: int) -> Select[int]:
    """Return the query that finds the target, if it is one that readers may know of.

    Readers' accounts are nobody's business, and neither are drafts and their tags and categories.
    """
    authors = select(User.id).join(Role, Role.id == User.role_id)
    queries: dict[Target, Select[int]] = {
        Target.AUTHOR: authors.where(
            User.id == target_id,
            or_(
                Role.rank >= RoleName.AUTHOR.rank,
                exists().where(Publication.author_id == User.id),
            ),
        ),
        Target.CATEGORY: select(Category.id).where(Category.id == target_id, Category.was_public),
        Target.TAG: select(Tag.id).where(Tag.id == target_id, is_public(Tag)),
        Target.CONTENT: select(Publication.content_id).where(Publication.content_id == target_id),
    }
    return queries[target]


def follow(
    session: Session,
    actor: Actor,
    target: Target,
    target_id: int,
    *,
    include_subtree: bool | None = None,
) -> None:
    """Follow something, a category also with all that stands below it.

    Following again changes nothing but that, where it is said. Raises NotFoundError, QuotaError and
    InvalidInputError.
    """
    if include_subtree is not None and target is not Target.CATEGORY:
        raise InvalidInputError("include_subtree", "only categories have one", place="query")
    if session.scalar(_followable(target, target_id)) is None:
        raise NotFoundError(f"There is no such {target.value} to follow.")
    column = _COLUMNS[target]
    made = session.scalar(
        insert(Follow)
        .values(
            {
                "user_id": actor.user_id,
                column.key: target_id,
                "include_subtree": bool(include_subtree),
            }
        )
        .on_conflict_do_nothing(
            index_elements=[column.key, "user_id"], index_where=column.is_not(None)
        )
        .returning(Follow.id)
    )
    if made is not None:
        own = select(Follow.id).where(Follow.user_id == actor.user_id)
        quotas.require_room(
            session, actor, own, actor.quotas.follows,
            "follows. Stop following something first.",
        )  # fmt: skip
    elif include_subtree is not None:
        session.execute(
            update(Follow)
            .where(Follow.user_id == actor.user_id, column == target_id)
            .values(include_subtree=include_subtree)
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
    # An item shows the title that is public: its working copy may have another.
    title = Publication.summary["title"].as_string()
    name = func.coalesce(User.display_name, Category.name, Tag.name, title, literal(""))
    statement = (
        select(Follow, target_id, name)
        .outerjoin(User, User.id == Follow.author_id)
        .outerjoin(Category, Category.id == Follow.category_id)
        .outerjoin(Tag, Tag.id == Follow.tag_id)
        .outerjoin(Publication, Publication.content_id == Follow.content_id)
        .where(Follow.user_id == actor.user_id, Follow.id > after_id)
        .order_by(Follow.id)
        .limit(limit)
    )
    return [
        FollowLine(row.id, _target_of(row), target_id, name, row.include_subtree, row.created_at)
        for row, target_id, name in session.execute(statement)
    ]


def _target_of(row: Follow) -> Target:
    return next(
        target for target, column in _COLUMNS.items() if getattr(row, column.key) is not None
    )
