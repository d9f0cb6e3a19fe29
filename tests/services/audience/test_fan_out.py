"""Promises about followers: everyone once, nobody else, and whatever is interrupted goes on."""

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from tests.factories import make_actor, make_content
from webapp.kit.roles import RoleName
from webapp.models import Event, Follow, Job, MailDelivery, Notification
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows, notifications
from webapp.services.audience.fan_out import fan_out_chunk
from webapp.services.audience.follows import Target
from webapp.services.content import tagging, taxonomy
from webapp.services.content.taxonomy import CategoryChanges
from webapp.services.errors import NotFoundError
from webapp.services.publishing import publishing


def publish(session: Session, author: Actor, **fields: object) -> int:
    """Publish a new item and return the id of its event."""
    content_id = make_content(session, author, **fields)
    publishing.publish(session, author, content_id, None)
    return session.scalars(select(Event.id).where(Event.content_id == content_id)).one()


def fan_out(session: Session, event_id: int, size: int = 1000) -> int:
    """Run the chunks of an event to the end and return how many there were."""
    chunks = 1
    while not fan_out_chunk(session, event_id, size).is_last:
        chunks += 1
    return chunks


def told(session: Session, event_id: int) -> list[int]:
    """Return who has a notification of an event."""
    statement = select(Notification.user_id).where(Notification.event_id == event_id)
    return sorted(session.scalars(statement))


def mailed(session: Session, event_id: int) -> list[int]:
    """Return who has a mail of an event."""
    statement = select(MailDelivery.user_id).where(MailDelivery.event_id == event_id)
    return sorted(session.scalars(statement))


def test_whoever_follows_twice_is_told_once(session: Session) -> None:
    author = make_actor(session)
    news = CategoryChanges(name="News", slug=None, description="", parent_id=None)
    category_id = taxonomy.create_category(session, author, news).id
    tag = tagging.ensure_tags(session, ["python"])[0]
    readers = [make_actor(session, RoleName.READER) for _ in range(4)]
    for reader in readers[:3]:
        follows.follow(session, reader, Target.AUTHOR, author.user_id)
    for reader in readers[1:]:
        follows.follow(session, reader, Target.CATEGORY, category_id)
    session.add(Follow(user_id=readers[2].user_id, tag_id=tag.id))
    stranger = make_actor(session, RoleName.READER)

    event_id = publish(session, author, category_id=category_id, tags=("Python",))
    fan_out(session, event_id)

    expected = sorted(reader.user_id for reader in readers)
    assert told(session, event_id) == mailed(session, event_id) == expected
    assert stranger.user_id not in expected
    assert session.get_one(Event, event_id).recipients == 4


@pytest.mark.parametrize("several_targets", [False, True])
def test_chunks_together_reach_everybody_and_go_on_where_they_stopped(
    session: Session, several_targets: bool
) -> None:
    author = make_actor(session)
    readers = [make_actor(session, RoleName.READER) for _ in range(7)]
    tag = tagging.ensure_tags(session, ["even"])[0]
    for number, reader in enumerate(readers):
        follows.follow(session, reader, Target.AUTHOR, author.user_id)
        if several_targets and number % 2:
            session.add(Follow(user_id=reader.user_id, tag_id=tag.id))
    event_id = publish(session, author, tags=("even",) if several_targets else ())

    first = fan_out_chunk(session, event_id, 3)
    assert (first.recipients, first.is_last) == (3, False)
    assert fan_out(session, event_id, 3) == 2
    assert fan_out_chunk(session, event_id, 3).recipients == 0

    assert told(session, event_id) == sorted(reader.user_id for reader in readers)
    ranges = session.scalars(select(Job.payload).where(Job.kind == "event_mails.send")).all()
    covered = [
        user_id
        for user_id in mailed(session, event_id)
        if sum(r["after_user_id"] < user_id <= r["to_user_id"] for r in ranges) == 1
    ]
    assert covered == mailed(session, event_id) == told(session, event_id)


def test_a_cursor_that_is_moved_back_tells_nobody_twice(session: Session) -> None:
    author = make_actor(session)
    readers = [make_actor(session, RoleName.READER) for _ in range(5)]
    for reader in readers[1:]:
        follows.follow(session, reader, Target.AUTHOR, author.user_id)
    event_id = publish(session, author)
    fan_out(session, event_id, 3)
    follows.follow(session, readers[0], Target.AUTHOR, author.user_id)
    again = {"cursor_user_id": 0, "fanned_out_at": None}
    session.execute(update(Event).where(Event.id == event_id).values(again))

    fan_out(session, event_id, 3)

    everybody = [reader.user_id for reader in readers]
    assert told(session, event_id) == everybody
    assert mailed(session, event_id) == everybody


def test_authors_are_not_told_of_their_own_work(session: Session) -> None:
    author = make_actor(session)
    follows.follow(session, author, Target.AUTHOR, author.user_id)
    event_id = publish(session, author)
    fan_out(session, event_id)
    assert told(session, event_id) == []


def test_an_update_is_told_to_those_who_follow_the_item(session: Session) -> None:
    author = make_actor(session)
    of_author, of_item = (make_actor(session, RoleName.READER) for _ in range(2))
    follows.follow(session, of_author, Target.AUTHOR, author.user_id)
    content_id = make_content(session, author)
    publishing.publish(session, author, content_id, None)
    follows.follow(session, of_item, Target.CONTENT, content_id)
    publishing.publish(session, author, content_id, None)
    update_id = session.scalars(select(func.max(Event.id))).one()

    fan_out(session, update_id)

    assert told(session, update_id) == [of_item.user_id]


def test_who_wants_no_mail_gets_none_and_still_finds_the_news_in_the_inbox(
    session: Session,
) -> None:
    author, reader = make_actor(session), make_actor(session, RoleName.READER)
    follows.follow(session, reader, Target.AUTHOR, author.user_id)
    notifications.set_wants_mail(session, reader.user_id, by_mail=False)
    event_id = publish(session, author)
    fan_out(session, event_id)
    assert told(session, event_id) == [reader.user_id]
    assert mailed(session, event_id) == []


def test_an_inbox_is_read_newest_first_and_marked(session: Session) -> None:
    author, reader = make_actor(session), make_actor(session, RoleName.READER)
    follows.follow(session, reader, Target.AUTHOR, author.user_id)
    ids = [publish(session, author) for _ in range(3)]
    for event_id in ids:
        fan_out(session, event_id)

    lines = notifications.list_inbox(session, reader, unread_only=False, below=None, limit=2)
    assert [line.id for line in lines] == [ids[2], ids[1]]
    assert notifications.count_unread(session, reader) == 3
    notifications.mark_read(session, reader, ids[0])
    assert notifications.count_unread(session, reader) == 2
    notifications.mark_all_read(session, reader)
    assert notifications.count_unread(session, reader) == 0
    with pytest.raises(NotFoundError):
        notifications.mark_read(session, author, ids[0])


def test_only_what_exists_and_is_public_can_be_followed(session: Session) -> None:
    reader, author = make_actor(session, RoleName.READER), make_actor(session)
    draft = make_content(session, author)
    for target in Target:
        with pytest.raises(NotFoundError):
            follows.follow(session, reader, target, 10**12)
    with pytest.raises(NotFoundError):
        follows.follow(session, reader, Target.CONTENT, draft)


def test_following_twice_is_one_follow_and_unfollowing_ends_it(session: Session) -> None:
    reader, author = make_actor(session, RoleName.READER), make_actor(session)
    for _ in range(2):
        follows.follow(session, reader, Target.AUTHOR, author.user_id)
    lines = follows.list_follows(session, reader, after_id=0, limit=10)
    assert [(line.target, line.target_id) for line in lines] == [(Target.AUTHOR, author.user_id)]
    follows.unfollow(session, reader, Target.AUTHOR, author.user_id)
    assert follows.list_follows(session, reader, after_id=0, limit=10) == []
