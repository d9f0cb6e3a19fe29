"""Previews: a version shown to whoever has a link, until it expires or is revoked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.kit.lifecycle import Move
from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.kit.tokens import hash_token, new_token
from webapp.models import Content, ContentVersion, PreviewLink, Rendering, Role, User
from webapp.models.arrays import is_one_of
from webapp.services import activity
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.holders import is_on
from webapp.services.content import content, item_reads, lifecycle, versions
from webapp.services.content.renderings import ensure_renderings
from webapp.services.content.version_texts import SavedVersion, read_versions
from webapp.services.errors import NotFoundError, QuotaError

SECONDS_AN_HOUR = 3_600
MOST_OF_ONE_ITEM = 100
WRONG_LINK = "This link opens nothing any more. Ask whoever sent it for another."


@dataclass(frozen=True)
class PreviewLine:
    """A link in a list: all but its token."""

    id: int
    version: int
    created_by_id: int | None
    created_at: datetime
    expires_at: datetime
    views: int
    last_viewed_at: datetime | None


@dataclass(frozen=True)
class Preview:
    """A version as it would be read."""

    version: SavedVersion
    html: str
    excerpt: str
    expires_at: datetime


def make(
    session: Session, actor: Actor, content_id: int, number: int, *, hours: int
) -> tuple[PreviewLine, str]:
    """Make a link to a version and return it with the only copy of its token.

    The version is rendered now, so that opening the link finds it ready. Raises NotFoundError,
    MoveRefusedError for an item that is put aside, QuotaError, and what rendering raises.
    """
    item = content.lock_for_change(session, actor, content_id, None)
    lifecycle.require_move(session, actor, item, Move.PREVIEW)
    version = versions.get_version(session, content_id, number)
    ensure_renderings(session, [version.id])
    open_ones = select(PreviewLink.id).where(PreviewLink.content_id == content_id, _is_open())
    if len(session.scalars(open_ones.limit(MOST_OF_ONE_ITEM)).all()) == MOST_OF_ONE_ITEM:
        raise QuotaError(
            f"The item has {MOST_OF_ONE_ITEM} links that open it; revoke some that nobody needs."
        )
    token = new_token()
    link = PreviewLink(
        content_id=content_id,
        version_id=version.id,
        token_hash=hash_token(token),
        created_by_id=actor.user_id,
        expires_at=seconds_from_now(hours * SECONDS_AN_HOUR),
    )
    session.add(link)
    session.flush()
    activity.record(
        session, actor.user_id, "preview.create", "content", content_id,
        version=number, preview_id=link.id, hours=hours,
    )  # fmt: skip
    line = session.execute(_lines().where(PreviewLink.id == link.id)).one()
    return PreviewLine(**line._asdict()), token


def list_links(
    session: Session, actor: Actor, content_id: int, *, below: int | None, limit: int
) -> list[PreviewLine]:
    """Return the links that open an item, newest first. Raises NotFoundError."""
    item_reads.require_item(session, actor, content_id)
    statement = _lines().where(PreviewLink.content_id == content_id, _is_open())
    if below is not None:
        statement = statement.where(PreviewLink.id < below)
    rows = session.execute(statement.order_by(PreviewLink.id.desc()).limit(limit))
    return [PreviewLine(**row._asdict()) for row in rows]


def revoke(session: Session, actor: Actor, content_id: int, preview_id: int) -> None:
    """End a link at once. Raises NotFoundError where the item has no such link that opens it."""
    content.lock_for_change(session, actor, content_id, None)
    if not revoke_some(session, actor, content_id, [preview_id]):
        raise NotFoundError("There is no such link.")


def revoke_some(
    session: Session, actor: Actor, content_id: int, preview_ids: Sequence[int]
) -> list[int]:
    """End those of some links to an item that still open it, and return their ids.

    The item is locked by the caller.
    """
    if not preview_ids:
        return []
    actor.require(Permission.CONTENT_PREVIEW)
    revoked = session.scalars(
        update(PreviewLink)
        .where(
            is_one_of(PreviewLink.id, preview_ids),
            PreviewLink.content_id == content_id,
            _is_open(),
        )
        .values(revoked_at=func.clock_timestamp())
        .returning(PreviewLink.id)
        .execution_options(synchronize_session=False)
    ).all()
    lines = [(content_id, {"preview_id": preview_id}) for preview_id in sorted(revoked)]
    activity.record_many(session, actor.user_id, "preview.revoke", "content", lines)
    return list(revoked)


def open_link(session: Session, token: str) -> Preview:
    """Return what a link shows, and count that it was opened.

    Raises NotFoundError for one that never was, has expired or was revoked, whose item is put
    aside, or whose maker's account does not work, and what rendering raises.
    """
    opens = (
        select(PreviewLink.id)
        .join(User, User.id == PreviewLink.created_by_id)
        .join(Role, Role.id == User.role_id)
        .join(Content, Content.id == PreviewLink.content_id)
        .where(
            PreviewLink.token_hash == hash_token(token),
            _is_open(),
            is_on(),
            _its_maker_may_show(),
            Content.status != "trashed",
        )
    )
    opened = session.execute(
        update(PreviewLink)
        .where(PreviewLink.id.in_(opens))
        .values(views=PreviewLink.views + 1, last_viewed_at=func.clock_timestamp())
        .returning(PreviewLink.version_id, PreviewLink.expires_at)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if opened is None:
        raise NotFoundError(WRONG_LINK)
    ensure_renderings(session, [opened.version_id])
    rendering = session.get_one(Rendering, opened.version_id)
    (version,) = read_versions(session, ContentVersion.id == opened.version_id)
    return Preview(version, rendering.html, rendering.excerpt, opened.expires_at)


def _its_maker_may_show() -> ColumnElement[bool]:
    """Return the condition that who made a link would still be given it, by the role of today."""

    def of(permission: Permission) -> ColumnElement[bool]:
        return Role.name.in_(
            role for role, may in PERMISSIONS_OF_ROLE.items()
            if {permission, Permission.CONTENT_PREVIEW} <= may
        )  # fmt: skip

    is_own = Content.author_id == User.id
    return or_(of(Permission.CONTENT_READ_ANY), and_(is_own, of(Permission.CONTENT_READ_OWN)))


def _is_open() -> ColumnElement[bool]:
    return and_(PreviewLink.revoked_at.is_(None), PreviewLink.expires_at > func.clock_timestamp())


def _lines() -> Select[int, int, int | None, datetime, datetime, int, datetime | None]:
    return select(
        PreviewLink.id, ContentVersion.number.label("version"), PreviewLink.created_by_id,
        PreviewLink.created_at, PreviewLink.expires_at, PreviewLink.views,
        PreviewLink.last_viewed_at,
    ).join(ContentVersion, ContentVersion.id == PreviewLink.version_id)  # fmt: skip
