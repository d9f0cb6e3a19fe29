"""Promises about the mails of notices: one for each person, whoever dies and however often."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Event
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from dev.mail_sink import MailSink
from dev.ports import free_port
from tests.at_once import at_once
from tests.chaos.real_worker import wait_until
from tests.factories import make_actor, make_content, run_ready_jobs
from tests.patience import HANG_SECONDS
from tests.workers.operations.killed_worker import start_process, take_back
from webapp.adapters.mail import Mailer
from webapp.jobs.notice_messages import MailNotices
from webapp.jobs.outbox import enqueue
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Job, Notice, User
from webapp.services.accounts.actors import Actor
from webapp.services.audience import notifications
from webapp.services.content import notice_inbox, notice_mails
from webapp.services.notices import tell
from webapp.settings import Settings
from workers.content import notices as handler
from workers.context import WorkerContext

FAILED = {"action": "publish", "due_at": "noon", "words": "The slug is taken.\nBy another."}
GROUP = "schedule:1"


@pytest.fixture
def editors(sessions: sessionmaker[Session]) -> list[Actor]:
    """Three editors with proven addresses."""
    with sessions.begin() as session:
        editors = [make_actor(session, RoleName.EDITOR) for _ in range(3)]
        session.execute(update(User).values(email_proven_at=utc_now()))
    return editors


def tell_of(
    sessions: sessionmaker[Session], people: list[Actor], number: int = 1, **more: Any
) -> None:
    with sessions.begin() as session:
        ids = [person.user_id for person in people]
        tell(session, ids, "schedule.failed", "schedule", number, details=FAILED, **more)


def states(sessions: sessionmaker[Session]) -> list[str]:
    with sessions() as session:
        return list(session.scalars(select(Notice.mail_state).order_by(Notice.id)))


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def make_due(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        session.execute(update(Job).where(Job.state == "ready").values(run_at=utc_now()))


@contextmanager
def server_that(handle: Callable[[Envelope], Any]) -> Iterator[str]:
    """Run an SMTP server that answers each mail as told; yields its URL."""

    class Answering:
        async def handle_DATA(  # noqa: N802 - the library finds it by this name
            self, _server: SMTP, _session: SmtpSession, envelope: Envelope
        ) -> str:
            came = handle(envelope)
            return str(await came if asyncio.iscoroutine(came) else came)

    port = free_port()
    controller = Controller(Answering(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def test_each_gets_one_mail_with_the_words(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
    editors: list[Actor],
) -> None:
    with sessions.begin() as session:
        item = make_content(session, editors[0], title="On tides")
    tell_of(sessions, editors, content_id=item)
    run_ready_jobs(worker)
    mails = mail_sink.messages()
    assert sorted(str(mail["To"]) for mail in mails) == sorted(
        f"{one.login.title()} <{one.login}@example.org>" for one in editors
    )
    assert {mail["Subject"] for mail in mails} == {"A schedule failed: “On tides”"}
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert "The schedule to publish “On tides” at noon failed." in text_of(mails[0])
    assert "The slug is taken. By another." in text_of(mails[0])
    with sessions.begin() as session:
        # The same duty once more, as after a lost answer to the hint.
        ids = tuple(session.scalars(select(Notice.id)))
        enqueue(session, MailNotices(notice_ids=ids))
    run_ready_jobs(worker)
    assert len(mail_sink.messages()) == 3


def test_who_may_not_hear_of_it_or_has_read_it_gets_no_mail(
    sessions: sessionmaker[Session], worker: WorkerContext, mail_sink: MailSink
) -> None:
    with sessions.begin() as session:
        author, colleague = (make_actor(session, RoleName.AUTHOR) for _ in range(2))
        reading, off, frozen, unproven, gone_down, quiet, unfollowing = (
            make_actor(session, RoleName.EDITOR) for _ in range(7)
        )
        session.execute(update(User).values(email_proven_at=utc_now()))
        item = make_content(session, author)
    everybody = [author, unfollowing, colleague, reading, off, frozen, unproven, gone_down, quiet]
    tell_of(sessions, everybody, content_id=item)
    with sessions.begin() as session:
        notice_inbox.mark_read(session, reading, ids=None, until=None)
        notifications.set_wants_mail(session, quiet.user_id, notices_by_mail=False)
        notifications.set_wants_mail(session, unfollowing.user_id, by_mail=False)
        author_role = select(User.role_id).where(User.id == author.user_id).scalar_subquery()
        for actor, values in (
            (off, {"disabled_at": utc_now()}),
            (frozen, {"frozen_at": utc_now()}),
            (unproven, {"email_proven_at": None}),
            (gone_down, {"role_id": author_role}),
        ):
            session.execute(update(User).where(User.id == actor.user_id).values(values))
    run_ready_jobs(worker)
    mailed = " ".join(sorted(str(mail["To"]) for mail in mail_sink.messages()))
    assert (len(mail_sink.messages()), author.login in mailed) == (2, True)
    assert unfollowing.login in mailed
    assert sorted(states(sessions)) == ["sent"] * 2 + ["suppressed"] * 7


def test_who_has_left_the_newsroom_gets_no_mail_of_a_release(
    sessions: sessionmaker[Session], worker: WorkerContext, mail_sink: MailSink
) -> None:
    with sessions.begin() as session:
        people = [make_actor(session, role) for role in (RoleName.AUTHOR, RoleName.READER)]
        session.execute(update(User).values(email_proven_at=utc_now()))
        details = {"name": "Secret launch", "due_at": "noon"}
        ids = [person.user_id for person in people]
        tell(session, ids, "release.failed", "release", 5, details=details)
    run_ready_jobs(worker)
    assert [people[0].login in str(mail["To"]) for mail in mail_sink.messages()] == [True]
    assert sorted(states(sessions)) == ["sent", "suppressed"]


def test_what_is_queued_for_one_person_in_a_group_is_one_mail(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
    editors: list[Actor],
) -> None:
    tell_of(sessions, editors[:2], 1, mail_group=GROUP)
    tell_of(sessions, editors[:1], 2, mail_group=GROUP)
    tell_of(sessions, editors[:1], 3, mail_group="another")
    tell_of(sessions, editors[:1], 4)
    run_ready_jobs(worker)
    told = sorted(text_of(mail).count("failed.") for mail in mail_sink.messages())
    assert told == [1, 1, 1, 2]
    tell_of(sessions, editors[:1], 5, mail_group=GROUP)
    run_ready_jobs(worker)
    assert len(mail_sink.messages()) == 5
    assert states(sessions) == ["sent"] * 6


def test_of_two_jobs_at_once_each_notice_is_in_one_mail(
    sessions: sessionmaker[Session], editors: list[Actor]
) -> None:
    with sessions.begin() as session:
        ids = [editor.user_id for editor in editors]
        for number in range(6):
            tell(
                session, ids, "schedule.failed", "schedule", number, details=FAILED,
                mail_group=GROUP,
            )  # fmt: skip
    with sessions() as session:
        jobs = [job.payload["notice_ids"] for job in session.scalars(select(Job))]

    def begin(turn: int) -> str:
        with sessions.begin() as session:
            notice_mails.gather(session, jobs[turn])
        with sessions() as session:
            mails = notice_mails.find_mails(session, jobs[turn], 50)
        return ",".join(str(len(mail.notices)) for mail in mails)

    came = ",".join(filter(None, at_once(begin, len(jobs)))).split(",")
    assert sum(map(int, came)) == 18
    with sessions() as session:
        assert len(set(session.scalars(select(Notice.mailed_with_id)))) == len(came)
        owners = session.execute(select(Notice.mailed_with_id, Notice.user_id).distinct()).all()
        assert len(owners) == len(came)


def test_who_waits_for_another_takes_nothing_out_of_its_mails(
    sessions: sessionmaker[Session], editors: list[Actor]
) -> None:
    for number in range(2):
        tell_of(sessions, editors, number, mail_group=GROUP)
    with sessions() as session:
        jobs = [job.payload["notice_ids"] for job in session.scalars(select(Job).order_by(Job.id))]

    def take() -> None:
        with sessions.begin() as session:
            notice_mails.gather(session, jobs[1])

    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with ThreadPoolExecutor(1) as pool, sessions() as first:
        notice_mails.gather(first, jobs[0])
        second = pool.submit(take)
        with sessions() as watcher:
            wait_until(lambda: watcher.scalar(waiting) == 1)
        first.commit()
        second.result(HANG_SECONDS)
    with sessions() as session:
        mails = notice_mails.find_mails(session, jobs[0], 50)
        assert [len(mail.notices) for mail in mails] == [2, 2, 2]
        assert notice_mails.find_mails(session, jobs[1], 50) == []
    tell_of(sessions, editors, 2, mail_group=GROUP)
    with sessions.begin() as session:
        last = session.scalars(select(Job).order_by(Job.id.desc()).limit(1)).one()
        notice_mails.gather(session, last.payload["notice_ids"])
        mails = notice_mails.find_mails(session, jobs[0], 50)
        assert [len(mail.notices) for mail in mails] == [2, 2, 2], "what was begun stays as it was"


def test_refusals_are_tried_again_or_given_up_and_hold_up_nobody(
    sessions: sessionmaker[Session], worker: WorkerContext, editors: list[Actor]
) -> None:
    verdicts = {editors[0].login: "451 later", editors[1].login: "550 nobody here"}

    def answer(envelope: Envelope) -> str:
        return verdicts.get(envelope.rcpt_tos[0].partition("@")[0], "250 taken")

    tell_of(sessions, editors)
    with server_that(answer) as url, Mailer(url, 5) as mailer:
        run_ready_jobs(replace(worker, account_mailer=mailer))
        assert states(sessions) == ["queued", "failed", "sent"]
        verdicts.clear()
        make_due(sessions)
        run_ready_jobs(replace(worker, account_mailer=mailer))
    assert states(sessions) == ["sent", "failed", "sent"]


def test_an_address_that_refuses_until_the_last_start_alarms_nobody(
    sessions: sessionmaker[Session], worker: WorkerContext, editors: list[Actor]
) -> None:
    tell_of(sessions, editors[:1])
    with server_that(lambda _: "451 later") as url, Mailer(url, 5) as mailer:
        for _ in range(MailNotices.max_starts):
            run_ready_jobs(replace(worker, account_mailer=mailer))
            make_due(sessions)
    with sessions() as session:
        assert session.scalars(select(Job.state)).all() == ["done"]
    assert states(sessions) == ["failed"]


def test_a_server_that_is_away_loses_no_mail(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
    editors: list[Actor],
) -> None:
    tell_of(sessions, editors)
    with Mailer(f"smtp://127.0.0.1:{free_port()}", 5) as nobody:
        run_ready_jobs(replace(worker, account_mailer=nobody))
    make_due(sessions)
    run_ready_jobs(worker)
    assert (states(sessions), len(mail_sink.messages())) == (["sent"] * 3, 3)


def test_others_have_their_turn_after_each_stretch(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
    editors: list[Actor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handler, "SECONDS_AT_A_STRETCH", 0.0)
    tell_of(sessions, editors)
    assert run_ready_jobs(worker) == 4
    assert (states(sessions), len(mail_sink.messages())) == (["sent"] * 3, 3)


def test_a_kind_of_a_newer_release_waits_for_it(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
    editors: list[Actor],
) -> None:
    tell_of(sessions, editors[:1])
    with sessions.begin() as session:
        session.execute(update(Notice).values(kind="thing.of_tomorrow"))
        line = notice_inbox.list_notices(session, editors[0], is_unread=True, below=None, limit=9)
        assert line[0].text == "thing.of_tomorrow"
    run_ready_jobs(worker)
    assert (states(sessions), mail_sink.messages()) == (["queued"], [])
    with sessions() as session:
        assert session.scalars(select(Job.state)).all() == ["ready"]


def test_killed_before_its_answer_is_kept_the_second_copy_is_the_same_mail(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    settings: Settings,
    mail_sink: MailSink,
    editors: list[Actor],
) -> None:
    """The server has taken the mail and its answer is never read; then more is to be told."""
    taken: list[EmailMessage] = []
    has_come, go_on = Event(), asyncio.Event()

    async def take(envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        taken.append(message_from_bytes(envelope.content, policy=policy.default))
        has_come.set()
        await go_on.wait()
        return "250 taken"

    tell_of(sessions, editors[:1], 1, mail_group=GROUP)
    with server_that(take) as url:
        process = start_process(settings, "notice_process", url)
        assert has_come.wait(HANG_SECONDS)
        process.kill()
        process.wait()
    take_back(sessions)
    tell_of(sessions, editors[:1], 2, mail_group=GROUP)
    run_ready_jobs(worker)
    again, other = mail_sink.messages()
    (first,) = taken
    assert again["Message-ID"] == first["Message-ID"] != other["Message-ID"]
    assert text_of(again).splitlines() == text_of(first).splitlines()
    assert states(sessions) == ["sent", "sent"]


def test_killed_before_the_mail_began_it_goes_out_once(
    sessions: sessionmaker[Session],
    worker: WorkerContext,
    mail_sink: MailSink,
    editors: list[Actor],
) -> None:
    """What a worker leaves that died between the two is a mail that was begun, and its job."""
    tell_of(sessions, editors[:1], 1, mail_group=GROUP)
    with sessions.begin() as session:
        (ids,) = (job.payload["notice_ids"] for job in session.scalars(select(Job)))
        notice_mails.gather(session, ids)
        assert session.scalar(select(Notice.mailed_with_id)) == ids[0]
    tell_of(sessions, editors[:1], 2, mail_group=GROUP)
    run_ready_jobs(worker)
    assert sorted(text_of(mail).count("failed.") for mail in mail_sink.messages()) == [1, 1]
