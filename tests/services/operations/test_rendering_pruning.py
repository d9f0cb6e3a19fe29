"""Promises about renderings: kept as long as something needs them, and not much longer."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from tests.services.publishing.test_refresh import one_behind_the_other
from webapp.kit.clock import utc_now
from webapp.models import Publication, Rendering, Review
from webapp.services.content import content, previews, versions
from webapp.services.content.renderings import KEPT_DAYS, ensure_renderings
from webapp.services.operations.housekeeping import prune
from webapp.services.publishing import publishing, schedules
from webapp.services.publishing.schedules import SchedulePlan
from webapp.settings import Settings


def age(session: Session, days: float) -> None:
    """Make every rendering so old."""
    session.execute(update(Rendering).values(rendered_at=utc_now() - timedelta(days=days)))


def rendered(session: Session) -> list[int]:
    """Return the ids of the versions that have a rendering."""
    return list(session.scalars(select(Rendering.version_id).order_by(Rendering.version_id)))


def test_what_is_public_or_scheduled_keeps_its_rendering(
    session: Session, settings: Settings
) -> None:
    actor = make_actor(session)
    item = make_content(session, actor, body="one")
    publishing.publish(session, actor, item, None)
    content.edit(session, actor, item, None, {"body": "two"})
    publishing.publish(session, actor, item, None)
    planned = make_content(session, actor, body="planned")
    plan = SchedulePlan("publish", utc_now() + timedelta(days=30))
    schedule_id = schedules.create(session, actor, planned, None, plan)
    shown = make_content(session, actor, body="shown to some")
    link, _ = previews.make(session, actor, shown, 1, hours=1_000)
    of_item = [versions.get_version(session, item, number).id for number in (1, 2)]
    of_planned = versions.get_version(session, planned, 1).id
    of_shown = versions.get_version(session, shown, 1).id

    age(session, KEPT_DAYS - 0.1)
    assert not prune(session, "renderings", settings)
    assert rendered(session) == [*of_item, of_planned, of_shown]
    age(session, KEPT_DAYS + 0.1)
    prune(session, "renderings", settings)
    assert rendered(session) == [of_item[1], of_planned, of_shown]
    previews.revoke(session, actor, shown, link.id)
    schedules.cancel(session, actor, schedule_id, None)
    publishing.unpublish(session, actor, item, None)
    prune(session, "renderings", settings)
    assert rendered(session) == []
    # It is made again where it is wanted again.
    publishing.publish(session, actor, item, None, number=1)
    assert rendered(session) == [of_item[0]]
    assert "one" in session.scalars(select(Publication)).one().document["html"]


@pytest.mark.parametrize("state", ["open", "approved"])
def test_what_is_reviewed_keeps_its_rendering_until_another_version_comes(
    session: Session, settings: Settings, state: str
) -> None:
    actor = make_actor(session)
    item = make_content(session, actor, body="approved")
    version = versions.get_version(session, item, 1)
    ensure_renderings(session, [version.id])
    review = Review(
        content_id=item, version_id=version.id, number=1, digest=bytes(32), state=state, steps=""
    )
    session.add(review)
    session.flush()
    age(session, KEPT_DAYS + 1)
    prune(session, "renderings", settings)
    assert rendered(session) == [version.id]
    content.edit(session, actor, item, None, {"body": "another"})
    prune(session, "renderings", settings)
    assert rendered(session) == []


@pytest.mark.parametrize("pruning_is_first", [True, False])
def test_a_rendering_that_is_wanted_while_it_is_pruned_stays(
    sessions: sessionmaker[Session], settings: Settings, *, pruning_is_first: bool
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        item = make_content(session, actor, body="wanted")
        version_id = versions.get_version(session, item, 1).id
        ensure_renderings(session, [version_id])
        age(session, KEPT_DAYS + 1)

    def publish(session: Session) -> None:
        publishing.publish(session, actor, item, None)

    def prune_all(session: Session) -> None:
        prune(session, "renderings", settings)

    first, second = (prune_all, publish) if pruning_is_first else (publish, prune_all)
    one_behind_the_other(sessions, first, second)
    with sessions() as session:
        assert rendered(session) == [version_id]
        assert "wanted" in session.scalars(select(Publication)).one().document["html"]
