"""Which item a public name belongs to.

A draft's slug is a wish: it tells others nothing, and keeps nobody from the same one. A name
belongs to an item from its schedule or its publication on: as long as a schedule pins it, and for
good once it was public.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, delete, exists, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from webapp.kit.slugs import numbered, slugify
from webapp.models import (
    Category,
    CategoryAlias,
    ContentVersion,
    Release,
    ReleaseEntry,
    Schedule,
    Slug,
    Tag,
    TagAlias,
)
from webapp.models.publishing.schedules import IS_OPEN
from webapp.services.errors import ConflictError

# One statement looks at this many numbers; three of them find a free one among a million.
NUMBERS_AT_ONCE = 100
ATTEMPTS = 5


def free_slug(session: Session, wanted: str) -> str:
    """Return `wanted`, or a numbered variant of it under which nothing is or was public.

    Names that a schedule pins count as free: they are as secret as its draft. `claim_slug` decides.
    """
    return free_name(wanted, lambda names: _public_ones(session, names))


def slug_of_title(session: Session, title: str) -> str:
    """Return a free slug for a draft's title; an empty one, which is none yet, for an empty one."""
    return free_slug(session, slugify(title)) if title else ""


def with_slug(session: Session, slug: str, title: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Return changes of an item that bring it the slug of its title, where it has none yet."""
    if slug or changes.get("slug"):
        return changes
    named = slug_of_title(session, changes.get("title", title))
    return {**changes, "slug": named}


def free_slug_of(session: Session, kind: type[Category] | type[Tag], wanted: str) -> str:
    """Return `wanted`, or a numbered variant of it that no category, or no tag, has or had."""

    def taken(names: list[str]) -> set[str]:
        tried = literal(names, ARRAY(Text))
        found = select(kind.slug).where(kind.slug == any_(tried))
        had: type[CategoryAlias] | type[TagAlias] = CategoryAlias if kind is Category else TagAlias
        former = select(had.slug).where(had.slug == any_(tried))
        return set(session.scalars(found.union_all(former)))

    return free_name(wanted, taken)


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


def _public_ones(session: Session, names: list[str]) -> set[str]:
    tried = Slug.slug == any_(literal(names, ARRAY(Text)))
    return set(session.scalars(select(Slug.slug).where(tried, Slug.was_public)))


def claim_slug(session: Session, content_id: int, slug: str) -> bool:
    """Make a name the item's own; returns False when it belongs to another.

    The row is locked either way until the transaction ends, so that what is then said of its owner
    stays true. A row that is neither public nor pinned is left over from a cancelled schedule or an
    older release, and goes to whoever asks. That is looked at by a statement of its own, which sees
    what another transaction has committed while this one waited for the row.
    """
    claim = insert(Slug).values(slug=slug, content_id=content_id)
    owner = session.scalar(
        claim.on_conflict_do_update(
            index_elements=["slug"], set_={"content_id": Slug.content_id}
        ).returning(Slug.content_id)
    )
    if owner == content_id:
        return True
    taken_over = session.scalar(
        update(Slug)
        .where(Slug.slug == slug, ~is_kept())
        .values(content_id=content_id)
        .returning(Slug.content_id)
        .execution_options(synchronize_session=False)
    )
    return taken_over is not None


def claim_numbered_slug(session: Session, content_id: int, slug: str) -> str:
    """Make a numbered variant of a slug the item's own, and return it.

    Raises ConflictError where other items take each one that is found at this very moment.
    """

    def taken(names: list[str]) -> set[str]:
        tried = Slug.slug == any_(literal(names, ARRAY(Text)))
        return set(session.scalars(select(Slug.slug).where(tried)))

    for _ in range(ATTEMPTS):
        name = free_name(slug, taken)
        if claim_slug(session, content_id, name):
            return name
    raise ConflictError("Many items with this name are being published at once; try again.")


def release_slug(session: Session, content_id: int, slug: str) -> None:
    """Give a name back, unless it was public or a pending schedule will make it so."""
    session.execute(
        delete(Slug)
        .where(Slug.slug == slug, Slug.content_id == content_id, ~is_kept())
        .execution_options(synchronize_session=False)
    )


def taken(slug: str) -> ConflictError:
    """Return what is said where another item is or was public under a slug.

    The slugs of others' drafts are not looked at: the answer would tell of them.
    """
    return ConflictError(f"Another item has the slug {slug}.")


def belongs_to_another(session: Session, content_id: int | None, slug: str) -> bool:
    """Say whether something else is or was public under a name, as everybody can find out."""
    owner = select(Slug.content_id).where(Slug.slug == slug, Slug.was_public)
    return session.scalar(owner) not in (None, content_id)


def is_kept() -> ColumnElement[bool]:
    """Return the condition that a name is its item's own: it was public, or is to be so."""
    return or_(Slug.was_public, _is_pinned())


def _is_pinned() -> ColumnElement[bool]:
    """Return the condition that an open schedule of a name's item, or a release that has its
    moment, will publish under the name.
    """
    in_release = exists(
        select(ReleaseEntry.content_id)
        .join(Release, Release.id == ReleaseEntry.release_id)
        .join(ContentVersion, ContentVersion.id == ReleaseEntry.version_id)
        .where(
            ReleaseEntry.content_id == Slug.content_id,
            Release.state == "scheduled",
            ContentVersion.slug == Slug.slug,
        )
        .correlate(Slug)
    )
    scheduled = exists(
        select(Schedule.id)
        .join(ContentVersion, ContentVersion.id == Schedule.version_id)
        .where(
            Schedule.content_id == Slug.content_id,
            IS_OPEN,
            ContentVersion.slug == Slug.slug,
        )
        .correlate(Slug)
    )
    return or_(scheduled, in_release)
