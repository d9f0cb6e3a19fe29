"""Promises of what keeps a version: whatever names it, for as long as it does."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from tests.services.content.aged_versions import age, hours_of_one_day, numbers_of, prune_all
from tests.services.content.versions_in_numbers import seal_all
from webapp.services.accounts.actors import Actor
from webapp.services.content import autosaves, content, labels, previews
from webapp.services.publishing import publishing, release_entries, releases, reviews, schedules
from webapp.services.publishing.release_entries import EntryWish
from webapp.services.publishing.releases import ReleasePlan
from webapp.services.publishing.schedules import SchedulePlan

Act = Callable[[Session, Actor, int], None]
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def _publish(session: Session, actor: Actor, content_id: int) -> None:
    publishing.publish(session, actor, content_id, None, number=3, notify=False)


def _publish_once(session: Session, actor: Actor, content_id: int) -> None:
    _publish(session, actor, content_id)
    publishing.unpublish(session, actor, content_id, None)


def _schedule(session: Session, actor: Actor, content_id: int) -> None:
    schedules.create(session, actor, content_id, None, SchedulePlan("publish", TOMORROW, 3))


def _schedule_and_cancel(session: Session, actor: Actor, content_id: int) -> None:
    schedule_id = schedules.create(
        session, actor, content_id, None, SchedulePlan("publish", TOMORROW, 3)
    )
    schedules.cancel(session, actor, schedule_id, None)


def _put_into_a_release(session: Session, actor: Actor, content_id: int) -> None:
    release = releases.create(session, actor, ReleasePlan("Spring"))
    wish = EntryWish(content_id, "publish", 3)
    release_entries.add(session, actor, release.id, None, [wish])


def _label(session: Session, actor: Actor, content_id: int) -> None:
    labels.add(session, actor, content_id, 3, "as printed")


def _preview(session: Session, actor: Actor, content_id: int) -> None:
    previews.make(session, actor, content_id, 3, hours=1)


def _restore(session: Session, actor: Actor, content_id: int) -> None:
    content.restore(session, actor, content_id, None, 3)


def _restore_by_an_older_release(session: Session, actor: Actor, content_id: int) -> None:
    _restore(session, actor, content_id)
    session.execute(text("UPDATE content_versions SET restored_from = NULL"))


def _begin_changes(session: Session, actor: Actor, content_id: int) -> None:
    autosaves.keep(session, actor, content_id, None, 3, {"title": "Another title"})


def _publish_by_an_older_release(session: Session, actor: Actor, content_id: int) -> None:
    _publish_once(session, actor, content_id)
    session.execute(text("UPDATE events SET version = NULL, occurred_at = now()"))


@pytest.mark.parametrize(
    "act",
    [
        _publish,
        _publish_once,
        _publish_by_an_older_release,
        _schedule,
        _schedule_and_cancel,
        _put_into_a_release,
        _label,
        _preview,
        _restore,
        _restore_by_an_older_release,
        _begin_changes,
    ],
)
def test_a_version_that_something_names_is_kept(session: Session, act: Act) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="Version 1.")
    for number in range(2, 7):
        content.edit(session, actor, content_id, None, {"body": f"Version {number}."})
    act(session, actor, content_id)
    seal_all(session, content_id)
    item = content.get(session, actor, content_id).content
    age(session, content_id, hours_of_one_day(item.version))
    prune_all(session)
    last = [5, 6] if item.version == 6 else [6, 7]
    assert numbers_of(session, content_id) == [1, 3, *last]


def test_a_version_that_was_in_review_is_kept(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="Version 1.")
    for number in range(2, 7):
        content.edit(session, actor, content_id, None, {"body": f"Version {number}."})
        if number == 3:
            reviews.submit(session, actor, content_id, None, due_at=None)
    seal_all(session, content_id)
    age(session, content_id, hours_of_one_day(6))
    prune_all(session)
    assert numbers_of(session, content_id) == [1, 3, 5, 6], "the next edit has voided its review"


def test_what_nothing_names_any_more_goes(session: Session) -> None:
    actor = make_actor(session)
    content_id = make_content(session, actor, body="Version 1.")
    for number in range(2, 7):
        content.edit(session, actor, content_id, None, {"body": f"Version {number}."})
    _label(session, actor, content_id)
    line, _ = previews.make(session, actor, content_id, 4, hours=1)
    _begin_changes(session, actor, content_id)
    seal_all(session, content_id)
    age(session, content_id, hours_of_one_day(6))
    prune_all(session)
    assert numbers_of(session, content_id) == [1, 3, 4, 5, 6]
    previews.revoke(session, actor, content_id, line.id)
    autosaves.discard(session, actor, content_id, None)
    prune_all(session)
    assert numbers_of(session, content_id) == [1, 3, 5, 6]
    (label,) = labels.list_labels(session, actor, content_id, below=None, limit=5)
    labels.remove(session, actor, content_id, label.id)
    prune_all(session)
    assert numbers_of(session, content_id) == [1, 5, 6]
