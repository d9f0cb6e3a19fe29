"""Promises of releases where not everybody publishes alone."""

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from tests.services.publishing.approvals import approve
from webapp.kit.review_policy import ReviewPolicy
from webapp.kit.roles import RoleName
from webapp.models import Release
from webapp.services.accounts.actors import Actor
from webapp.services.content import content
from webapp.services.errors import ForbiddenError
from webapp.services.publishing import (
    going_live,
    release_entries,
    release_preparation,
    release_rows,
    releases,
    reviews,
)
from webapp.services.publishing.release_entries import EntryWish
from webapp.services.publishing.releases import ReleasePlan


@pytest.fixture
def bound(session: Session) -> Actor:
    """An editor who may publish nothing that nobody has approved."""
    policy = ReviewPolicy(roles_that_need_one=frozenset({RoleName.EDITOR}))
    return replace(make_actor(session, RoleName.EDITOR), review_policy=policy)


def begin(session: Session, actor: Actor, *content_ids: int) -> int:
    """Begin a release that publishes items, and return its id."""
    release = releases.create(session, actor, ReleasePlan("Spring"))
    wishes = [EntryWish(content_id, "publish") for content_id in content_ids]
    release_entries.add(session, actor, release.id, None, wishes)
    return release.id


def go_live(session: Session, actor: Actor, release_id: int) -> str:
    """Prepare a release and let it go live; returns its state."""
    batch = release_preparation.read_batch(session, release_id)
    release_preparation.note(session, actor, batch, release_preparation.render(batch))
    revision = release_rows.find(session, release_id).revision
    outcome = going_live.go_live(session, release_id, revision, missed_after_seconds=3600)
    assert outcome is not None
    return outcome.state


def test_who_may_not_publish_alone_needs_an_approval_of_the_whole(
    session: Session, bound: Actor
) -> None:
    release_id = begin(session, bound, make_content(session, bound))
    with pytest.raises(ForbiddenError):
        releases.schedule(session, bound, release_id, None, None)
    with pytest.raises(ForbiddenError):
        releases.approve(session, bound, release_id, None)
    releases.approve(session, make_actor(session), release_id, None)
    releases.schedule(session, bound, release_id, None, None)
    assert go_live(session, bound, release_id) == "live"


def test_a_change_of_one_that_rests_upon_its_approval_takes_its_moment(
    session: Session, bound: Actor
) -> None:
    manager = make_actor(session)
    release_id = begin(session, bound, make_content(session, bound))
    releases.approve(session, manager, release_id, None)
    releases.schedule(session, bound, release_id, None, None)
    wish = [EntryWish(make_content(session, bound), "publish")]
    release_entries.add(session, manager, release_id, None, wish)
    release = session.get_one(Release, release_id)
    assert (release.state, release.failure) == ("open", release_rows.VOIDED)
    # And what somebody who needs one adds to another's needs one as well.
    releases.schedule(session, manager, release_id, None, None)
    assert release.state == "scheduled"
    wish = [EntryWish(make_content(session, bound), "publish")]
    release_entries.add(session, bound, release_id, None, wish)
    assert release.state == "open"


def test_approvals_of_each_version_are_enough_as_long_as_they_last(
    session: Session, bound: Actor
) -> None:
    manager = make_actor(session)
    one, other = make_content(session, bound), make_content(session, bound)
    approve(session, bound, manager, one)
    release_id = begin(session, bound, one, other)
    with pytest.raises(ForbiddenError):
        releases.schedule(session, bound, release_id, None, None)
    review_id = approve(session, bound, manager, other)
    releases.schedule(session, bound, release_id, None, None)
    reviews.withdraw(session, manager, other, review_id, None)
    assert go_live(session, bound, release_id) == "failed"
    assert release_rows.find(session, release_id).failure == releases.NO_APPROVAL
    assert content.get(session, bound, one).is_public is False
