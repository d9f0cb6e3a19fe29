"""Tags as managers change them: renamed, merged, deleted.

Versions hold the slugs of their time, and their digests cover them, so no version changes: what a
tag was called stays an alias of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, TextClause, cast, delete, exists, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, array
from sqlalchemy.orm import Session

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.permissions import Permission
from webapp.models import Content, ContentTag, Publication, Tag, TagAlias
from webapp.models.content.taxonomy import key_of_name
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_tree
from webapp.services.content.name_locks import lock_items_first
from webapp.services.content.tagging import is_public
from webapp.services.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StaleRevisionError,
)

IsSeen = Callable[[Tag], bool]

_RENAME_IN_LISTS = text(
    """
    UPDATE publications SET tags = ARRAY(
        SELECT DISTINCT slug FROM unnest(array_replace(tags, :former, :slug)) AS slug ORDER BY slug)
    WHERE tags @> ARRAY[CAST(:former AS text)]
    """
)
_TAKE_FROM_LISTS = text(
    """
    UPDATE publications SET tags = array_remove(tags, :former)
    WHERE tags @> ARRAY[CAST(:former AS text)]
    """
)
_FORGET_SPELLINGS = text(
    "UPDATE content_tags SET spelling = NULL WHERE tag_id = :tag_id AND spelling IS NOT NULL"
)
# Pending events tell whom they would have told.
_MERGE = (
    text(
        """
        INSERT INTO content_tags (content_id, tag_id)
        SELECT content_id, :into_id FROM content_tags WHERE tag_id = :tag_id
        ON CONFLICT DO NOTHING
        """
    ),
    text(
        """
        UPDATE events SET tag_ids = array_replace(tag_ids, :tag_id, :into_id)
        WHERE fanned_out_at IS NULL AND :tag_id = ANY (tag_ids) AND content_id IN (
            SELECT content_id FROM publications WHERE tags @> ARRAY[CAST(:slug AS text)])
        """
    ),
    text(
        """
        UPDATE follows SET tag_id = :into_id
        WHERE tag_id = :tag_id AND NOT EXISTS (
            SELECT FROM follows AS other
            WHERE other.tag_id = :into_id AND other.user_id = follows.user_id)
        """
    ),
    text("UPDATE tag_aliases SET tag_id = :into_id WHERE tag_id = :tag_id"),
)


@dataclass(frozen=True)
class TagChanges:
    """What to set on a tag; without a slug it keeps the one it has."""

    name: str
    slug: str | None = None


def view_tag(session: Session, tag_id: int) -> Tag:
    """Return a tag of something public. Raises NotFoundError for one that only drafts have too."""
    tag = session.scalar(select(Tag).where(Tag.id == tag_id, Tag.was_public, is_public(Tag)))
    if tag is None:
        raise NotFoundError("There is no such tag.")
    return tag


def _require_known(session: Session, actor: Actor, tag_id: int) -> None:
    """Raise NotFoundError for a tag that drafts alone have, unless the actor sees all drafts."""
    tag = select(Tag.id).where(Tag.id == tag_id)
    if not actor.may(Permission.CONTENT_READ_ANY):
        tag = tag.where(Tag.was_public, is_public(Tag))
    if session.scalar(tag) is None:
        raise NotFoundError("There is no such tag.")


def facts_of(tag: Tag) -> dict[str, Any]:
    """Return what a tag says of itself."""
    return {"name": tag.name, "slug": tag.slug}


def rename_tag(
    session: Session, actor: Actor, tag_id: int, is_seen: IsSeen, changes: TagChanges
) -> Tag:
    """Give a tag another name, for all items that have it, and maybe another slug.

    It is still found under what it was called. A job brings the name into the public documents.
    Raises NotFoundError, StaleRevisionError and ConflictError.
    """
    tag = _lock(session, actor, tag_id, is_seen, refreshed_id=tag_id)
    before = facts_of(tag)
    slug, former_slug, former_name = changes.slug or tag.slug, tag.slug, tag.name
    _require_free(session, tag_id, changes.name, slug)
    named = or_(TagAlias.slug == slug, key_of_name(TagAlias.name.expression) == _key(changes.name))
    # The name that it gets is an alias no more, and a slug that it had under that name stays one.
    session.execute(
        delete(TagAlias).where(
            TagAlias.tag_id == tag_id, named,
            or_(TagAlias.slug.is_(None), TagAlias.slug == slug),
        )
    )  # fmt: skip
    session.execute(update(Tag).where(Tag.id == tag_id).values(name=changes.name, slug=slug))
    session.execute(_FORGET_SPELLINGS, {"tag_id": tag_id})
    if slug != former_slug:
        session.execute(_RENAME_IN_LISTS, {"former": former_slug, "slug": slug})
    session.refresh(tag)
    _keep(session, tag, former_name, former_slug if slug != former_slug else None, tag.was_public)
    changed = activity.difference(before, facts_of(tag), whole=True)
    activity.record(session, actor.user_id, "tag.edit", "tag", tag_id, changes=changed)
    return tag


def merge_tag(session: Session, actor: Actor, tag_id: int, is_seen: IsSeen, into_id: int) -> Tag:
    """Make two tags one, and return the one that stays.

    Items, public lists and followers of the first come to the second, which is found under the
    names of the first as well. Raises NotFoundError, StaleRevisionError, and InvalidInputError for
    `into_id`.
    """
    if into_id == tag_id:
        raise InvalidInputError("into_id", "a tag cannot be merged into itself")
    former = _lock(session, actor, tag_id, is_seen, refreshed_id=into_id, into_id=into_id)
    target = session.get_one(Tag, into_id)
    name, slug, was_public = former.name, former.slug, former.was_public
    parameters = {"tag_id": tag_id, "into_id": into_id, "slug": slug}
    _run(session, parameters, *_MERGE)
    session.execute(_RENAME_IN_LISTS, {"former": slug, "slug": target.slug})
    _delete(session, tag_id)
    if was_public:
        session.execute(update(Tag).where(Tag.id == into_id).values(was_public=True))
    session.refresh(target)
    _keep(session, target, name, slug, was_public)
    activity.record(
        session, actor.user_id, "tag.merge", "tag", tag_id, name=name, slug=slug, into_id=into_id
    )
    return target


def delete_tag(session: Session, actor: Actor, tag_id: int, is_seen: IsSeen) -> None:
    """Take a tag from all items and readers.

    Lists are right at once; a job takes it out of the public documents. Versions keep the word, and
    have the tag again where one with its slug is made. Raises NotFoundError and StaleRevisionError.
    """
    tag = _lock(session, actor, tag_id, is_seen, refreshed_id=None)
    name, slug = tag.name, tag.slug
    session.execute(_TAKE_FROM_LISTS, {"former": slug})
    _delete(session, tag_id)
    activity.record(session, actor.user_id, "tag.delete", "tag", tag_id, name=name, slug=slug)


def _lock(
    session: Session,
    actor: Actor,
    tag_id: int,
    is_seen: IsSeen,
    *,
    refreshed_id: int | None,
    into_id: int | None = None,
) -> Tag:
    """Take turns with other changes of names, ask for the job, lock the items and the tags.

    The order is that of categories. Raises NotFoundError, StaleRevisionError and InvalidInputError.
    """
    category_tree.take_turns(session)
    _require_known(session, actor, tag_id)
    slug = session.scalar(select(Tag.slug).where(Tag.id == tag_id))
    if into_id is not None:
        try:
            _require_known(session, actor, into_id)
        except NotFoundError as error:
            raise InvalidInputError("into_id", "there is no such tag") from error
    enqueue_anew(session, RefreshPublications(named="tag", named_id=refreshed_id))
    tags = select(Tag).where(Tag.id.in_([tag_id, into_id])).order_by(Tag.id).with_for_update()
    lock_items_first(session, _items_with(tag_id, slug), lambda: session.execute(tags))
    found = {tag.id: tag for tag in session.scalars(tags.execution_options(populate_existing=True))}
    if not is_seen(found[tag_id]):
        raise StaleRevisionError("The tag has changed since you read it; read it again.")
    return found[tag_id]


def _items_with(tag_id: int, slug: str | None) -> Select[int]:
    """Return the query of the items whose drafts have a tag, or had it when they went public."""
    drafts = select(ContentTag.content_id).where(ContentTag.tag_id == tag_id)
    has_slug = Publication.tags.contains(cast(array([slug]), ARRAY(TEXT)))
    public = select(Publication.content_id).where(has_slug)
    return select(Content.id).where(Content.id.in_(drafts.union_all(public)))


def _require_free(session: Session, tag_id: int, name: str, slug: str) -> None:
    """Raise ConflictError where another tag has a name or slug, or is still found under it."""
    key = key_of_name(Tag.name.expression)
    if session.scalar(select(exists().where(Tag.id != tag_id, key == _key(name)))):
        raise ConflictError("Another tag has this name; merge the two.")
    if session.scalar(select(exists().where(Tag.id != tag_id, Tag.slug == slug))):
        raise ConflictError("Another tag has this slug.")
    had = or_(key_of_name(TagAlias.name.expression) == _key(name), TagAlias.slug == slug)
    if session.scalar(select(exists().where(TagAlias.tag_id != tag_id, had))):
        raise ConflictError("Another tag was called so, and is still found under it.")


def _key(name: str) -> Any:  # noqa: ANN401
    return key_of_name(literal(name))


def _keep(session: Session, tag: Tag, name: str, slug: str | None, was_public: bool) -> None:
    """Let a tag be found under a former name and slug, if they are not those it has."""
    is_own = select(key_of_name(literal(name)) == key_of_name(literal(tag.name)))
    if slug is None and session.scalar(is_own):
        return
    session.add(TagAlias(slug=slug, name=name, tag_id=tag.id, was_public=was_public))
    session.flush()


def _run(session: Session, parameters: dict[str, Any], *steps: TextClause) -> None:
    for step in steps:
        session.execute(step, parameters)


def _delete(session: Session, tag_id: int) -> None:
    session.execute(
        delete(Tag).where(Tag.id == tag_id).execution_options(synchronize_session=False)
    )
    session.expire_all()
