"""Promises about notices: a cause tells one person once, in its own transaction."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import make_actor
from tests.statements import noting_executions
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import Job, Notice, User
from webapp.services import notices
from webapp.services.notices import Cause, tell, tell_all

FAILED = {"action": "publish", "due_at": "2030-01-01T12:00:00Z"}


def people(session: Session, number: int) -> list[int]:
    return [make_actor(session, RoleName.EDITOR).user_id for _ in range(number)]


def told(session: Session) -> list[int]:
    return list(session.scalars(select(Notice.user_id).order_by(Notice.user_id)))


def mail_jobs(session: Session) -> list[Job]:
    return list(session.scalars(select(Job).where(Job.kind == "notices.mail").order_by(Job.id)))


def test_a_cause_tells_each_person_once_and_not_whose_deed_it_is(session: Session) -> None:
    ids = people(session, 4)
    off = update(User).where(User.id == ids[3]).values(disabled_at=utc_now())
    session.execute(off)
    whom = [*ids, ids[1], 10**9]
    for number in (2, 0):
        came = tell(
            session, whom, "schedule.failed", "schedule", 5, by_id=ids[0], details=FAILED
        )  # fmt: skip
        assert came == number
    assert told(session) == ids[1:3]
    (job,) = mail_jobs(session)
    assert len(job.payload["notice_ids"]) == 2
    assert tell(session, ids, "schedule.failed", "schedule", 5, details=FAILED, dedupe="x") == 3


def test_however_many_are_told_it_takes_one_statement_and_one_job(session: Session) -> None:
    few, many = people(session, 1), people(session, 30)
    counts = []
    for turn, ids in enumerate((few, many)):
        with noting_executions() as noted:
            assert tell(session, ids, "schedule.failed", "schedule", turn, details=FAILED)
        counts.append(len(noted))
    causes = [Cause(many, "schedule.failed", "schedule", key, details=FAILED) for key in (7, 8)]
    with noting_executions() as noted:
        assert tell_all(session, causes) == 60
    assert [*counts, len(noted)] == [counts[0]] * 3
    assert [len(job.payload["notice_ids"]) for job in mail_jobs(session)] == [1, 30, 60]


def test_more_than_a_job_takes_are_mailed_by_several(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "MOST_IDS", 2)
    tell(session, people(session, 5), "schedule.failed", "schedule", 1, details=FAILED)
    assert [len(job.payload["notice_ids"]) for job in mail_jobs(session)] == [2, 2, 1]


def test_who_shall_get_no_mail_has_the_notice_alone_and_a_mail_can_wait(session: Session) -> None:
    ids = people(session, 1)
    tell(session, ids, "schedule.failed", "schedule", 1, details=FAILED, by_mail=False)
    assert (mail_jobs(session), told(session)) == ([], ids)
    wait = timedelta(minutes=2)
    tell(session, ids, "schedule.failed", "schedule", 2, details=FAILED, mail_after=wait)
    (job,) = mail_jobs(session)
    assert job.run_at > utc_now()
    assert tell(session, [], "schedule.failed", "schedule", 3, details=FAILED) == 0


def test_what_has_no_words_is_refused_before_anything_is_written(session: Session) -> None:
    ids = people(session, 1)
    for kind, details in (("schedule.failed", {}), ("nothing.known", FAILED)):
        with pytest.raises(KeyError):
            tell(session, ids, kind, "schedule", 1, details=details)
    assert told(session) == []


def test_a_cause_that_is_taken_back_has_told_nobody(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        ids = people(session, 2)
    with sessions() as session:
        tell(session, ids, "schedule.failed", "schedule", 1, details=FAILED)
        session.rollback()
        assert (told(session), mail_jobs(session)) == ([], [])


def test_of_many_that_tell_the_same_at_once_one_does_and_none_waits_for_ever(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        ids = people(session, 20)

    def say(turn: int) -> str:
        order = ids if turn % 2 else ids[::-1]
        with sessions.begin() as session:
            return str(tell(session, order, "schedule.failed", "schedule", 1, details=FAILED))

    assert at_once(say, 6) == ["0"] * 5 + ["20"]
    with sessions() as session:
        assert told(session) == ids
        assert session.scalar(select(func.count()).select_from(Job)) == 1
