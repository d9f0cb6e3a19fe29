"""What a bulk action does to one item: the same as the route that changes one alone."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from webapp.kit.content_limits import TAGS_LIMIT
from webapp.kit.lifecycle import TABLE, Move
from webapp.kit.permissions import Permission
from webapp.models import Content
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, item_reads, lifecycle, tagging
from webapp.services.errors import ConflictError, ForbiddenError
from webapp.services.operations import heirs
from webapp.services.publishing import authorship, publishing


class Action(StrEnum):
    """What may be done to many items at once."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    TRASH = "trash"
    UNTRASH = "untrash"
    TAG = "tag"
    UNTAG = "untag"
    MOVE = "move"
    CHANGE_AUTHOR = "change_author"
    UNDO = "undo"


_EDITS = frozenset({Action.TAG, Action.UNTAG, Action.MOVE})
_OF_EDITORS = frozenset({Action.CHANGE_AUTHOR})
_OfOne = Callable[[Session, Actor, int, Collection[int] | None], None]
_MOVES: Mapping[Action, _OfOne] = {
    Action.UNPUBLISH: publishing.unpublish,
    Action.ARCHIVE: content.archive,
    Action.UNARCHIVE: content.unarchive,
    Action.TRASH: content.trash,
    Action.UNTRASH: content.untrash,
}


@dataclass(frozen=True)
class Options:
    """What an action needs: names of tags, a category (None: none), an author, whether to tell."""

    tags: tuple[str, ...] = ()
    category_id: int | None = None
    author_id: int | None = None
    notify: bool = False

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Options":
        """Read what a row keeps."""
        return cls(
            tags=tuple(kept.get("tags", ())),
            category_id=kept.get("category_id"),
            author_id=kept.get("author_id"),
            notify=bool(kept.get("notify", False)),
        )


def move_of(action: Action) -> Move:
    """Return the move in the table of moves that an action makes of each item."""
    return Move.EDIT if action in _EDITS | _OF_EDITORS else Move(action.value)


def require_ever(actor: Actor, action: Action, options: Options) -> None:
    """Raise ForbiddenError where the actor may do this to no item at all."""
    if action is Action.UNDO:
        actor.require(Permission.ACTIVITY_UNDO)
        return
    if action is Action.CHANGE_AUTHOR:
        authorship.require_giving(actor)
    rule = TABLE[move_of(action)]
    if rule.own is None or not actor.may(rule.own):
        actor.require(rule.of_anybody)
    if action is Action.PUBLISH and options.notify:
        lifecycle.require_telling(actor)


def stands_there(item: Content, action: Action) -> bool:
    """Say whether a locked item stands already where the action would bring it."""
    if move_of(action) in {Move.EDIT, Move.PUBLISH}:
        return False
    facts = lifecycle.standing_facts(item)
    return TABLE[move_of(action)].leads_to(facts) is facts.standing


def change(session: Session, actor: Actor, item: Content, action: Action, options: Options) -> None:
    """Change a locked item. Raises what the change of one raises.

    Where nothing had to be changed, its revision stays.
    """
    if action in _MOVES:
        _MOVES[action](session, actor, item.id, None)
    elif action in _EDITS:
        content.edit(session, actor, item.id, None, _edit(session, item, action, options))
    elif options.author_id is not None:
        if not heirs.keeps_writing(session, options.author_id):
            raise ConflictError("That account writes no items any more.")
        authorship.give(session, actor, item, options.author_id)
    else:
        raise ForbiddenError(f"{action.value} is not done item by item.")


def _edit(session: Session, item: Content, action: Action, options: Options) -> dict[str, Any]:
    if action is Action.MOVE:
        return {"category_id": options.category_id}
    former = item_reads.read_tags(session, item.id)
    wanted = tagging.find_ids(session, options.tags)
    if action is Action.UNTAG:
        return {"tags": [tag.name for tag in former if tag.id not in wanted.values()]}
    has = {tag.id for tag in former}
    new = [name for name, tag_id in wanted.items() if tag_id is None or tag_id not in has]
    if len(former) + len(new) > TAGS_LIMIT:
        raise ConflictError(f"It would have more than {TAGS_LIMIT} tags.")
    return {"tags": [*(tag.name for tag in former), *new]}
