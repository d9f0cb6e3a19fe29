"""Put back what the session of an agent changed, and nobody else has changed since."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.jobs.messages import RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.permissions import Permission
from webapp.models import Category, Content, Event, NotificationPreference, Tag, User
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts import last_admin
from webapp.services.accounts.actors import Actor
from webapp.services.content import category_tree, comment_views
from webapp.services.content.visibility import visible_content
from webapp.services.errors import (
    CheckedError,
    ConflictError,
    DailyQuotaError,
    DamagedVersionError,
    ForbiddenError,
    IncompleteError,
    InvalidInputError,
    NotFoundError,
    ServiceError,
    UnrenderableError,
)
from webapp.services.operations import (
    agent_sessions,
    bulk_endings,
    undone_items,
    undone_records,
)
from webapp.services.operations.agent_sessions import AgentSession, History, Subject
from webapp.services.operations.undo_reasons import IrreversibleError, Reason

MOST_SUBJECTS = 100
"""How many subjects one call puts back at most, in its one transaction."""

# The first that fits names the reason; what is in none of them ends the whole call.
_REASONS: tuple[tuple[type[ServiceError], Reason], ...] = (
    (ForbiddenError, Reason.FORBIDDEN),
    (NotFoundError, Reason.NOT_FOUND),
    (IrreversibleError, Reason.IRREVERSIBLE),
    (ConflictError, Reason.CONFLICT),
    (DailyQuotaError, Reason.CONFLICT),
    (InvalidInputError, Reason.CONFLICT),
    (IncompleteError, Reason.CONFLICT),
    (CheckedError, Reason.CONFLICT),
    (DamagedVersionError, Reason.CONFLICT),
    (UnrenderableError, Reason.CONFLICT),
)
_NOUNS = {
    "content": "content",
    "category": "category",
    "tag": "tag",
    "user": "account",
    "bulk_action": "bulk_action",
}


@dataclass(frozen=True)
class Left:
    """Something that is not put back, or cannot wholly be: why, and who changed it when.

    `comment_ids` are those comments of the session that stay because somebody has answered them.
    """

    kind: str
    id: int
    part: str
    reason: Reason
    detail: str
    by_id: int | None = None
    at: datetime | None = None
    comment_ids: Sequence[int] = ()


@dataclass
class Report:
    """What a call has put back, what it has left, and from where the next one goes on."""

    undone: list[History] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    next_below: int | None = None


def undo(
    session: Session,
    actor: Actor,
    agent_session: AgentSession,
    *,
    below: int | None,
    limit: int,
) -> Report:
    """Put back at most `limit` subjects of a session, those it changed last first.

    Whatever may be done to a subject is asked for step by step, as if the actor did it by hand.
    """
    found = agent_sessions.list_subjects(session, agent_session, below=below, limit=limit + 1)
    subjects = found[:limit]
    seen = _lock(session, actor, subjects)
    histories = agent_sessions.read_histories(session, agent_session, subjects)
    report = Report(next_below=subjects[-1].last_id if len(found) > limit else None)
    # A category that the session made can go only after the drafts that it put there.
    for history in sorted(histories, key=lambda one: one.kind != "content"):
        judge(session, actor, history, report, seen)
    _record(session, actor, agent_session, report.undone)
    report.left.extend(find_told(session, report.undone))
    report.left.extend(_find_answered(session, report.undone))
    return report


def _lock(session: Session, actor: Actor, subjects: Sequence[Subject]) -> set[int]:
    """Lock all subjects, in the order in which everything else locks such things.

    Returns the ids of those items that the actor may see.
    """
    ids = {kind: [one.id for one in subjects if one.kind == kind] for kind in _NOUNS}
    # A bulk action of the session that is at work waits for this, and then finds itself ended.
    bulk_endings.lock_in_order(session, ids["bulk_action"])
    if (ids["category"] or ids["tag"]) and actor.may(Permission.TAXONOMY_MANAGE):
        category_tree.take_turns(session)
        for category_id in [None, *sorted(ids["category"])] if ids["category"] else []:
            enqueue_anew(session, RefreshPublications(named="category", named_id=category_id))
        for tag_id in sorted(ids["tag"]):
            enqueue_anew(session, RefreshPublications(named="tag", named_id=tag_id))
    if ids["user"]:
        last_admin.take_turns(session)
        if actor.user_id in ids["user"]:
            enqueue_anew(session, RefreshPublications(named="author", named_id=actor.user_id))
    items = select(Content.id).where(is_one_of(Content.id, ids["content"]))
    session.execute(items.order_by(Content.id).with_for_update())
    shelves = select(Category.id).where(is_one_of(Category.id, ids["category"]))
    session.execute(shelves.order_by(Category.id).with_for_update())
    words = select(Tag.id).where(is_one_of(Tag.id, ids["tag"]))
    session.execute(words.order_by(Tag.id).with_for_update())
    users = select(User.id).where(is_one_of(User.id, ids["user"]))
    session.execute(users.order_by(User.id).with_for_update(key_share=True))
    chosen = select(NotificationPreference.user_id).where(
        is_one_of(NotificationPreference.user_id, ids["user"])
    )
    session.execute(chosen.order_by(NotificationPreference.user_id).with_for_update())
    visible = visible_content(actor).with_only_columns(Content.id)
    return set(session.scalars(visible.where(is_one_of(Content.id, ids["content"]))))


def judge(
    session: Session, actor: Actor, history: History, report: Report, seen: Collection[int]
) -> None:
    """Put one subject back, or say in the report why not; items are locked, and `seen` may be seen.

    Raises what is the trouble of a moment, and no matter of the subject.
    """
    try:
        _require_sight(actor, history, seen)
        if not history.own:
            _leave(report, history, Reason.ALREADY_UNDONE, "It was undone before.")
        elif history.other is not None:
            _leave(report, history, Reason.CHANGED_SINCE, f"{history.other.action} came since.")
        else:
            # What one subject is refused must not stay half done.
            with session.begin_nested():
                _put_back(session, actor, history)
            report.undone.append(history)
    except ServiceError as error:
        reason = reason_of(error)
        if reason is None:
            raise
        report.left.append(Left(history.kind, history.id, history.part, reason, str(error)))


def reason_of(error: ServiceError) -> Reason | None:
    """Return the reason that a refusal is told by; None for what is no matter of the subject."""
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)


def _leave(report: Report, history: History, reason: Reason, detail: str) -> None:
    line = history.undone if reason is Reason.ALREADY_UNDONE else history.other
    by_id, at = (None, None) if line is None else (line.actor_id, line.created_at)
    report.left.append(Left(history.kind, history.id, history.part, reason, detail, by_id, at))


def _require_sight(actor: Actor, history: History, seen: Collection[int]) -> None:
    """Raise ForbiddenError or NotFoundError where the actor may not hear who did what to this."""
    if history.kind == "content":
        if history.id not in seen:
            raise NotFoundError("There is no such item.")
    elif history.kind in {"category", "tag"}:
        actor.require(Permission.TAXONOMY_MANAGE)
    elif history.kind == "user" and history.part != "whole":
        undone_records.require_rights(actor, history.part, history.id)


def _put_back(session: Session, actor: Actor, history: History) -> None:
    if any(line.is_erased for line in history.own):
        raise IrreversibleError("What was before has been erased from the log.")
    if history.kind == "content":
        before = undone_items.read_before(history.own)
        undone_items.put_back(session, actor, history.id, before)
    elif history.kind == "category":
        undone_records.put_category_back(session, actor, history.id, history.own)
    elif history.kind == "tag":
        undone_records.put_tag_back(session, actor, history.id, history.own)
    elif history.kind == "user" and history.part != "whole":
        undone_records.put_account_back(session, actor, history.id, history.part, history.own)
    elif history.kind == "bulk_action":
        # What it changed are subjects of their own.
        bulk_endings.end_unfinished(session, actor, history.id)
    else:
        raise IrreversibleError(f"{history.own[0].action} cannot be undone.")


def _record(
    session: Session, actor: Actor, agent_session: AgentSession, undone: Collection[History]
) -> None:
    """Add a line for each subject that names the session and the last line that was undone."""
    for kind, noun in _NOUNS.items():
        lines = [
            (
                one.id,
                {
                    "agent_session": agent_session.name,
                    "api_key_id": agent_session.api_key_id,
                    "part": one.part,
                    "from_line_id": one.own[0].id,
                    "to_line_id": one.last_id,
                },
            )
            for one in undone
            if one.kind == kind
        ]
        activity.record_many(session, actor.user_id, f"{noun}.undo", kind, lines)


def _find_answered(session: Session, undone: Collection[History]) -> list[Left]:
    """Return the items on which the session said what has been answered, in one statement."""
    said = [
        line.details["comment_id"]
        for one in undone
        for line in one.own
        if line.action == "comment.create"
    ]
    kept = comment_views.find_said(session, said) if said else {}
    detail = "{} of its comments stay, because somebody has answered them."
    return [
        Left(
            "content", content_id, "whole", Reason.ANSWERED, detail.format(len(comment_ids)),
            comment_ids=comment_ids,
        )
        for content_id, comment_ids in kept.items()
    ]  # fmt: skip


def find_told(session: Session, undone: Collection[History]) -> list[Left]:
    """Return the items of which followers were told, in one statement: that stays."""
    first_told = {
        one.id: min(sequences)
        for one in undone
        if one.kind == "content"
        and (sequences := [s for line in one.own if (s := line.details.get("sequence"))])
    }
    if not first_told:
        return []
    told = (
        select(Event.content_id, Event.sequence, Event.recipients)
        .where(is_one_of(Event.content_id, list(first_told)), Event.recipients > 0)
        .order_by(Event.content_id)
    )
    heard: dict[int, int] = {}
    for content_id, sequence, recipients in session.execute(told):
        if sequence >= first_told[content_id]:
            heard[content_id] = heard.get(content_id, 0) + recipients
    detail = "Followers were told {} times of what the session published; sent mails stay sent."
    return [
        Left("content", content_id, "whole", Reason.TOLD, detail.format(times))
        for content_id, times in heard.items()
    ]
