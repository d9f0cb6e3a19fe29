"""Promises about quotas: no account passes its own, however many of its requests come at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, make_actor, make_content
from webapp.kit.clock import utc_now
from webapp.kit.quotas import Quotas
from webapp.kit.roles import RoleName
from webapp.models import AccessToken, AccountUsage, Content, ContentVersion, Follow, User
from webapp.services.accounts import sessions as login_sessions
from webapp.services.accounts.actors import Actor
from webapp.services.audience import follows
from webapp.services.audience.follows import Target
from webapp.services.content import content
from webapp.services.content.version_texts import complete
from webapp.services.errors import DailyQuotaError, QuotaError, ServiceError
from webapp.services.publishing import publishing

AT_ONCE = 12
MOST = 5


def bounded(session: Session, role: RoleName = RoleName.AUTHOR, **quotas: int) -> Actor:
    """Make an account with some quotas."""
    return replace(make_actor(session, role), quotas=Quotas(**quotas))


def at_once(
    sessions: sessionmaker[Session], act: Callable[[Session, int], object], count: int = AT_ONCE
) -> list[ServiceError]:
    """Act in so many transactions at once; returns the refusals."""

    def run(number: int) -> ServiceError | None:
        try:
            with sessions.begin() as session:
                act(session, number)
        except ServiceError as error:
            return error
        return None

    with ThreadPoolExecutor(count) as pool:
        return [error for error in pool.map(run, range(count)) if error is not None]


def counted(sessions: sessionmaker[Session], model: type, *where: object) -> int:
    """Count rows."""
    with sessions() as session:
        statement = select(func.count()).select_from(model).where(*where)  # type: ignore[arg-type]
        return session.scalar(statement) or 0


def test_drafts_at_once_never_pass_the_bound(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        author = bounded(session, drafts=MOST)
    refusals = at_once(sessions, lambda session, _: make_content(session, author))
    assert counted(sessions, Content) == counted(sessions, ContentVersion) == MOST
    assert [type(error) for error in refusals] == [QuotaError] * (AT_ONCE - MOST)
    assert str(refusals[0]).startswith(f"This account has {MOST} of at most {MOST} drafts.")


def test_items_out_of_the_trash_at_once_never_pass_the_bound(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        author = bounded(session, drafts=MOST)
        unbounded = replace(author, quotas=Quotas())
        ids = [make_content(session, unbounded) for _ in range(AT_ONCE)]
        for content_id in ids:
            content.trash(session, author, content_id, None)
    refusals = at_once(
        sessions, lambda session, number: content.untrash(session, author, ids[number], None)
    )
    assert counted(sessions, Content, Content.status == "draft") == MOST
    assert len(refusals) == AT_ONCE - MOST


def test_saves_of_a_day_at_once_never_pass_the_bound(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        author = bounded(session, saves_a_day=MOST)
        ids = [make_content(session, replace(author, quotas=Quotas())) for _ in range(AT_ONCE)]

    def save(session: Session, number: int) -> None:
        content.edit(session, author, ids[number], None, {"body": "Another text."})

    refusals = at_once(sessions, save)
    assert counted(sessions, ContentVersion, ContentVersion.reason == "save") == MOST
    assert [type(error) for error in refusals] == [DailyQuotaError] * (AT_ONCE - MOST)
    # A refused save left nothing behind, and every save that made a version counted once.
    assert counted(sessions, Content, Content.body == "Another text.") == MOST
    assert counted(sessions, AccountUsage, AccountUsage.saves == MOST) == 1


def test_bytes_of_a_day_at_once_never_pass_the_bound(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        author = bounded(session, bytes_a_day=MOST * 10_000 + 5_000)
    refusals = at_once(
        sessions, lambda session, _: make_content(session, author, title="T", body="é" * 4_900)
    )
    assert counted(sessions, ContentVersion) == MOST
    assert len(refusals) == AT_ONCE - MOST
    with sessions() as session:
        kept = session.scalars(select(ContentVersion)).all()
        sizes = sum(len(complete(version, version.tags)) for version in kept)
        assert session.scalars(select(AccountUsage.saved_bytes)).one() == sizes
    assert f"has saved {sizes} bytes of text today" in str(refusals[0])


def test_follows_at_once_never_pass_the_bound_and_a_second_one_takes_no_room(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        reader = bounded(session, RoleName.READER, follows=MOST)
        authors = [make_actor(session).user_id for _ in range(AT_ONCE)]

    def follow(session: Session, number: int) -> None:
        follows.follow(session, reader, Target.AUTHOR, authors[number])

    refusals = at_once(sessions, follow)
    assert [type(error) for error in refusals] == [QuotaError] * (AT_ONCE - MOST)
    assert counted(sessions, Follow) == MOST
    with sessions.begin() as session:
        followed = list(session.scalars(select(Follow.author_id).order_by(Follow.id)))
        follows.follow(session, reader, Target.AUTHOR, followed[0] or 0)
        follows.unfollow(session, reader, Target.AUTHOR, followed[0] or 0)
        follow(session, authors.index(next(n for n in authors if n not in followed)))
    assert counted(sessions, Follow) == MOST


def test_a_new_day_makes_room_and_a_late_request_does_not_bring_the_old_one_back(
    session: Session,
) -> None:
    author = bounded(session, saves_a_day=2)
    first, second = (make_content(session, author) for _ in range(2))
    with pytest.raises(DailyQuotaError) as refused, session.begin_nested():
        make_content(session, author)
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert abs((midnight - utc_now()).total_seconds() - refused.value.seconds) < 60
    shift = "UPDATE account_usages SET day_began_at = day_began_at + make_interval(days => :days)"
    session.execute(text(shift), {"days": -1})
    content.edit(session, author, first, None, {"body": "New."})
    assert session.scalars(select(AccountUsage.saves)).one() == 1
    # As a request finds it that began before midnight and waited for one that began after it.
    session.execute(text(shift), {"days": 1})
    content.edit(session, author, second, None, {"body": "New."})
    with pytest.raises(DailyQuotaError), session.begin_nested():
        content.edit(session, author, second, None, {"body": "Newer."})


def test_a_save_that_changes_nothing_and_a_refused_one_cost_nothing(session: Session) -> None:
    author = bounded(session, saves_a_day=2)
    content_id = make_content(session, author, body="Same.")
    for _ in range(5):
        content.edit(session, author, content_id, None, {"body": "Same."})
    content.edit(session, author, content_id, None, {"body": "Other."})
    for _ in range(2):
        with pytest.raises(DailyQuotaError, match="saved 2 times today"), session.begin_nested():
            content.restore(session, author, content_id, None, 1)


def test_what_an_editor_takes_back_is_a_draft_beyond_the_bound_too(session: Session) -> None:
    editor, author = make_actor(session), bounded(session, drafts=1)
    content_id = make_content(session, author)
    publishing.publish(session, editor, content_id, None)
    make_content(session, author)
    publishing.unpublish(session, editor, content_id, None)
    assert session.get_one(Content, content_id).status == "draft"


def open_login(session: Session, user_id: int, most: int) -> int:
    """Log in, and return the id of the session."""
    password_hash = session.get_one(User, user_id).password_hash
    login_sessions.open_session(
        session, login_sessions.Login(user_id, password_hash, PASSWORD), days=1,
        user_agent="tests", repeat_key=None, secret_key="secret", most=most,
    )  # fmt: skip
    newest = select(func.max(AccessToken.id)).where(AccessToken.user_id == user_id)
    return session.scalar(newest) or 0


def live(session: Session, user_id: int) -> list[int]:
    """Return the ids of the live sessions of an account."""
    lines = login_sessions.list_sessions(session, user_id, after_id=0, limit=100)
    return [line.id for line in lines]


def test_a_login_beyond_the_bound_ends_the_session_that_was_used_least_lately(
    session: Session,
) -> None:
    user_id, other_id = (make_actor(session, RoleName.READER).user_id for _ in range(2))
    kept_of_other = open_login(session, other_id, 3)
    first, second, third = (open_login(session, user_id, 3) for _ in range(3))
    for session_id, hours in ((first, 1), (second, 3), (third, 2)):
        session.execute(
            update(AccessToken)
            .where(AccessToken.id == session_id)
            .values(created_at=utc_now() - timedelta(hours=hours))
        )
    login_sessions.note_use(session, second)
    fourth = open_login(session, user_id, 3)
    assert live(session, user_id) == [first, second, fourth]
    only = open_login(session, user_id, 1)
    assert live(session, user_id) == [only]
    assert live(session, other_id) == [kept_of_other]
    assert len([open_login(session, user_id, 0) for _ in range(4)]) == 4
    assert len(live(session, user_id)) == 5


def test_logins_at_once_never_pass_the_bound(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        user_id = make_actor(session, RoleName.READER).user_id
    assert at_once(sessions, lambda session, _: open_login(session, user_id, MOST)) == []
    with sessions() as session:
        assert len(live(session, user_id)) == MOST
