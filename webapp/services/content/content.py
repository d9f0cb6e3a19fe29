"""Items of content: create, read, list, edit, put aside. Every save makes a version."""

from collections.abc import Collection, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, defer

from webapp.kit.json_values import as_kept
from webapp.kit.lifecycle import Move, Standing
from webapp.kit.permissions import Permission
from webapp.kit.slugs import slugify
from webapp.kit.text_origins import TextOrigin
from webapp.models import (
    Category,
    Content,
    ContentTag,
    Publication,
    Tag,
    User,
)
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import lifecycle, quotas, saves, slugs, tagging, text_origins
from webapp.services.content.item_reads import (
    Item,
    WholeItem,
    find_in,
    lock_item,
    read_item,
    read_tags,
)
from webapp.services.content.merging import StaleItemError, fields_of, merge_changes
from webapp.services.content.records import record_of
from webapp.services.content.saves import Fields, Save
from webapp.services.content.tagging import ItemTag
from webapp.services.content.visibility import visible_content
from webapp.services.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PrunedVersionError,
)

_SPELLING = func.coalesce(ContentTag.spelling, Tag.name)


@dataclass(frozen=True)
class Draft:
    """The text of a new item. Without a slug one is made from the title, if there is one.

    An empty slug is none yet: nobody can choose it, and nothing goes public under it.
    """

    title: str = ""
    body: str = ""
    body_format: Literal["markdown", "html"] = "markdown"
    slug: str | None = None
    excerpt: str = ""
    category_id: int | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    import_source: str | None = None
    origin: TextOrigin | None = None
    tool: str | None = None


@dataclass(frozen=True)
class ContentView:
    """One item of a list, with the names of what it points to."""

    content: Content
    author: User
    category: Category | None
    tags: list[ItemTag]
    is_public: bool


def create(session: Session, actor: Actor, draft: Draft, *, author_id: int | None = None) -> int:
    """Make an item as `create_whole` does, and return its id."""
    return create_whole(session, actor, draft, author_id=author_id).content.id


def create_whole(
    session: Session, actor: Actor, draft: Draft, *, author_id: int | None = None
) -> WholeItem:
    """Make an item with its first version.

    Raises ConflictError for a taken slug, InvalidInputError for an unknown category, QuotaError and
    DailyQuotaError.
    """
    actor.require(Permission.CONTENT_CREATE)
    tags = tagging.ensure_tags(session, list(draft.tags))
    reason = "import" if draft.import_source else "create"
    origin = text_origins.origin_of_new(actor, draft.origin, draft.tool, reason)
    draft = replace(draft, origin=origin)
    slug = draft.slug or (slugify(draft.title) if draft.title else "")
    for _ in range(slugs.ATTEMPTS):
        save = Save(actor, reason, _fields_of(draft, slug), tags)
        made = saves.create(
            session, save, author_id=author_id or actor.user_id, import_source=draft.import_source
        )
        if made is not None:
            quotas.require_counted_room(session, actor)
            return made
        if draft.slug is not None:
            raise slugs.taken(draft.slug)
        slug = slugs.slug_of_title(session, draft.title)
    raise ConflictError("Many items with this name are being published at once; try again.")


def get(session: Session, actor: Actor, content_id: int) -> WholeItem:
    """Return one item whole. Raises NotFoundError when there is none that the actor may see."""
    return read_item(find_in(session), actor, content_id)


def lock_for_change(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> Content:
    """Return the item, locked until the transaction ends, for a change of it.

    `revisions` are those that the caller has seen; None accepts whatever there is. Raises
    NotFoundError and StaleRevisionError.
    """
    content = session.scalar(
        visible_content(actor)
        .where(Content.id == content_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if content is None:
        raise NotFoundError("There is no such item.")
    if revisions is not None and content.revision not in revisions:
        raise StaleItemError(content)
    return content


def list_content(
    session: Session,
    actor: Actor,
    *,
    status: Standing | None,
    before: tuple[int] | None,
    limit: int,
    origin: TextOrigin | None = None,
    reviewed: bool | None = None,
) -> list[ContentView]:
    """Return items, newest first. Without a status, what is put aside is left out.

    `origin` and `reviewed` are of the newest version.

    Their bodies, of up to megabytes each, stay where they are: reading one raises an error.
    """
    statement = visible_content(actor).order_by(Content.id.desc()).limit(limit)
    statement = statement.options(defer(Content.body, raiseload=True))
    if status is None:
        statement = statement.where(Content.status != "trashed")
    else:
        statement = statement.where(lifecycle.stands_as(status))
    if origin is not None:
        statement = statement.where(text_origins.has_origin(origin))
    if reviewed is not None:
        statement = statement.where(text_origins.is_reviewed() == reviewed)
    if before is not None:
        statement = statement.where(Content.id < before[0])
    return describe(session, list(session.scalars(statement)))


def edit(
    session: Session,
    actor: Actor,
    content_id: int,
    revisions: Collection[int] | None,
    changes: dict[str, Any],
    *,
    base_version: int | None = None,
    reason: str = "save",
) -> WholeItem | None:
    """Change some fields of an item and keep the result as a new version.

    `changes` holds the fields of `Draft` that are to change; who names the version that they were
    begun from, and comes too late, is offered what both changed. Changing nothing makes no version
    and returns None.
    Raises NotFoundError, StaleItemError, ConflictError, InvalidInputError.
    """
    try:
        # Whoever comes too late gives the lock back, and keeps nobody waiting for what is offered.
        with session.begin_nested() if base_version is not None else nullcontext():
            item = lock_item(session, actor, content_id)
            if revisions is not None and item.revision not in revisions:
                raise StaleItemError(item)
    except StaleItemError as stale:
        if base_version is not None and base_version <= stale.version:
            with suppress(PrunedVersionError):  # Then there is nothing to compare it with.
                stale.merge = merge_changes(session, item, base_version, changes)
        raise
    lifecycle.require_move(session, actor, item, Move.EDIT)
    return save(session, actor, item, changes, reason=reason)


def save(
    session: Session,
    actor: Actor,
    item: Content | Item,
    changes: dict[str, Any],
    *,
    reason: str,
    restored_from: int | None = None,
) -> WholeItem | None:
    """Apply changes to a locked item and record the version; returns None if nothing changed.

    Raises ConflictError for a taken slug, InvalidInputError for an unknown category, and
    DailyQuotaError.
    """
    former_tags = read_tags(session, item.id)
    before, tags = Fields.of(item), former_tags
    changes = slugs.with_slug(session, before.slug, before.title, changes)
    if "tags" in changes:
        tags = tagging.ensure_tags(session, list(changes["tags"]))
    origin, tool = text_origins.settle(before, actor, changes, reason)
    changed = before.changed({**changes, "origin": origin, "tool": tool})
    if not changed and tags == former_tags:
        return None
    after = replace(before, **changed)
    told = record_of(before, [tag.name for tag in former_tags]).changes_to(
        record_of(after, [tag.name for tag in tags])
    )
    saved = saves.edit(
        session, Save(actor, reason, after, tags, restored_from), item.id,
        item.version + 1, changed, changes=told, sets_tags="tags" in changes,
    )  # fmt: skip
    if saved is None:
        raise slugs.taken(after.slug)
    if after.slug != before.slug:
        slugs.release_slug(session, item.id, before.slug)
    return saved


def restore(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None, number: int
) -> None:
    """Make an old version the newest draft; what is public does not change.

    The item keeps its present slug where the old one belongs to another item by now.
    """
    content = lock_for_change(session, actor, content_id, revisions)
    lifecycle.require_move(session, actor, content, Move.EDIT)
    changes = fields_of(session, content, number)
    # What was public under a name keeps one, though the version had none yet.
    is_nameless = not changes["slug"] and content.publish_sequence > 0
    if is_nameless or slugs.belongs_to_another(session, content_id, changes["slug"]):
        del changes["slug"]
    save(session, actor, content, changes, reason=text_origins.RESTORE_REASON, restored_from=number)


def trash(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> None:
    """Throw an item away. Raises ConflictError while it is public, scheduled or archived."""
    content = lock_for_change(session, actor, content_id, revisions)
    if lifecycle.standing_of(content) is Standing.TRASHED:
        lifecycle.require_right(actor, content, Move.TRASH)
        return
    _put(session, actor, content, Move.TRASH)


def untrash(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> None:
    """Take an item out of the trash; it stands where it stood before.

    Raises ConflictError when it is not in there, and QuotaError.
    """
    _put(session, actor, lock_for_change(session, actor, content_id, revisions), Move.UNTRASH)
    quotas.require_room_for_draft(session, actor)


def archive(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> None:
    """Put an item aside for good. Raises ConflictError while it is public, scheduled or trashed."""
    _put(session, actor, lock_for_change(session, actor, content_id, revisions), Move.ARCHIVE)


def unarchive(
    session: Session, actor: Actor, content_id: int, revisions: Collection[int] | None
) -> None:
    """Take an item out of the archive; it stands where it stood before.

    Raises ConflictError when it is not in there, and QuotaError.
    """
    _put(session, actor, lock_for_change(session, actor, content_id, revisions), Move.UNARCHIVE)
    quotas.require_room_for_draft(session, actor)


def _put(session: Session, actor: Actor, content: Content, move: Move) -> None:
    """Make a move that puts a locked item aside, or takes it back."""
    content_id = content.id  # What is made of it is read again by whoever asks.
    facts = lifecycle.require_move(session, actor, content, move)
    standing = lifecycle.put(session, content, facts, move)
    changes = activity.difference({"status": facts.standing}, {"status": standing})
    activity.record(
        session, actor.user_id, f"content.{move}", "content", content_id, changes=changes
    )


def put_all(session: Session, actor: Actor, items: Sequence[Content], move: Move) -> None:
    """Make a move that puts many locked items aside, or takes them back, at once.

    The caller has judged that the actor may do it to each of them. Raises ConflictError, and
    QuotaError where they have no room all together.
    """
    content_ids = [item.id for item in items]
    changes = lifecycle.put_all(session, items, move)
    lines: list[tuple[int, dict[str, Any]]] = [(content_id, {}) for content_id in content_ids]
    activity.record_many(
        session, actor.user_id, f"content.{move}", "content", lines, changes=changes
    )
    if move in {Move.UNARCHIVE, Move.UNTRASH}:
        quotas.require_room_for_draft(session, actor)


def describe(session: Session, items: list[Content]) -> list[ContentView]:
    """Add authors, categories, tags and publicity to items, with four queries for any number."""
    ids = [item.id for item in items]
    authors = {
        user.id: user
        for user in session.scalars(
            select(User).where(User.id.in_({item.author_id for item in items}))
        )
    }
    wanted = {item.category_id for item in items if item.category_id is not None}
    categories = {
        row.id: row for row in session.scalars(select(Category).where(Category.id.in_(wanted)))
    }
    tags: dict[int, list[ItemTag]] = {}
    tagged = select(ContentTag.content_id, Tag.id, Tag.slug, _SPELLING).join(Tag)
    for row in session.execute(tagged.where(ContentTag.content_id.in_(ids)).order_by(Tag.slug)):
        content_id, tag_id, slug, name = row
        tags.setdefault(content_id, []).append(ItemTag(tag_id, slug, name))
    public = set(
        session.scalars(select(Publication.content_id).where(Publication.content_id.in_(ids)))
    )
    return [
        ContentView(
            content=item,
            author=authors[item.author_id],
            # A category may have been deleted since the item was read.
            category=None if item.category_id is None else categories.get(item.category_id),
            tags=tags.get(item.id, []),
            is_public=item.id in public,
        )
        for item in items
    ]


def check_category(session: Session, category_id: int | None) -> None:
    """Raise InvalidInputError unless there is such a category, and keep it from going away."""
    if category_id is None:
        return
    found = select(Category.id).where(Category.id == category_id)
    if session.scalar(found.with_for_update(read=True, key_share=True)) is None:
        raise InvalidInputError("category_id", "there is no such category")


def backdate(session: Session, content_id: int, moment: datetime) -> None:
    """Give an imported item the time at which it was written elsewhere."""
    session.execute(update(Content).where(Content.id == content_id).values(created_at=moment))


def _fields_of(draft: Draft, slug: str) -> Fields:
    return Fields(
        draft.title, slug, draft.body, draft.body_format, draft.excerpt, draft.category_id,
        as_kept(draft.metadata), None if draft.origin is None else draft.origin.value, draft.tool,
    )  # fmt: skip
