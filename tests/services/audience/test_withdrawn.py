"""Promises about what was withdrawn: nobody hears of it any more, and who missed it hears once."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor, make_content
from webapp.kit.roles import RoleName
from webapp.models import Content, Event, MailDelivery, Notification, Publication, User
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows, mail_deliveries, notifications
from webapp.services.audience.fan_out import fan_out_chunk
from webapp.services.audience.follows import Target
from webapp.services.content import content
from webapp.services.errors import NotFoundError
from webapp.services.publishing import publishing

EVERYBODY = (0, 2**62)


def newsroom(session: Session, count: int = 5) -> tuple[Actor, list[Actor], int]:
    """Make an author with followers and a public item; return all three."""
    author = make_actor(session)
    readers = [make_actor(session, RoleName.READER) for _ in range(count)]
    for reader in readers:
        follows.follow(session, reader, Target.AUTHOR, author.user_id)
    content_id = make_content(session, author, title="First")
    publishing.publish(session, author, content_id, None)
    return author, readers, content_id


def newest_event(session: Session, content_id: int) -> Event:
    """Return the latest event of an item, as the database has it."""
    statement = select(Event).where(Event.content_id == content_id).order_by(Event.id.desc())
    return session.scalars(statement.limit(1).execution_options(populate_existing=True)).one()


def tell(session: Session, event_id: int, size: int = 1000) -> int:
    """Run the chunks of an event to the end and return how many were told."""
    recipients = 0
    while True:
        chunk = fan_out_chunk(session, event_id, size)
        recipients += chunk.recipients
        if chunk.is_last:
            return recipients


def inbox(session: Session, reader: Actor) -> list[str]:
    """Return the titles in a reader's inbox, and hold them against the count of the unread."""
    lines = notifications.list_inbox(session, reader, unread_only=False, below=None, limit=100)
    unread = [line for line in lines if line.read_at is None]
    assert notifications.count_unread(session, reader) == len(unread)
    return [line.title for line in lines]


def send(session: Session, event_id: int, users: list[int] | None = None) -> set[int]:
    """Send the mails of an event as the worker would; return who gets one."""
    if mail_deliveries.mailed_event(session, event_id) is None:
        mail_deliveries.suppress_withdrawn(session, event_id, *EVERYBODY)
        return set()
    due = [mail.user_id for mail in mail_deliveries.due_mails(session, event_id, *EVERYBODY)]
    chosen = [user_id for user_id in due if users is None or user_id in users]
    for user_id in chosen:
        mail_deliveries.mark_sent(session, event_id, user_id, "250 OK")
    return set(chosen)


def rows_of(session: Session, event_id: int) -> tuple[int, int]:
    """Return how many inbox rows and how many mails an event has."""
    counts = (
        select(func.count()).select_from(table).where(table.event_id == event_id)
        for table in (Notification, MailDelivery)
    )
    told, mailed = (session.scalars(count).one() for count in counts)
    return told, mailed


def test_a_fan_out_stops_where_a_withdrawal_meets_it(session: Session) -> None:
    author, _, content_id = newsroom(session)
    event = newest_event(session, content_id)
    assert fan_out_chunk(session, event.id, 2).recipients == 2

    publishing.unpublish(session, author, content_id, None)

    assert tell(session, event.id, 2) == 0
    assert rows_of(session, event.id) == (2, 2)
    assert send(session, event.id) == set()
    answers = session.execute(select(MailDelivery.state, MailDelivery.answer)).all()
    assert set(answers) == {("suppressed", "withdrawn before it was sent")}


def test_what_is_withdrawn_is_in_no_inbox_and_comes_back_with_its_item(session: Session) -> None:
    author, (reader, *_), content_id = newsroom(session)
    event = newest_event(session, content_id)
    tell(session, event.id)
    send(session, event.id)
    assert inbox(session, reader) == ["First"]

    publishing.unpublish(session, author, content_id, None)

    assert inbox(session, reader) == []
    notifications.mark_all_read(session, reader)
    with pytest.raises(NotFoundError):
        notifications.mark_read(session, reader, event.id)
    content.edit(session, author, content_id, None, {"title": "Second"})
    publishing.publish(session, author, content_id, None)
    assert inbox(session, reader) == ["Second"]
    assert notifications.count_unread(session, reader) == 1


def test_a_title_that_was_replaced_is_told_no_more(session: Session) -> None:
    author, (reader, *_), content_id = newsroom(session)
    event = newest_event(session, content_id)
    content.edit(session, author, content_id, None, {"title": "Second", "slug": "second"})
    publishing.publish(session, author, content_id, None)

    tell(session, event.id)

    assert inbox(session, reader) == ["Second"]
    mailed = mail_deliveries.mailed_event(session, event.id)
    assert mailed is not None
    assert (mailed.kind, mailed.title, mailed.slug) == ("content.published", "Second", "second")


@pytest.mark.parametrize("told", [0, 2, 5])
@pytest.mark.parametrize("mailed", [0, 1, 2])
def test_who_missed_what_was_withdrawn_hears_of_it_once_when_it_is_back(
    session: Session, told: int, mailed: int
) -> None:
    author, readers, content_id = newsroom(session)
    first = newest_event(session, content_id)
    if told:
        fan_out_chunk(session, first.id, told)
    ids = [reader.user_id for reader in readers]
    got_mail = send(session, first.id, ids[: min(mailed, told)])

    publishing.unpublish(session, author, content_id, None)
    publishing.publish(session, author, content_id, None)
    tell(session, first.id)
    send(session, first.id)
    second = newest_event(session, content_id)
    tell(session, second.id, 2)

    assert second.kind == "content.published"
    again = send(session, second.id)
    assert not got_mail & again
    assert got_mail | again == set(ids)
    assert [inbox(session, reader) for reader in readers] == [["First"]] * 5


def test_what_everybody_has_heard_of_is_no_news_when_it_is_back(session: Session) -> None:
    author, (reader, *_), content_id = newsroom(session)
    first = newest_event(session, content_id)
    tell(session, first.id)
    send(session, first.id)
    publishing.unpublish(session, author, content_id, None)
    publishing.publish(session, author, content_id, None)

    event = newest_event(session, content_id)

    assert event.kind == "content.updated"
    assert tell(session, event.id) == 0
    assert inbox(session, reader) == ["First"]


def test_news_that_was_cut_short_twice_is_told_once(session: Session) -> None:
    author, readers, content_id = newsroom(session)
    for size in (1, 3):
        fan_out_chunk(session, newest_event(session, content_id).id, size)
        send(session, newest_event(session, content_id).id, [readers[0].user_id])
        publishing.unpublish(session, author, content_id, None)
        publishing.publish(session, author, content_id, None)
    of_item = select(Event.id).where(Event.content_id == content_id).order_by(Event.id)
    events = session.scalars(of_item).all()
    for event_id in events:
        tell(session, event_id)
    assert [inbox(session, reader) for reader in readers] == [["First"]] * 5
    sent = [send(session, event_id) for event_id in events]
    assert sent == [set(), set(), {reader.user_id for reader in readers[1:]}]


def test_who_wants_no_mail_keeps_the_row_of_the_first_telling(session: Session) -> None:
    author, readers, content_id = newsroom(session, 2)
    notifications.set_wants_mail(session, readers[0].user_id, by_mail=False)
    first = newest_event(session, content_id)
    fan_out_chunk(session, first.id, 1)
    notifications.mark_all_read(session, readers[0])
    publishing.unpublish(session, author, content_id, None)
    publishing.publish(session, author, content_id, None)
    assert tell(session, newest_event(session, content_id).id) == 1
    assert [inbox(session, reader) for reader in readers] == [["First"]] * 2
    assert notifications.count_unread(session, readers[0]) == 0


def test_what_was_read_in_the_inbox_is_no_news_though_its_mail_did_not_go_out(
    session: Session,
) -> None:
    author, readers, content_id = newsroom(session, 2)
    first = newest_event(session, content_id)
    tell(session, first.id)
    notifications.mark_read(session, readers[0], first.id)
    publishing.unpublish(session, author, content_id, None)
    publishing.publish(session, author, content_id, None)
    second = newest_event(session, content_id)
    assert tell(session, second.id) == 1
    assert [inbox(session, reader) for reader in readers] == [["First"]] * 2
    assert [notifications.count_unread(session, reader) for reader in readers] == [0, 1]
    assert (send(session, first.id), send(session, second.id)) == (set(), {readers[1].user_id})


def test_a_mail_names_the_author_whom_the_public_sees(session: Session) -> None:
    author, _, content_id = newsroom(session)
    event = newest_event(session, content_id)
    another = make_actor(session)
    given = update(Content).where(Content.id == content_id).values(author_id=another.user_id)
    session.execute(given)
    assert (mailed := mail_deliveries.mailed_event(session, event.id))
    assert mailed.author_name == session.get_one(User, author.user_id).display_name
    publishing.publish(session, author, content_id, None, notify=False)
    assert (mailed := mail_deliveries.mailed_event(session, event.id))
    assert mailed.author_name == session.get_one(User, another.user_id).display_name


def test_a_withdrawal_by_a_release_that_stops_nothing_is_found_out(session: Session) -> None:
    author, readers, content_id = newsroom(session)
    event = newest_event(session, content_id)
    fan_out_chunk(session, event.id, 2)
    session.execute(delete(Publication))
    session.execute(update(Content).values(status="draft"))
    assert mail_deliveries.mailed_event(session, event.id) is None
    assert tell(session, event.id) == 0
    publishing.publish(session, author, content_id, None)
    assert tell(session, newest_event(session, content_id).id) == len(readers)


def wait_until_blocked(sessions: sessionmaker[Session], waiting: Future[None]) -> None:
    """Wait until another transaction waits for a lock, or has ended."""
    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with sessions() as session:
        while not waiting.done() and not session.scalar(blocked):
            session.rollback()
            sleep(0.01)


@pytest.mark.parametrize("first", ["chunk", "withdrawal"])
@pytest.mark.parametrize("size", [2, 1000])
def test_a_chunk_and_a_withdrawal_at_once_come_one_after_the_other(
    sessions: sessionmaker[Session], first: str, size: int
) -> None:
    with sessions.begin() as session:
        author, readers, content_id = newsroom(session)
        event_id = newest_event(session, content_id).id

    def tell_some(session: Session) -> None:
        fan_out_chunk(session, event_id, size)

    def withdraw(session: Session) -> None:
        publishing.unpublish(session, author, content_id, None)

    def follow(what: Callable[[Session], None]) -> None:
        with sessions.begin() as session:
            what(session)

    leader, follower = (tell_some, withdraw) if first == "chunk" else (withdraw, tell_some)
    with ThreadPoolExecutor(1) as pool:
        with sessions.begin() as session:
            leader(session)
            waiting = pool.submit(follow, follower)
            wait_until_blocked(sessions, waiting)
            assert not waiting.done()
        waiting.result()

    with sessions.begin() as session:
        reached = min(size, len(readers)) if first == "chunk" else 0
        assert rows_of(session, event_id) == (reached, reached)
        assert newest_event(session, content_id).stopped_at is not None
        assert tell(session, event_id) == 0
        assert send(session, event_id) == set()
        assert inbox(session, readers[0]) == []
