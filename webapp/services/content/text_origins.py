"""Who wrote an item's text: what is said of it, or follows from who saves; and who reviewed it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from webapp.kit.json_values import is_same_json
from webapp.kit.text_origins import OF_TOOLS, TextOrigin, origin_after
from webapp.models import Content, Review, ReviewDecision
from webapp.services import origins
from webapp.services.accounts.actors import Actor
from webapp.services.content.saves import Fields
from webapp.services.errors import InvalidInputError

IMPORT_REASON = "import"
RESTORE_REASON = "restore"
# What a reader reads. Another category or another address makes no text another's.
_TEXTS = ("title", "excerpt", "body")


@dataclass(frozen=True)
class Reviewer:
    """Who approved of a version, in which step, and when."""

    step: str
    user_id: int | None
    decided_at: datetime


def writer_of(actor: Actor, reason: str) -> TextOrigin | None:
    """Say who writes: somebody who signed in is a person, a session of an agent is a tool.

    An API key alone may bring what people wrote elsewhere, and so may an import: nobody knows.
    """
    if actor.api_key_id is None:
        return None if reason == IMPORT_REASON else TextOrigin.HUMAN
    return None if origins.current().agent_session is None else TextOrigin.GENERATED


def origin_of_new(
    actor: Actor, said: TextOrigin | None, tool: str | None, reason: str
) -> TextOrigin | None:
    """Return the origin of a new text.

    Raises InvalidInputError for a tool that wrote nothing, and for a tool that calls itself human.
    """
    if said is TextOrigin.HUMAN:
        _require_person(actor, reason)
    origin = said or writer_of(actor, reason)
    _check_tool(origin, tool)
    return origin


def settle(
    item: Fields, actor: Actor, changes: dict[str, Any], reason: str
) -> tuple[str | None, str | None]:
    """Return the origin and the tool that a locked item has after changes.

    What is said counts. Where nothing is said, it follows from who changes the text. Raises
    InvalidInputError for a tool that wrote nothing, and for a tool that calls itself human.
    """
    origin = former = _known(item.origin)
    if "origin" in changes:
        origin = _known(changes["origin"])
        is_new = origin is not former or _changes_text(item, changes)
        if origin is TextOrigin.HUMAN and is_new:
            _require_person(actor, reason)
    elif _changes_text(item, changes):
        origin = origin_after(former, writer_of(actor, reason))
    _check_tool(origin, changes.get("tool"))
    tool = changes.get("tool", item.tool) if origin in OF_TOOLS else None
    return None if origin is None else origin.value, tool


def with_writer(content: Content, actor: Actor, changes: dict[str, Any]) -> dict[str, Any]:
    """Return changes that say who wrote them, for when nobody will know it any more.

    What a person writes needs no saying. The texts of the item are not looked at. Raises
    InvalidInputError for a tool that calls itself human.
    """
    if changes.get("origin") == TextOrigin.HUMAN:
        _require_person(actor, "")
    writer = writer_of(actor, "")
    says_nothing = "origin" in changes or changes.keys().isdisjoint(_TEXTS)
    if writer is TextOrigin.HUMAN or says_nothing:
        return changes
    origin = origin_after(_known(content.origin), writer)
    tool = changes.get("tool", content.tool) if origin in OF_TOOLS else None
    return {**changes, "origin": None if origin is None else origin.value, "tool": tool}


def has_origin(origin: TextOrigin) -> ColumnElement[bool]:
    """Return the condition that the newest version of an item has an origin."""
    return Content.origin == origin.value


def is_reviewed() -> ColumnElement[bool]:
    """Return the condition that the newest version of an item has an approval."""
    return exists().where(
        Review.content_id == Content.id,
        Review.number == Content.version,
        Review.state == "approved",
    )


def reviewers_of(
    session: Session, content_id: int, numbers: Collection[int]
) -> dict[int, list[Reviewer]]:
    """Return who approved of some versions of an item, by their numbers; the first comes first."""
    found: dict[int, list[Reviewer]] = {}
    statement = (
        select(
            Review.number, ReviewDecision.step, ReviewDecision.decided_by_id,
            ReviewDecision.decided_at,
        )
        .join(ReviewDecision, ReviewDecision.review_id == Review.id)
        .where(
            Review.content_id == content_id, Review.number.in_(numbers), Review.state == "approved",
            ReviewDecision.decision == "approve",
        )
        .order_by(ReviewDecision.id)
    )  # fmt: skip
    for number, step, user_id, decided_at in session.execute(statement):
        found.setdefault(number, []).append(Reviewer(step, user_id, decided_at))
    return found


def _require_person(actor: Actor, reason: str) -> None:
    """Refuse a tool that says that people alone wrote a text; a restore says what was said then."""
    if reason != RESTORE_REASON and writer_of(actor, reason) is TextOrigin.GENERATED:
        raise InvalidInputError(
            "origin", "is not human where a session of an agent writes: leave it out, or have a"
            " person say so"
        )  # fmt: skip


def _known(origin: str | None) -> TextOrigin | None:
    return None if origin is None else TextOrigin(origin)


def _changes_text(item: Fields, changes: dict[str, Any]) -> bool:
    return any(
        name in changes and not is_same_json(getattr(item, name), changes[name]) for name in _TEXTS
    )


def _check_tool(origin: TextOrigin | None, tool: str | None) -> None:
    if tool is not None and origin not in OF_TOOLS:
        raise InvalidInputError("tool", "goes with an origin of assisted or generated")
