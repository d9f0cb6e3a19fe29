"""Promises about mails of what an editor withdraws or corrects while they go out."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from tests.factories import make_actor, make_content, run_ready_jobs
from tests.workers.audience.test_mail import server_that
from webapp.adapters.mail import Mailer
from webapp.kit.roles import RoleName
from webapp.models import Job, MailDelivery, Notification
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.content import content
from webapp.services.publishing import publishing
from workers.context import WorkerContext

READERS = 3


@pytest.fixture
def item(sessions: sessionmaker[Session]) -> tuple[Actor, int]:
    """An author with followers, and a public article that waits to be told of."""
    with sessions.begin() as session:
        author = make_actor(session)
        for _ in range(READERS):
            reader = make_actor(session, RoleName.READER)
            follows.follow(session, reader, Target.AUTHOR, author.user_id)
        content_id = make_content(session, author, title="First")
        publishing.publish(session, author, content_id, None)
    return author, content_id


def states(sessions: sessionmaker[Session]) -> list[str]:
    """Return the states of all mails in the order of events and readers."""
    with sessions() as session:
        order = (MailDelivery.event_id, MailDelivery.user_id)
        return list(session.scalars(select(MailDelivery.state).order_by(*order)))


def test_what_is_withdrawn_at_once_reaches_nobody_and_ends_its_jobs(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    item: tuple[Actor, int],
    mail_sink: MailSink,
) -> None:
    with sessions.begin() as session:
        publishing.unpublish(session, *item, None)
    run_ready_jobs(worker)
    assert mail_sink.messages() == []
    with sessions() as session:
        assert session.scalars(select(Notification)).all() == []
        assert set(session.scalars(select(Job.state).where(Job.kind == "event.fan_out"))) == {
            "done"
        }


def test_a_withdrawal_between_two_mails_stops_the_second(
    worker: WorkerContext, sessions: sessionmaker[Session], item: tuple[Actor, int]
) -> None:
    def take_and_withdraw(_: str) -> str:
        with sessions.begin() as session:
            publishing.unpublish(session, *item, None)
        return "250 taken"

    with server_that(take_and_withdraw) as url, Mailer(url, 5) as mailer:
        run_ready_jobs(replace(worker, bulk_mailer=mailer))

    assert states(sessions) == ["sent", "suppressed", "suppressed"]
    with sessions() as session:
        jobs = select(Job.state).where(Job.kind == "event_mails.send")
        assert session.scalars(jobs).all() == ["done"]


def test_an_item_that_comes_back_is_mailed_to_whoever_missed_it(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    item: tuple[Actor, int],
    mail_sink: MailSink,
) -> None:
    run_ready_jobs(worker, kinds={"event.fan_out"})
    with sessions.begin() as session:
        publishing.unpublish(session, *item, None)
        content.edit(session, *item, None, {"title": "Second"})
        publishing.publish(session, *item, None)
    run_ready_jobs(worker)
    assert states(sessions) == ["suppressed"] * READERS + ["sent"] * READERS
    assert [str(mail["Subject"]) for mail in mail_sink.messages()] == ["Second (new)"] * READERS


def test_a_correction_between_two_mails_is_what_the_second_tells(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    item: tuple[Actor, int],
    mail_sink: MailSink,
) -> None:
    run_ready_jobs(worker, kinds={"event.fan_out"})
    with sessions.begin() as session:
        content.edit(session, *item, None, {"title": "Second"})
        publishing.publish(session, *item, None)
    run_ready_jobs(worker)
    assert {str(mail["Subject"]) for mail in mail_sink.messages()} == {"Second (new)"}
