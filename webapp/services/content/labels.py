"""Labels: names of versions that somebody will look for again. What has one is kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.kit.lifecycle import Move
from webapp.models import ContentVersion, VersionLabel
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, item_reads, lifecycle, versions
from webapp.services.errors import ConflictError, NotFoundError, QuotaError

MOST_OF_ONE_ITEM = 200


@dataclass(frozen=True)
class LabelLine:
    """A label, and the number of the version that has it."""

    id: int
    name: str
    version: int
    created_by_id: int | None
    created_at: datetime


def add(session: Session, actor: Actor, content_id: int, number: int, name: str) -> LabelLine:
    """Give a version a name that no other version of its item has, and return the label.

    Giving it once more changes nothing. Raises NotFoundError, ForbiddenError, ConflictError where
    another version has the name, and QuotaError.
    """
    item = content.lock_for_change(session, actor, content_id, None)
    lifecycle.require_right(actor, item, Move.EDIT)
    version = versions.get_version(session, content_id, number)
    added = session.scalar(
        insert(VersionLabel)
        .values(
            content_id=content_id, version_id=version.id, name=name, created_by_id=actor.user_id
        )
        .on_conflict_do_nothing(index_elements=["content_id", "name"])
        .returning(VersionLabel.id)
    )
    label = _of_name(session, content_id, name)
    if added is None and label.version != number:
        raise ConflictError(f"Version {label.version} has this name; take it from there first.")
    if added is not None:
        _require_room(session, content_id)
        activity.record(
            session, actor.user_id, "label.create", "content", content_id, version=number, name=name
        )
    return label


def remove(session: Session, actor: Actor, content_id: int, label_id: int) -> None:
    """Take a name from its version. Raises NotFoundError and ForbiddenError."""
    item = content.lock_for_change(session, actor, content_id, None)
    lifecycle.require_right(actor, item, Move.EDIT)
    line = session.execute(
        _lines().where(VersionLabel.id == label_id, VersionLabel.content_id == content_id)
    ).one_or_none()
    if line is None:
        raise NotFoundError("There is no such label.")
    session.execute(delete(VersionLabel).where(VersionLabel.id == label_id))
    activity.record(
        session, actor.user_id, "label.delete", "content", content_id,
        version=line.version, name=line.name,
    )  # fmt: skip


def list_labels(
    session: Session, actor: Actor, content_id: int, *, below: int | None, limit: int
) -> list[LabelLine]:
    """Return the labels of an item, newest first. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    statement = _lines().where(VersionLabel.content_id == content_id)
    if below is not None:
        statement = statement.where(VersionLabel.id < below)
    rows = session.execute(statement.order_by(VersionLabel.id.desc()).limit(limit))
    return [LabelLine(**row._asdict()) for row in rows]


def names_of(session: Session, content_id: int, numbers: Collection[int]) -> dict[int, list[str]]:
    """Return the labels of some versions of an item, by their numbers; oldest label first."""
    found: dict[int, list[str]] = {}
    statement = _lines().where(
        VersionLabel.content_id == content_id, ContentVersion.number.in_(numbers)
    )
    for row in session.execute(statement.order_by(VersionLabel.id)):
        found.setdefault(row.version, []).append(row.name)
    return found


def put_back(
    session: Session, actor: Actor, content_id: int, name: str, number: int | None
) -> None:
    """Let a name be that of one version, or of none. Raises as `add` and `remove` do."""
    line = session.execute(
        _lines().where(VersionLabel.content_id == content_id, VersionLabel.name == name)
    ).one_or_none()
    if line is not None and line.version != number:
        remove(session, actor, content_id, line.id)
    if number is not None:
        add(session, actor, content_id, number, name)


def _of_name(session: Session, content_id: int, name: str) -> LabelLine:
    named = _lines().where(VersionLabel.content_id == content_id, VersionLabel.name == name)
    return LabelLine(**session.execute(named).one()._asdict())


def _require_room(session: Session, content_id: int) -> None:
    count = select(func.count()).select_from(VersionLabel)
    if session.scalars(count.where(VersionLabel.content_id == content_id)).one() > MOST_OF_ONE_ITEM:
        raise QuotaError(f"An item has {MOST_OF_ONE_ITEM} labels at most; take some away.")


def _lines() -> Select[int, str, int, int | None, datetime]:
    return select(
        VersionLabel.id, VersionLabel.name, ContentVersion.number.label("version"),
        VersionLabel.created_by_id, VersionLabel.created_at,
    ).join(ContentVersion, ContentVersion.id == VersionLabel.version_id)  # fmt: skip
