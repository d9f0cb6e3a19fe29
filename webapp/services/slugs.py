"""Which item a public name belongs to."""

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.kit.slugs import numbered
from webapp.models import ContentVersion, Schedule, Slug
from webapp.services.errors import ConflictError


def free_slug(session: Session, wanted: str, content_id: int | None = None) -> str:
    """Return `wanted`, or its first numbered variant that belongs to no other item.

    Another save may take the name before this one commits; the unique keys then say no.
    """
    number, candidate = 1, wanted
    while _owner(session, candidate) not in (None, content_id):
        number += 1
        candidate = numbered(wanted, number)
    return candidate


def claim_slug(session: Session, content_id: int, slug: str) -> None:
    """Make a name the item's own. Raises ConflictError when it belongs to another."""
    session.execute(
        insert(Slug)
        .values(slug=slug, content_id=content_id)
        .on_conflict_do_nothing(index_elements=["slug"])
    )
    if _owner(session, slug) != content_id:
        raise ConflictError(f"Another item has the slug {slug}.")


def release_slug(session: Session, content_id: int, slug: str) -> None:
    """Give a name back, unless it was public or a pending schedule will make it so."""
    pinned = exists(
        select(Schedule.id)
        .join(ContentVersion, ContentVersion.id == Schedule.version_id)
        .where(
            Schedule.content_id == content_id,
            Schedule.state.in_(["pending", "handed"]),
            ContentVersion.slug == slug,
        )
    )
    session.execute(
        delete(Slug).where(
            Slug.slug == slug, Slug.content_id == content_id, ~Slug.was_public, ~pinned
        )
    )


def _owner(session: Session, slug: str) -> int | None:
    return session.scalar(select(Slug.content_id).where(Slug.slug == slug))
