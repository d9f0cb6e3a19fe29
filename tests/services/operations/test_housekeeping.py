"""Promises about what is deleted, and what is kept for ever."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.activity_chain import seal_all
from tests.factories import make_actor, make_content, run_ready_jobs
from webapp.jobs.messages import PruneTable
from webapp.jobs.outbox import enqueue
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.models import (
    AccessToken,
    ActivityLog,
    ApiKey,
    Base,
    ContentVersion,
    Event,
    Job,
    MailDelivery,
    Notice,
    Notification,
    Publication,
    User,
)
from webapp.services import notices
from webapp.services.audience import follows
from webapp.services.audience.fan_out import fan_out_chunk
from webapp.services.audience.follows import Target
from webapp.services.operations import housekeeping
from webapp.services.operations.housekeeping import prune, write_due_prunes
from webapp.services.publishing import publishing
from webapp.settings import Settings
from workers.context import WorkerContext


@pytest.fixture
def kept(settings: Settings) -> Settings:
    """Settings that keep each kind for another time."""
    days = {
        "keep_activity_days": 10, "keep_mail_delivery_days": 20, "keep_ended_session_days": 5,
    }  # fmt: skip
    return settings.model_copy(update=days)


def ago(days: float) -> datetime:
    """Return a moment in the past."""
    return utc_now() - timedelta(days=days)


def count(session: Session, model: type[Base]) -> int:
    """Count the rows of a table."""
    return session.scalar(select(func.count()).select_from(model)) or 0


def open_sessions(session: Session, **moments: datetime) -> None:
    """Make a session of an account of its own."""
    user_id = make_actor(session, RoleName.READER).user_id
    fields = {"expires_at": utc_now() + timedelta(days=1), **moments}
    digest = user_id.to_bytes(32, "big")
    session.execute(insert(AccessToken).values(user_id=user_id, token_hash=digest, **fields))


def write_activity(session: Session, days: int) -> None:
    """Write a line of the activity log as if so many days ago."""
    line = {"action": "thing.do", "subject_kind": "thing", "subject_id": days}
    session.execute(insert(ActivityLog).values(**line, created_at=ago(days)))


def test_the_activity_log_is_kept_for_its_days(
    sessions: sessionmaker[Session], kept: Settings
) -> None:
    for days in (11, 9):
        with sessions.begin() as session:
            write_activity(session, days)
        seal_all(sessions)
    with sessions.begin() as session:
        assert not prune(session, "activity_logs", kept)
        assert session.scalars(select(ActivityLog.subject_id)).all() == [9]


def test_sessions_are_kept_for_their_days_after_their_end(session: Session, kept: Settings) -> None:
    open_sessions(session)
    open_sessions(session, expires_at=ago(4))
    open_sessions(session, expires_at=ago(6))
    open_sessions(session, revoked_at=ago(4))
    open_sessions(session, revoked_at=ago(6))
    prune(session, "access_tokens", kept)
    assert count(session, AccessToken) == 4
    prune(session, "revoked_access_tokens", kept)
    assert count(session, AccessToken) == 3


def test_accounts_that_were_never_verified_and_did_nothing_are_kept_for_their_days(
    session: Session, kept: Settings
) -> None:
    """Each of these but `idle` has a reason to stay."""
    names = ("idle", "young", "verified", "off", "follower", "writer", "visitor")
    actors = {name: make_actor(session, RoleName.AUTHOR) for name in names}
    actors["editor"] = make_actor(session, RoleName.EDITOR)
    ids = {name: actor.user_id for name, actor in actors.items()}
    session.execute(update(User).values(created_at=ago(31)))
    for name, values in {
        "young": {"created_at": ago(29)},
        "verified": {"email_proven_at": ago(30)},
        "off": {"disabled_at": ago(30)},
    }.items():
        session.execute(update(User).where(User.id == ids[name]).values(**values))
    follows.follow(session, actors["follower"], Target.AUTHOR, ids["editor"])
    make_content(session, actors["writer"])
    for name, days in (("visitor", 29), ("idle", 31)):
        session.execute(
            insert(AccessToken).values(
                user_id=ids[name],
                token_hash=ids[name].to_bytes(32, "big"),
                created_at=ago(40),
                last_used_at=ago(days),
                expires_at=ago(1),
            )
        )
    prune(session, "unverified_accounts", kept)
    assert set(session.scalars(select(User.id))) == set(ids.values())
    month = {"keep_unverified_account_days": 30}
    prune(session, "unverified_accounts", kept.model_copy(update=month))
    left = set(session.scalars(select(User.id)))
    assert [name for name in names if ids[name] not in left] == ["idle"]


def test_api_keys_are_kept_for_their_days_after_their_end(session: Session, kept: Settings) -> None:
    live = {"expires_at": utc_now() + timedelta(days=1)}
    for number, moments in enumerate(
        [
            live, {"expires_at": ago(4)}, {"expires_at": ago(6)},
            {**live, "revoked_at": ago(4)}, {**live, "revoked_at": ago(6)},
        ]
    ):  # fmt: skip
        key = {
            "user_id": make_actor(session, RoleName.READER).user_id, "name": "agent",
            "prefix": "imprint_", "key_hash": number.to_bytes(32, "big"), "scopes": ["read"],
        }  # fmt: skip
        session.execute(insert(ApiKey).values(**key, **moments))
    prune(session, "api_keys", kept)
    assert count(session, ApiKey) == 4
    prune(session, "revoked_api_keys", kept)
    assert count(session, ApiKey) == 3


def test_notices_are_kept_for_ninety_days(session: Session, kept: Settings) -> None:
    reader = make_actor(session, RoleName.EDITOR)
    for days in (91, 89):
        notices.tell(session, [reader.user_id], "comment.resolved", "comment_thread", days)
        young = update(Notice).where(Notice.subject_id == days)
        session.execute(young.values(created_at=ago(days)))
    prune(session, "notices", kept)
    assert session.scalars(select(Notice.subject_id)).all() == [89]


def tell(session: Session, days: int, *, readers: int = 3) -> tuple[Event, int]:
    """Publish an item so many days ago, and tell its followers; returns the event and the item."""
    author = make_actor(session)
    for _ in range(readers):
        follows.follow(session, make_actor(session, RoleName.READER), Target.AUTHOR, author.user_id)
    content_id = make_content(session, author)
    publishing.publish(session, author, content_id, None)
    event = session.scalars(select(Event).where(Event.content_id == content_id)).one()
    fan_out_chunk(session, event.id)
    session.execute(update(Event).where(Event.id == event.id).values(occurred_at=ago(days)))
    session.expire_all()
    return event, content_id


def mails_of(session: Session, event: Event) -> list[str]:
    """Return the states of the mails of an event."""
    statement = select(MailDelivery.state).where(MailDelivery.event_id == event.id)
    return sorted(session.scalars(statement))


def test_mails_go_by_the_age_of_their_event_and_inboxes_stay(
    session: Session, kept: Settings
) -> None:
    old, _ = tell(session, 21)
    new, _ = tell(session, 19)
    session.execute(update(MailDelivery).values(state="sent"))
    waiting, _ = tell(session, 30)
    # An event is told in the order of the ids, which is that of their moments.
    prune(session, "mail_deliveries", kept)
    assert (mails_of(session, old), mails_of(session, new)) == ([], ["sent"] * 3)
    assert mails_of(session, waiting) == ["queued"] * 3
    assert count(session, Notification) == 9
    assert (count(session, Publication), count(session, ContentVersion)) == (3, 3)


def test_the_mails_of_what_was_cut_short_say_who_hears_when_it_is_back(
    session: Session, kept: Settings
) -> None:
    event, content_id = tell(session, 30)
    one = session.scalars(select(MailDelivery.user_id).order_by(MailDelivery.user_id)).first()
    session.execute(update(MailDelivery).where(MailDelivery.user_id == one).values(state="sent"))
    editor = make_actor(session)
    publishing.unpublish(session, editor, content_id, None)
    session.execute(
        update(MailDelivery).where(MailDelivery.user_id != one).values(state="suppressed")
    )
    prune(session, "mail_deliveries", kept)
    publishing.publish(session, editor, content_id, None)
    news = session.scalars(select(Event).where(Event.id > event.id)).one()
    fan_out_chunk(session, news.id)
    assert mails_of(session, news) == ["queued"] * 2


def test_nothing_goes_where_it_shall_be_kept_for_ever(
    sessions: sessionmaker[Session], settings: Settings
) -> None:
    days = {"keep_activity_days": 0, "keep_mail_delivery_days": 0}
    for_ever = settings.model_copy(update=days)
    with sessions.begin() as session:
        tell(session, 3000)
        session.execute(update(MailDelivery).values(state="sent"))
        write_activity(session, 3000)
        written = count(session, ActivityLog)
    seal_all(sessions)
    with sessions.begin() as session:
        assert not prune(session, "activity_logs", for_ever)
        assert not prune(session, "mail_deliveries", for_ever)
        assert (count(session, ActivityLog), count(session, MailDelivery)) == (written, 3)


def test_all_that_is_old_goes_batch_by_batch_and_only_once_an_hour(
    worker: WorkerContext, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "ROWS_A_BATCH", 10)
    with sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO jobs (queue, kind, dedupe_key, payload, state, finished_at) SELECT"
                " 'mail', 'event_mails.send', number::text, '{}', 'done',"
                " now() - interval '8 days' FROM generate_series(1, 35) AS number"
            )
        )
        assert write_due_prunes(session) == len(housekeeping.PRUNED_TABLES)
        assert write_due_prunes(session) == 0
    run_ready_jobs(worker)
    with sessions() as session:
        assert count(session, Job) == len(housekeeping.PRUNED_TABLES)
        assert set(session.scalars(select(Job.state))) == {"done"}


def test_a_table_that_nobody_prunes_is_left_alone(
    worker: WorkerContext, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as session:
        make_content(session, make_actor(session))
        job_id = enqueue(session, PruneTable(table="content_versions"))
    run_ready_jobs(worker, kinds={PruneTable.kind})
    with sessions() as session:
        assert session.get_one(Job, job_id).state == "ready"
        assert count(session, ContentVersion) == 1
