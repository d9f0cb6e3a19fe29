"""A category that an import made is as secret as its drafts, and shows once something is public."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import as_it_is, make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Category
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.content import content, taxonomy, versions
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.errors import NotFoundError
from webapp.services.publishing import firing, handing_over, publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan


def listed(session: Session, viewer: Actor | None = None) -> dict[str, int | None]:
    """Return the names of the categories that somebody sees, with their parents."""
    found = taxonomy.list_categories(session, viewer, after_id=0, limit=100)
    return {category.name: category.parent_id for category in found}


def test_what_a_person_makes_is_public_and_what_an_import_makes_is_not(session: Session) -> None:
    manager = make_actor(session)
    news = CategoryChanges(name="News", slug=None, description="", parent_id=None)
    taxonomy.create_category(session, manager, news)
    secret_id = taxonomy.ensure_category(session, "Secret")

    for viewer in (None, make_actor(session, RoleName.READER)):
        assert listed(session, viewer) == {"News": None}
        with pytest.raises(NotFoundError):
            taxonomy.view_category(session, viewer, secret_id)
    for role in (RoleName.AUTHOR, RoleName.EDITOR, RoleName.ADMIN):
        author = make_actor(session, role)
        assert set(listed(session, author)) == {"News", "Secret"}
        assert taxonomy.view_category(session, author, secret_id).name == "Secret"


def test_nobody_follows_a_category_before_something_in_it_is_public(session: Session) -> None:
    actor, reader = make_actor(session), make_actor(session, RoleName.READER)
    category_id = taxonomy.ensure_category(session, "Secret")
    content_id = make_content(session, actor, category_id=category_id)
    for who in (actor, reader):
        with pytest.raises(NotFoundError):
            follows.follow(session, who, Target.CATEGORY, category_id)

    publishing.publish(session, actor, content_id, None)
    follows.follow(session, reader, Target.CATEGORY, category_id)

    publishing.unpublish(session, actor, content_id, None)
    assert listed(session) == {"Secret": None}  # Whoever has read it knows it.


def test_the_category_of_the_public_version_shows_and_not_the_drafts(session: Session) -> None:
    actor = make_actor(session)
    first, second = (taxonomy.ensure_category(session, name) for name in ("First", "Second"))
    content_id = make_content(session, actor, category_id=first)
    content.edit(session, actor, content_id, None, {"category_id": second})

    publishing.publish(session, actor, content_id, None, number=1)
    assert listed(session) == {"First": None}


def test_a_category_shows_when_its_schedule_fires_and_not_before(session: Session) -> None:
    actor = make_actor(session)
    category_id = taxonomy.ensure_category(session, "Secret")
    content_id = make_content(session, actor, category_id=category_id)
    plan = SchedulePlan("publish", utc_now() - timedelta(seconds=5))
    schedule_id = schedules.create(session, actor, content_id, None, plan)
    handing_over.hand_over_due(session)
    assert listed(session) == {}

    firing.fire(session, [schedule_id], missed_after_seconds=3600)
    assert listed(session) == {"Secret": None}


def test_those_above_show_with_a_category_and_one_that_came_later_does_not(
    session: Session,
) -> None:
    actor = make_actor(session)
    top = taxonomy.ensure_category(session, "Top")
    middle = taxonomy.ensure_category(session, "Middle", parent_id=top)
    leaf = taxonomy.ensure_category(session, "Leaf", parent_id=middle)
    taxonomy.ensure_category(session, "Beside", parent_id=middle)
    publishing.publish(session, actor, make_content(session, actor, category_id=leaf), None)
    assert listed(session) == {"Top": None, "Middle": top, "Leaf": middle}

    hidden = taxonomy.ensure_category(session, "Hidden")
    moved = CategoryChanges(name="Top", slug=None, description="", parent_id=hidden)
    taxonomy.change_category(session, actor, top, as_it_is, moved)
    assert listed(session)["Top"] is None
    assert taxonomy.view_category(session, None, top).parent_id is None
    assert listed(session, actor)["Top"] == hidden


def test_publications_at_once_show_all_their_categories(sessions: sessionmaker[Session]) -> None:
    names = [f"Secret {number}" for number in range(6)]
    with sessions.begin() as session:
        actor = make_actor(session)
        ids = [taxonomy.ensure_category(session, name) for name in names]
        # Every batch has every category, in another order.
        batches = [
            [
                make_content(session, actor, category_id=category_id)
                for category_id in (*ids[turn:], *ids[:turn])
            ]
            for turn in range(6)
        ]
    barrier = Barrier(7)

    def publish(batch: list[int]) -> None:
        with sessions.begin() as session:
            barrier.wait()
            for_release = [publishing.Release(item, version_id_of(session, item)) for item in batch]
            publishing.release(session, for_release)

    def bring_in() -> None:
        """Make drafts in the same categories, as an import does."""
        with sessions.begin() as session:
            barrier.wait()
            for name in reversed(names):
                category_id = taxonomy.ensure_category(session, name)
                make_content(session, actor, category_id=category_id)
            taxonomy.ensure_category(session, "Of the import alone")

    with ThreadPoolExecutor(7) as pool:
        for running in [*(pool.submit(publish, batch) for batch in batches), pool.submit(bring_in)]:
            running.result(60)
    with sessions() as session:
        assert sorted(listed(session)) == names
        assert session.scalar(select(func.count()).select_from(Category)) == 7


def version_id_of(session: Session, content_id: int) -> int:
    """Return the id of the only version of an item."""
    return versions.get_version(session, content_id, 1).id
