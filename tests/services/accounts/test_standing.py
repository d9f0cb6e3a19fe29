"""Promises about switching accounts off and on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, as_it_is, make_actor, rows_of
from webapp.jobs.leases import seconds_from_now
from webapp.kit.passwords import hash_password
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_token, new_token
from webapp.models import AccessToken, ActivityLog, Role, User
from webapp.services.accounts import accounts, password_resets, sessions, standing
from webapp.services.accounts.actors import Actor
from webapp.services.errors import AuthenticationError, ConflictError, NotFoundError


def hand_out_token(session: Session, user_id: int) -> str:
    """Open a session without a password and return its token."""
    token = new_token()
    session.execute(
        insert(AccessToken).values(
            user_id=user_id, token_hash=hash_token(token), expires_at=seconds_from_now(3600)
        )
    )
    return token


def test_an_account_that_is_switched_off_opens_nothing_from_then_on(session: Session) -> None:
    admin, reader = make_actor(session), make_actor(session, RoleName.READER)
    user = session.get_one(User, reader.user_id)
    user.password_hash = hash_password(PASSWORD)
    session.flush()
    token = hand_out_token(session, reader.user_id)
    assert sessions.find_actor(rows_of(session), token) is not None
    assert standing.disable(session, admin.user_id, reader.user_id, "spam")
    assert sessions.find_actor(rows_of(session), token) is None
    with pytest.raises(AuthenticationError):
        sessions.log_in(session, reader.login, PASSWORD)
    assert not standing.disable(session, admin.user_id, reader.user_id, "spam again")
    told = session.scalars(select(ActivityLog).where(ActivityLog.action == "account.disable")).one()
    assert (told.actor_id, told.subject_id) == (admin.user_id, reader.user_id)
    assert told.details == {"reason": "spam", "ended_sessions": 1}


def test_what_ended_with_an_account_does_not_come_back_with_it(session: Session) -> None:
    reader = make_actor(session, RoleName.READER)
    user = session.get_one(User, reader.user_id)
    moment = session.execute(select(func.clock_timestamp())).scalar_one()
    minted = password_resets.mint_token(session, user.email_hash, minutes=10, asked_at=moment)
    assert isinstance(minted, password_resets.MintedReset)
    token = hand_out_token(session, reader.user_id)
    standing.disable(session, None, reader.user_id, "left")
    assert standing.enable(session, None, reader.user_id)
    assert not standing.enable(session, None, reader.user_id)
    assert sessions.find_actor(rows_of(session), token) is None
    with pytest.raises(AuthenticationError):
        password_resets.confirm_reset(session, minted.token, PASSWORD)
    token = hand_out_token(session, reader.user_id)
    assert sessions.find_actor(rows_of(session), token) is not None


def test_all_sessions_but_one_can_be_ended(session: Session) -> None:
    reader, other = (make_actor(session, RoleName.READER) for _ in range(2))
    tokens = [hand_out_token(session, reader.user_id) for _ in range(3)]
    foreign = hand_out_token(session, other.user_id)
    kept = sessions.find_actor(rows_of(session), tokens[1])
    assert kept is not None
    assert standing.revoke_sessions(session, reader.user_id, but=kept.session_id) == 2
    find = rows_of(session)
    alive = [sessions.find_actor(find, token) is not None for token in (*tokens, foreign)]
    assert alive == [False, True, False, True]
    assert standing.revoke_sessions(session, reader.user_id) == 1


def test_the_last_admin_cannot_be_switched_off(session: Session) -> None:
    admin = make_actor(session)
    with pytest.raises(ConflictError):
        standing.disable(session, admin.user_id, admin.user_id, "tired")
    other = make_actor(session)
    assert standing.disable(session, None, other.user_id, "left")
    with pytest.raises(ConflictError):
        standing.disable(session, None, admin.user_id, "left too")
    with pytest.raises(NotFoundError):
        standing.disable(session, None, 999_999, "nobody")


def disable(session: Session, admin: Actor) -> None:
    """Go by being switched off."""
    standing.disable(session, None, admin.user_id, "at once")


def demote(session: Session, admin: Actor) -> None:
    """Go by giving the role away."""
    accounts.set_role(session, admin, admin.user_id, as_it_is, RoleName.READER)


@pytest.mark.parametrize("ways", [(disable, disable), (disable, demote), (demote, demote)])
def test_of_two_admins_who_go_at_once_one_stays(
    sessions: sessionmaker[Session], ways: tuple[Callable[[Session, Actor], None], ...]
) -> None:
    with sessions.begin() as session:
        admins = [make_actor(session) for _ in ways]
    ready = Barrier(len(ways))

    def go(way: Callable[[Session, Actor], None], admin: Actor) -> str:
        with sessions() as session:
            session.execute(select(func.pg_backend_pid()))
            ready.wait()
            try:
                way(session, admin)
            except ConflictError:
                return "refused"
            session.commit()
            return "gone"

    with ThreadPoolExecutor(len(ways)) as pool:
        assert sorted(pool.map(go, ways, admins)) == ["gone", "refused"]
    with sessions() as session:
        left = select(User.id).join(Role).where(Role.name == "admin", User.disabled_at.is_(None))
        assert len(session.scalars(left).all()) == 1
