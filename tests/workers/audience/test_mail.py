"""Promises about mail: it arrives, once for each, and a refusal is remembered."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from dev.mail_sink import MailSink
from dev.ports import free_port
from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.adapters.mail import Mailer, MailText, build_message
from webapp.jobs.messages import SendEventMails
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Job, MailDelivery, User
from webapp.services.accounts import password_resets
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows, notifications
from webapp.services.audience.follows import Target
from webapp.services.publishing import publishing
from workers.audience.mail import POSTPONEMENTS
from workers.context import WorkerContext


@pytest.fixture
def readers(sessions: sessionmaker[Session]) -> list[Actor]:
    """Three readers of one author, whose article is public and waits to be told of."""
    with sessions.begin() as session:
        author = make_actor(session)
        readers = [make_actor(session, RoleName.READER) for _ in range(3)]
        for reader in readers:
            follows.follow(session, reader, Target.AUTHOR, author.user_id)
        publishing.publish(session, author, make_content(session, author, title="News é"), None)
    return readers


def deliveries(sessions: sessionmaker[Session]) -> list[tuple[int, str, int]]:
    """Return reader, state and attempts of each delivery, in order."""
    with sessions() as session:
        rows = session.scalars(select(MailDelivery).order_by(MailDelivery.user_id)).all()
    return [(row.user_id, row.state, row.attempts) for row in rows]


@contextmanager
def server_that(answers: Callable[[str], str]) -> Iterator[str]:
    """Run an SMTP server that answers each mail as told, by its recipient; yields its URL."""

    class Answering:
        async def handle_DATA(  # noqa: N802 - the library finds it by this name
            self, _server: SMTP, _session: SmtpSession, envelope: Envelope
        ) -> str:
            return answers(envelope.rcpt_tos[0])

    port = free_port()
    controller = Controller(Answering(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def test_each_follower_gets_one_mail(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    readers: list[Actor],
    mail_sink: MailSink,
) -> None:
    run_ready_jobs(worker)
    messages = mail_sink.messages()
    assert sorted(str(message["To"]) for message in messages) == sorted(
        f"{reader.login}@example.org" for reader in readers
    )
    assert len({message["Message-ID"] for message in messages}) == 3
    assert {message["Subject"] for message in messages} == {"News é (new)"}
    assert [state for _, state, _ in deliveries(sessions)] == ["sent"] * 3
    assert run_ready_jobs(worker) == 0


def test_who_opts_out_after_the_fan_out_gets_no_mail_any_more(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    readers: list[Actor],
    mail_sink: MailSink,
) -> None:
    run_ready_jobs(worker, kinds={"event.fan_out"})
    with sessions.begin() as session:
        notifications.set_wants_mail(session, readers[0].user_id, by_mail=False)
        off = update(User).where(User.id == readers[1].user_id)
        session.execute(off.values(disabled_at=utc_now()))
    run_ready_jobs(worker)
    assert [state for _, state, _ in deliveries(sessions)] == ["suppressed", "suppressed", "sent"]
    assert len(mail_sink.messages()) == 1


def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(
    worker: WorkerContext, sessions: sessionmaker[Session], readers: list[Actor]
) -> None:
    verdicts = {
        f"{readers[0].login}@example.org": "451 greylisted",
        f"{readers[1].login}@example.org": "550 no such user",
    }
    with (
        server_that(lambda address: verdicts.get(address, "250 taken")) as url,
        Mailer(url, 5) as mailer,
    ):
        refused = replace(worker, bulk_mailer=mailer)
        run_ready_jobs(refused)
        assert deliveries(sessions) == [
            (readers[0].user_id, "queued", 1),
            (readers[1].user_id, "failed", 1),
            (readers[2].user_id, "sent", 1),
        ]
        verdicts.clear()
        let_time_pass(sessions)
        run_ready_jobs(refused)
    assert [state for _, state, _ in deliveries(sessions)] == ["sent", "failed", "sent"]


def test_a_mail_that_is_refused_for_days_is_given_up(
    worker: WorkerContext, sessions: sessionmaker[Session], readers: list[Actor]
) -> None:
    with server_that(lambda _: "451 not today") as url, Mailer(url, 5) as mailer:
        refused = replace(worker, bulk_mailer=mailer)
        for _ in POSTPONEMENTS:
            run_ready_jobs(refused)
            assert {state for _, state, _ in deliveries(sessions)} == {"queued"}
            let_time_pass(sessions)
        run_ready_jobs(refused)
    assert {state for _, state, _ in deliveries(sessions)} == {"failed"}
    assert len(readers) == 3


def test_a_server_that_is_away_loses_no_mail(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    readers: list[Actor],
    mail_sink: MailSink,
) -> None:
    with Mailer(f"smtp://127.0.0.1:{free_port()}", 5) as nobody:
        run_ready_jobs(replace(worker, bulk_mailer=nobody))
    assert [(state, tries) for _, state, tries in deliveries(sessions)] == [("queued", 0)] * 3
    let_time_pass(sessions)
    run_ready_jobs(worker)
    assert [state for _, state, _ in deliveries(sessions)] == ["sent"] * 3
    assert len(mail_sink.messages()) == 3


class Refusing:
    """An SMTP server's hooks that refuse the sender, at one command."""

    def __init__(self, command: str, words: str) -> None:
        setattr(self, f"handle_{command}", self._refuse)
        self._words = words

    async def _refuse(self, *_: object) -> str:
        return self._words


@contextmanager
def serving(handler: object) -> Iterator[str]:
    """Run an SMTP server with these hooks; yields its URL."""
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("MAIL", "530 5.7.0 Authentication required"),
        ("MAIL", "550 sender rejected"),
        ("RCPT", "530 5.7.0 Authentication required"),
    ],
)
def test_a_server_that_refuses_the_sender_costs_no_reader_the_mail(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    readers: list[Actor],
    mail_sink: MailSink,
    command: str,
    words: str,
) -> None:
    with (
        serving(Refusing(command, words)) as url,
        Mailer(url, 5) as refused,
        capture_logs() as lines,
    ):
        run_ready_jobs(replace(worker, bulk_mailer=refused))
    assert [(state, tries) for _, state, tries in deliveries(sessions)] == [("queued", 0)] * 3
    (away,) = [line for line in lines if line["event"] == "mail.server_away"]
    assert away["error"].startswith("530 5.7.0" if command == "RCPT" else "SMTPSenderRefused")
    let_time_pass(sessions)
    run_ready_jobs(worker)
    assert len(mail_sink.messages()) == len(readers)


def test_wrong_credentials_cost_no_reader_the_mail(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    readers: list[Actor],
    mail_sink: MailSink,
) -> None:
    url = mail_sink.url.replace("smtp://", "smtp://somebody:wrong@")
    with Mailer(url, 5) as refused:
        run_ready_jobs(replace(worker, bulk_mailer=refused))
    assert [(s, n) for _, s, n in deliveries(sessions)] == [("queued", 0)] * len(readers)


class Slow:
    """An SMTP server's hooks that wait before each answer, and remember each mail."""

    def __init__(self, greeting: float, command: float, data: float = 0) -> None:
        self._greeting, self._command, self._data = greeting, command, data
        self.taken: list[str] = []

    async def handle_EHLO(  # noqa: N802 - the library finds these by their names
        self,
        _server: SMTP,
        session: SmtpSession,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        await asyncio.sleep(self._greeting)
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: SmtpSession, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        await asyncio.sleep(self._command)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: SmtpSession, envelope: Envelope
    ) -> str:
        self.taken.append(envelope.rcpt_tos[0])
        await asyncio.sleep(self._data)
        return "250 OK"


def test_a_slow_server_costs_an_attempt_and_never_the_lease(
    worker: WorkerContext, sessions: sessionmaker[Session], readers: list[Actor]
) -> None:
    run_ready_jobs(worker, kinds={"event.fan_out"})
    # Each answer comes in time, and the mail is taken long before; together they take too long.
    handler = Slow(greeting=0.5, command=0.1, data=1.8)
    with serving(handler) as url, Mailer(url, 2.0) as mailer:
        run_ready_jobs(replace(worker, bulk_mailer=mailer))
    assert [(s, n) for _, s, n in deliveries(sessions)] == [("queued", 1)] * len(readers)
    assert len(handler.taken) == len(readers)
    with sessions() as session:
        job = session.scalars(select(Job).where(Job.kind == SendEventMails.kind)).one()
    assert (job.state, job.starts) == ("ready", 0)


def test_a_server_too_slow_to_connect_to_costs_no_attempt(
    worker: WorkerContext, sessions: sessionmaker[Session], readers: list[Actor]
) -> None:
    handler = Slow(greeting=5, command=0)
    with serving(handler) as url, Mailer(url, 0.5) as mailer:
        run_ready_jobs(replace(worker, bulk_mailer=mailer))
    assert [(s, n) for _, s, n in deliveries(sessions)] == [("queued", 0)] * len(readers)


def test_an_address_that_no_mail_can_bear_costs_only_its_own_mail(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    readers: list[Actor],
    mail_sink: MailSink,
) -> None:
    with sessions.begin() as session:
        bad = update(User).where(User.id == readers[0].user_id)
        session.execute(bad.values(email="jörg@example.com"))
    run_ready_jobs(worker)
    assert [state for _, state, _ in deliveries(sessions)] == ["failed", "sent", "sent"]
    assert len(mail_sink.messages()) == 2


def let_time_pass(sessions: sessionmaker[Session]) -> None:
    """Make everything that waits due now."""
    with sessions.begin() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(MailDelivery).values(next_attempt_at=past))
        session.execute(update(Job).where(Job.state == "ready").values(run_at=past))


def test_a_message_id_tells_no_number_and_a_second_copy_has_the_same(
    worker: WorkerContext,
    sessions: sessionmaker[Session],
    readers: list[Actor],
    mail_sink: MailSink,
) -> None:
    with sessions.begin() as session:
        password_resets.request_reset(session, f"{readers[0].login}@example.org")
    run_ready_jobs(worker)
    with sessions.begin() as session:
        session.execute(update(MailDelivery).values(state="queued", next_attempt_at=utc_now()))
        session.execute(update(Job).where(Job.kind == SendEventMails.kind).values(state="ready"))
    run_ready_jobs(worker)
    names = [str(message["Message-ID"]) for message in mail_sink.messages()]
    assert all(re.fullmatch(r"<[0-9a-f]{32}@localhost>", name) for name in names)
    assert (len(names), len(set(names))) == (7, 4)


@pytest.mark.parametrize("value", ["a\r\nBcc: evil@example.org", "a\nb"])
def test_nothing_can_be_smuggled_into_a_header(value: str) -> None:
    fields: dict[str, Any] = {
        "sender": "A <a@example.org>",
        "address": "b@example.org",
        "message_id": "<1@example.org>",
    }
    message = build_message(MailText(value, "text", "<p>text</p>"), name=value, **fields)
    assert set(message.keys()) >= {"From", "To", "Subject"}
    assert "Bcc" not in message
    assert "\n" not in str(message["Subject"])
