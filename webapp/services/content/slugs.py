"""Which item a public name belongs to."""

from sqlalchemy import Text, any_, delete, exists, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from webapp.kit.slugs import numbered
from webapp.models import ContentVersion, Schedule, Slug
from webapp.services.errors import ConflictError

# One statement finds a free number below this; each further one looks at ten times as many.
NAMES_TRIED_AT_ONCE = 100


def free_slug(session: Session, wanted: str) -> str:
    """Return `wanted`, or its first numbered variant that belongs to no item.

    Another save may take the name before this one commits; the unique keys then say no.
    """
    first, size = 1, NAMES_TRIED_AT_ONCE
    while True:
        numbers = range(first, first + size)
        names = [wanted if number == 1 else numbered(wanted, number) for number in numbers]
        tried = Slug.slug == any_(literal(names, ARRAY(Text)))
        taken = set(session.scalars(select(Slug.slug).where(tried)))
        free = next((name for name in names if name not in taken), None)
        if free is not None:
            return free
        first, size = first + size, size * 10


def claim_slug(session: Session, content_id: int, slug: str) -> None:
    """Make a name the item's own. Raises ConflictError when it belongs to another."""
    session.execute(
        insert(Slug)
        .values(slug=slug, content_id=content_id)
        .on_conflict_do_nothing(index_elements=["slug"])
    )
    if owner_of(session, slug) != content_id:
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


def owner_of(session: Session, slug: str) -> int | None:
    """Return the id of the item that a name belongs to, if it belongs to any."""
    return session.scalar(select(Slug.content_id).where(Slug.slug == slug))
