"""Promises about account mail: a token that works reaches the owner, whoever dies on the way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage, Message

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from dev.mail_sink import MailSink
from dev.ports import free_port
from tests.factories import make_actor, run_ready_jobs
from webapp.adapters.mail import MailAnswer, Mailer
from webapp.jobs import leases
from webapp.jobs.account_messages import SendPasswordReset
from webapp.kit.clock import utc_now
from webapp.models import Job, PasswordResetToken, User
from webapp.services.accounts import password_resets
from webapp.services.errors import AuthenticationError
from workers.context import WorkerContext


def let_time_pass(sessions: sessionmaker[Session]) -> None:
    """Make every job that waits due now."""
    with sessions.begin() as session:
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(Job).where(Job.state == "ready").values(run_at=past))


def test_account_mail_to_a_dead_address_is_settled_and_alarms_nobody(
    worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        address = f"{actor.login}@example.org"
        password_resets.request_reset(session, address)
    with (
        refusing(f"550 5.1.1 <{address}>: nobody here") as url,
        Mailer(url, 5) as mailer,
        capture_logs() as lines,
    ):
        run_ready_jobs(replace(worker, account_mailer=mailer))
    with sessions() as session:
        job = session.scalars(select(Job).where(Job.kind == SendPasswordReset.kind)).one()
    assert (job.state, job.starts, job.last_error) == ("done", 1, None)
    (refused,) = [line for line in lines if line["event"] == "mail.refused"]
    assert refused["user_id"] == actor.user_id
    assert refused["answer"] == "550 5.1.1 SMTPRecipientsRefused"
    assert address not in str(lines)


def test_account_mail_that_is_refused_for_now_until_the_end_alarms_nobody_either(
    worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        address = f"{actor.login}@example.org"
        password_resets.request_reset(session, address)
        session.execute(update(Job).values(max_starts=2))
    with refusing(f"450 4.1.2 <{address}>: no such domain") as url, Mailer(url, 5) as mailer:
        for state in ("ready", "done"):
            let_time_pass(sessions)
            run_ready_jobs(replace(worker, account_mailer=mailer))
            with sessions() as session:
                job = session.scalars(select(Job)).one()
            assert job.state == state
    assert job.last_error == "450 4.1.2 SMTPRecipientsRefused" or job.last_error is None


def test_account_mail_to_an_address_that_no_mail_can_bear_is_settled(
    worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        password_resets.request_reset(session, f"{actor.login}@example.org")
        bad = update(User).where(User.id == actor.user_id)
        session.execute(bad.values(email="jörg@example.com"))
    with capture_logs() as lines:
        run_ready_jobs(worker)
    with sessions() as session:
        job = session.scalars(select(Job).where(Job.kind == SendPasswordReset.kind)).one()
    assert (job.state, job.starts) == ("done", 1)
    (refused,) = [line for line in lines if line["event"] == "mail.refused"]
    assert "address is refused" in refused["answer"]
    assert "jörg" not in str(lines)


def test_a_stranger_s_words_reach_no_unproven_address(
    worker: WorkerContext, sessions: sessionmaker[Session], mail_sink: MailSink
) -> None:
    words = "customer\nYour account is LOCKED. Confirm at\nhttp://evil.example/"
    with sessions.begin() as session:
        actor = make_actor(session)
        session.execute(update(User).values(display_name=words))
        password_resets.request_reset(session, f"{actor.login}@example.org")
    run_ready_jobs(worker)
    (stranger,) = mail_sink.messages()
    for word in ("customer", "LOCKED", "evil.example"):
        assert word not in text_of(stranger) + str(stranger["To"])

    with sessions.begin() as session:
        password_resets.confirm_reset(session, token_in(stranger), "a new password")
    run_ready_jobs(worker)
    (_, proven) = mail_sink.messages()
    assert text_of(proven).splitlines()[0] == (
        "Hello customer Your account is LOCKED. Confirm at http://evil.exa…,"
    )


def text_of(message: Message) -> str:
    """Return the plain text of a mail."""
    assert isinstance(message, EmailMessage)
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@contextmanager
def refusing(words: str) -> Iterator[str]:
    """Run an SMTP server that refuses every reader with these words; yields its URL."""

    class Refusing:
        async def handle_RCPT(self, *_: object) -> str:  # noqa: N802 - the library's name for it
            return words

    port = free_port()
    controller = Controller(Refusing(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def test_a_reset_mail_goes_to_the_stored_address_with_a_token_that_works(
    worker: WorkerContext, sessions: sessionmaker[Session], mail_sink: MailSink
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        password_resets.request_reset(session, f"{actor.login.upper()}@EXAMPLE.org")
        password_resets.request_reset(session, "nobody@example.org")
    run_ready_jobs(worker)

    (message,) = mail_sink.messages()
    assert f"{actor.login}@example.org" in str(message["To"])
    with sessions.begin() as session:
        password_resets.confirm_reset(session, token_in(message), "a new password")
    run_ready_jobs(worker)
    assert [str(m["Subject"]) for m in mail_sink.messages()] == [
        "Set a new password",
        "Your password was changed",
    ]


def test_a_reset_mail_that_cannot_leave_is_tried_again_soon(
    worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        password_resets.request_reset(session, f"{actor.login}@example.org")
    with Mailer(f"smtp://127.0.0.1:{free_port()}", 5) as nobody:
        run_ready_jobs(replace(worker, account_mailer=nobody))
    with sessions() as session:
        job = session.scalars(select(Job).where(Job.kind == SendPasswordReset.kind)).one()
    assert (job.state, job.starts) == ("ready", 1)
    assert job.run_at - utc_now() < timedelta(seconds=3)


def test_a_reset_mail_arrives_after_any_number_of_failed_starts(
    worker: WorkerContext, sessions: sessionmaker[Session], mail_sink: MailSink
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        password_resets.request_reset(session, f"{actor.login}@example.org")
    with Mailer(f"smtp://127.0.0.1:{free_port()}", 5) as nobody:
        for _ in range(5):
            run_ready_jobs(replace(worker, account_mailer=nobody))
            let_time_pass(sessions)
    run_ready_jobs(worker)
    (message,) = mail_sink.messages()
    assert f"{actor.login}@example.org" in str(message["To"])
    with sessions.begin() as session:
        live = select(PasswordResetToken).where(PasswordResetToken.used_at.is_(None))
        assert len(session.scalars(live).all()) == 1
        password_resets.confirm_reset(session, token_in(message), "a new password")


def token_in(message: Message) -> str:
    """Return the reset token that a mail carries."""
    found = re.search(r"^Token: (\S+)\s*$", text_of(message), re.MULTILINE)
    assert found is not None
    return found.group(1)


class KilledError(BaseException):
    """Stands for the end of the worker's process."""


class KilledAfterSending(Mailer):
    """A mailer whose process ends when the server has taken the mail."""

    def send(self, message: EmailMessage) -> MailAnswer:
        super().send(message)
        raise KilledError


def test_a_worker_that_is_killed_around_a_reset_mail_leaves_one_token_that_works(
    worker: WorkerContext, sessions: sessionmaker[Session], mail_sink: MailSink
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
        password_resets.request_reset(session, f"{actor.login}@example.org")
    with KilledAfterSending(mail_sink.url, 5) as mailer, pytest.raises(KilledError):
        run_ready_jobs(replace(worker, account_mailer=mailer))
    with sessions.begin() as session:
        session.execute(update(Job).values(lease_until=utc_now()))
        assert leases.take_back_expired(session) == 1
    run_ready_jobs(worker)

    first, second = mail_sink.messages()
    assert first["Message-ID"] != second["Message-ID"]
    with sessions.begin() as session, pytest.raises(AuthenticationError):
        password_resets.confirm_reset(session, token_in(first), "a new password")
    with sessions.begin() as session:
        password_resets.confirm_reset(session, token_in(second), "a new password")


def test_many_requests_are_one_mailbox_s_share_and_the_last_is_not_dropped(
    worker: WorkerContext, sessions: sessionmaker[Session], mail_sink: MailSink
) -> None:
    with sessions.begin() as session:
        actor = make_actor(session)
    for _ in range(password_resets.MOST_MAILS + 2):
        with sessions.begin() as session:
            password_resets.request_reset(session, f"{actor.login}@example.org")
        run_ready_jobs(worker)
    assert len(mail_sink.messages()) == password_resets.MOST_MAILS
    with sessions.begin() as session:
        older = PasswordResetToken.mailed_at - timedelta(minutes=6)
        session.execute(update(PasswordResetToken).values(mailed_at=older))
    let_time_pass(sessions)
    run_ready_jobs(worker)
    assert len(mail_sink.messages()) == password_resets.MOST_MAILS + 1
    with sessions.begin() as session:
        token = token_in(mail_sink.messages()[-1])
        password_resets.confirm_reset(session, token, "a new password")
        states = session.scalars(select(Job.state).where(Job.kind == SendPasswordReset.kind))
        assert set(states) == {"done"}
