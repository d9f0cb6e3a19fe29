"""Which item a public name belongs to."""

from collections.abc import Callable

from sqlalchemy import Text, any_, delete, exists, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from webapp.kit.slugs import numbered
from webapp.models import ContentVersion, Schedule, Slug
from webapp.services.errors import ConflictError

# One statement looks at this many numbers; three of them find a free one among a million.
NUMBERS_AT_ONCE = 100


def free_slug(session: Session, wanted: str) -> str:
    """Return `wanted`, or a numbered variant of it that belongs to no item.

    Another save may take the name before this one commits; the unique keys then say no.
    """
    return free_name(wanted, lambda names: _taken(session, names))


def free_name(wanted: str, find_taken: Callable[[list[str]], set[str]]) -> str:
    """Return `wanted`, or a numbered variant of it that is not taken while the one before it is.

    `find_taken` says which of some names are taken. The first hundred numbers are looked at all;
    beyond them the gap between a taken and a free one is closed a hundredth at a time.
    """
    taken_until, numbers = 0, list(range(1, NUMBERS_AT_ONCE + 1))
    while True:
        names = {number: _variant(wanted, number) for number in numbers}
        taken = find_taken(list(names.values()))
        free = next((number for number in numbers if names[number] not in taken), None)
        if free is None:
            taken_until = numbers[-1]
            numbers = [taken_until * 2**doublings for doublings in range(1, NUMBERS_AT_ONCE // 2)]
            continue
        taken_until = max((number for number in numbers if number < free), default=taken_until)
        if free == taken_until + 1:
            return names[free]
        step = -(-(free - taken_until) // NUMBERS_AT_ONCE)  # Rounded up.
        numbers = [*range(taken_until + step, free, step), free]


def _variant(wanted: str, number: int) -> str:
    return wanted if number == 1 else numbered(wanted, number)


def _taken(session: Session, names: list[str]) -> set[str]:
    tried = Slug.slug == any_(literal(names, ARRAY(Text)))
    return set(session.scalars(select(Slug.slug).where(tried)))


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
