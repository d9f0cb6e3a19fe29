"""A name belongs to what is public or scheduled under it; a draft's slug is a wish."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from tests.services.content.statements import statements_of
from webapp.kit.clock import utc_now
from webapp.kit.slugs import numbered
from webapp.models import Publication, Rendering, Slug
from webapp.services.accounts.actors import Actor
from webapp.services.content import content, slugs, versions
from webapp.services.errors import ConflictError
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan


def slug_of(session: Session, content_id: int) -> str:
    """Return the slug of an item's working copy."""
    return content.get(session, make_actor(session), content_id).content.slug


def schedule(session: Session, actor: Actor, content_id: int) -> int:
    """Schedule an item for tomorrow."""
    plan = SchedulePlan("publish", utc_now() + timedelta(days=1))
    return schedules.create(session, actor, content_id, None, plan)


def publish(session: Session, actor: Actor, content_id: int) -> None:
    """Publish an item now."""
    publishing.publish(session, actor, content_id, None)


def test_drafts_may_have_one_slug_and_the_first_to_be_public_has_the_name(session: Session) -> None:
    actor = make_actor(session)
    ids = [make_content(session, actor, title="Same Title") for _ in range(3)]
    assert [slug_of(session, content_id) for content_id in ids] == ["same-title"] * 3
    for content_id in reversed(ids):
        publish(session, actor, content_id)
    assert [slug_of(session, content_id) for content_id in ids] == [
        "same-title-3", "same-title-2", "same-title",
    ]  # fmt: skip
    public = {
        row.content_id: row.slug
        for row in session.execute(select(Publication.content_id, Publication.slug))
    }
    assert public == {content_id: slug_of(session, content_id) for content_id in ids}


def test_a_draft_is_numbered_past_what_is_public(session: Session) -> None:
    actor = make_actor(session)
    publish(session, actor, make_content(session, actor, title="Same Title"))
    assert slug_of(session, make_content(session, actor, title="Same Title")) == "same-title-2"


def test_a_numbered_name_is_a_new_version_with_the_same_rendering(session: Session) -> None:
    actor = make_actor(session)
    publish(session, actor, make_content(session, actor, slug="imported"))
    second = make_content(session, actor, slug="one", body="same", import_source="there:1")
    content.edit(session, actor, second, None, {"title": "x"})
    session.execute(insert(Slug).values(slug="one", content_id=second, was_public=False))

    third = make_content(session, actor, slug="one", body="text", import_source="there:2")
    schedule(session, actor, second)
    publish(session, actor, third)

    assert slug_of(session, third) == "one-2"
    rendered = select(Rendering.html).where(
        Rendering.version_id == versions.get_version(session, third, 2).id
    )
    assert "text" in (session.scalar(rendered) or "")


@pytest.mark.parametrize("make_public", [publish, schedule])
def test_a_slug_that_was_asked_for_and_belongs_to_another_is_no_bodys_else(
    session: Session, make_public: Callable[[Session, Actor, int], object]
) -> None:
    actor = make_actor(session)
    first, second = (make_content(session, actor, slug="taken") for _ in range(2))
    make_public(session, actor, first)
    with pytest.raises(ConflictError, match="taken"):
        publish(session, actor, second)
    with pytest.raises(ConflictError, match="taken"):
        schedule(session, actor, second)
    content.edit(session, actor, first, None, {"slug": "elsewhere"})
    assert session.scalar(select(Slug.content_id).where(Slug.slug == "taken")) == first


def test_a_slug_under_which_something_is_public_is_refused_at_once(session: Session) -> None:
    actor = make_actor(session)
    publish(session, actor, make_content(session, actor, slug="taken"))
    with pytest.raises(ConflictError, match="taken"):
        make_content(session, actor, slug="taken")
    other = make_content(session, actor)
    with pytest.raises(ConflictError, match="taken"):
        content.edit(session, actor, other, None, {"slug": "taken"})


def test_a_name_that_only_a_cancelled_schedule_had_is_free(session: Session) -> None:
    actor = make_actor(session)
    first, second = (make_content(session, actor, slug="free") for _ in range(2))
    schedule_id = schedule(session, actor, first)
    schedules.cancel(session, actor, schedule_id, None)
    publish(session, actor, second)
    with pytest.raises(ConflictError, match="free"):
        publish(session, actor, first)


def test_a_restore_keeps_the_present_slug_when_the_old_one_is_anothers(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, slug="first", body="old")
    content.edit(session, actor, content_id, None, {"slug": "second", "body": "new"})
    publish(session, actor, make_content(session, actor, slug="first"))

    content.restore(session, actor, content_id, None, 1)

    row = content.get(session, actor, content_id).content
    assert (row.slug, row.body, row.version) == ("second", "old", 3)


def test_a_free_number_is_found_in_few_statements(session: Session) -> None:
    actor = make_actor(session)
    owner = make_content(session, actor, slug="news")
    taken = [
        {"slug": numbered("news", number) if number > 1 else "news", "content_id": owner,
         "was_public": True}
        for number in range(1, 5_001)
    ]  # fmt: skip
    session.execute(insert(Slug), taken[:40])
    assert len(statements_of(session, lambda: slugs.free_slug(session, "news"))) == 1
    assert slugs.free_slug(session, "news") == "news-41"
    session.execute(insert(Slug), taken[40:])
    assert len(statements_of(session, lambda: slugs.free_slug(session, "news"))) <= 4
    assert slugs.free_slug(session, "news") == "news-5001"


@pytest.mark.parametrize("make_public", [publish, schedule])
def test_of_many_that_want_a_name_at_once_each_gets_one_of_its_own(
    sessions: sessionmaker[Session], make_public: Callable[[Session, Actor, int], object]
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        ids = [make_content(session, actor, title="Same Title") for _ in range(12)]

    def go(content_id: int) -> None:
        with sessions.begin() as session:
            make_public(session, actor, content_id)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(go, ids))
    with sessions() as session:
        owners = {
            row.slug: row.content_id for row in session.execute(select(Slug.slug, Slug.content_id))
        }
        assert owners == {slug_of(session, content_id): content_id for content_id in ids}
