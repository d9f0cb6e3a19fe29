"""Promises about frozen accounts: one step stops everything, for nobody but the owner to undo."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import PASSWORD, make_actor, password_hash, rows_of
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email, hash_token
from webapp.models import (
    AccessToken,
    AccountDeletion,
    AccountExport,
    ActivityLog,
    EmailVerification,
    FreezeToken,
    Job,
    User,
)
from webapp.services.accounts import (
    address_changes,
    freezes,
    last_admin,
    password_resets,
    standing,
    verifications,
)
from webapp.services.accounts import (
    sessions as login_sessions,
)
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.password_resets import MintedReset
from webapp.services.errors import AuthenticationError, ConflictError, ServiceError
from webapp.services.operations import account_deletions, account_exports

NEW_PASSWORD = "another password for tests"


def owner(session: Session, role: RoleName = RoleName.READER) -> Actor:
    """Make an account with a password and an address that is proven."""
    actor = make_actor(session, role, password_hash())
    session.execute(
        update(User).where(User.id == actor.user_id).values(email_proven_at=func.clock_timestamp())
    )
    return actor


def log_in(session: Session, login: str, password: str = PASSWORD) -> str:
    """Log in and return the token of the session."""
    checked = login_sessions.log_in(session, login, password)
    opened = login_sessions.open_session(
        session, checked, days=1, user_agent="tests", repeat_key=None, secret_key=""
    )
    return opened.access_token


def take_address(session: Session, actor: Actor, email: str) -> int:
    """Give an account another address by the proof of it; returns the number of the proof."""
    verifications.request(session, actor.user_id, email)
    newest = select(func.max(EmailVerification.id)).where(
        EmailVerification.user_id == actor.user_id
    )
    proof = session.scalars(newest).one() or 0
    minted = verifications.mint(session, proof)
    assert isinstance(minted, verifications.MintedVerification)
    verifications.confirm(session, minted.token or "")
    return proof


def reset(session: Session, email: str, password: str = NEW_PASSWORD) -> None:
    """Ask for a reset where an address is read, and use it."""
    minted = password_resets.mint_token(session, hash_email(email), minutes=10, asked_at=utc_now())
    assert isinstance(minted, MintedReset)
    password_resets.confirm_reset(session, minted.token, password)


def address_of(session: Session, actor: Actor) -> tuple[str, bool]:
    user = session.execute(
        select(User.email, User.email_proven_at).where(User.id == actor.user_id)
    ).one()
    return user.email, user.email_proven_at is not None


def is_frozen(session: Session, actor: Actor) -> bool:
    frozen = select(User.frozen_at).where(User.id == actor.user_id)
    return session.scalar(frozen) is not None


def test_a_frozen_account_opens_nothing_until_its_password_is_reset(session: Session) -> None:
    actor = owner(session)
    opened, token = log_in(session, actor.login), freezes.mint(session, actor.user_id)
    assert session.scalars(select(FreezeToken.token_hash)).all() == [hash_token(token)]
    late = password_resets.mint_token(
        session, hash_email(f"{actor.login}@example.org"), minutes=10, asked_at=utc_now()
    )
    assert isinstance(late, MintedReset)
    shown = freezes.look_at(session, token)
    assert shown == freezes.ShownFreeze(actor.login, False, False)
    assert not is_frozen(session, actor)
    freezes.freeze(session, token)
    assert login_sessions.find_actor(rows_of(session), opened) is None
    for password in (PASSWORD, "not the password"):
        with pytest.raises(AuthenticationError, match=login_sessions.WRONG_CREDENTIALS):
            log_in(session, actor.login, password)
    with pytest.raises(AuthenticationError):
        password_resets.confirm_reset(session, late.token, NEW_PASSWORD)
    assert is_frozen(session, actor)
    reset(session, f"{actor.login}@example.org")
    assert not is_frozen(session, actor)
    assert login_sessions.find_actor(rows_of(session), opened) is None
    log_in(session, actor.login, NEW_PASSWORD)
    told = session.scalars(select(ActivityLog.action).where(ActivityLog.action.like("account.%")))
    assert told.all() == ["account.freeze", "account.thaw"]


def test_a_second_press_says_the_same_and_a_later_one_that_it_is_used(session: Session) -> None:
    actor = owner(session)
    token = freezes.mint(session, actor.user_id)
    for _ in range(2):
        freezes.freeze(session, token)
    shown = freezes.look_at(session, token)
    assert shown == freezes.ShownFreeze(actor.login, False, True)
    mails = select(func.count()).select_from(Job).where(Job.kind == "password_reset.send")
    assert session.scalar(mails) == 1
    reset(session, f"{actor.login}@example.org")
    for spent in (token, "made up", ""):
        assert freezes.look_at(session, spent) is None
        with pytest.raises(AuthenticationError, match=freezes.WRONG_TOKEN):
            freezes.freeze(session, spent)
    assert not is_frozen(session, actor)


def test_an_expired_token_freezes_nothing(session: Session) -> None:
    actor = owner(session)
    token = freezes.mint(session, actor.user_id)
    age = func.extract("epoch", FreezeToken.expires_at - FreezeToken.created_at)
    assert abs(float(session.scalars(select(age)).one()) - 7 * 86_400) < 60
    session.execute(update(FreezeToken).values(expires_at=utc_now()))
    with pytest.raises(AuthenticationError, match=freezes.WRONG_TOKEN):
        freezes.freeze(session, token)
    assert not is_frozen(session, actor)


def test_the_address_of_before_comes_back_and_goes_before_all_that_came_after_it(
    session: Session,
) -> None:
    """A thief has taken the account to an address, and from there to another one."""
    actor = owner(session)
    home = f"{actor.login}@example.org"
    first = freezes.mint(session, actor.user_id, take_address(session, actor, "thief@example.org"))
    told_thief = freezes.mint(session, actor.user_id)
    second = freezes.mint(session, actor.user_id, take_address(session, actor, "den@example.org"))
    # What the thief is told freezes as well, and keeps the owner from nothing.
    freezes.freeze(session, told_thief)
    reset(session, "den@example.org")
    assert freezes.look_at(session, first) == freezes.ShownFreeze(actor.login, True, False)
    freezes.freeze(session, first)
    assert address_of(session, actor) == (home, True)
    for thief in (second, told_thief):
        freezes.freeze(session, thief)  # It is frozen already: this says so, and changes nothing.
    assert address_of(session, actor) == (home, True)
    gone = password_resets.mint_token(
        session, hash_email("den@example.org"), minutes=10, asked_at=utc_now()
    )
    assert gone is None
    reset(session, home, "a third password for tests")
    for thief in (second, told_thief):
        with pytest.raises(AuthenticationError, match=freezes.WRONG_TOKEN):
            freezes.freeze(session, thief)
    assert not is_frozen(session, actor)


def test_an_address_that_somebody_else_has_proven_since_is_not_taken_from_them(
    session: Session,
) -> None:
    actor, other = owner(session), owner(session)
    home = f"{actor.login}@example.org"
    token = freezes.mint(session, actor.user_id, take_address(session, actor, "new@example.org"))
    take_address(session, other, home)
    freezes.freeze(session, token)
    assert is_frozen(session, actor)
    assert address_of(session, actor) == (home, False)
    assert address_of(session, other) == (home, True)


def test_freezing_ends_what_was_asked_for_and_not_confirmed(session: Session) -> None:
    actor = owner(session)
    checked = login_sessions.check_again(session, actor.user_id, PASSWORD)
    address_changes.ask(session, actor, checked, "thief@example.org")
    proof = session.scalars(select(EmailVerification.id)).one()
    minted = verifications.mint(session, proof)
    assert isinstance(minted, verifications.MintedVerification)
    freezes.freeze(session, freezes.mint(session, actor.user_id))
    reset(session, f"{actor.login}@example.org")
    with pytest.raises(AuthenticationError):
        verifications.confirm(session, minted.token or "")
    with pytest.raises(AuthenticationError):
        address_changes.ask(session, actor, checked, "thief@example.org")


def test_freezing_ends_copies_of_the_data_and_a_wish_to_be_deleted(session: Session) -> None:
    actor, other = owner(session), owner(session)
    for asking in (actor, other):
        checked = login_sessions.check_again(session, asking.user_id, PASSWORD)
        account_deletions.ask(session, checked, heir_login=None, days=14)
        account_exports.ask(session, asking.user_id)
    freezes.freeze(session, freezes.mint(session, actor.user_id))
    reset(session, f"{actor.login}@example.org")
    for model in (AccountDeletion, AccountExport):
        assert session.scalars(select(model.user_id)).all() == [other.user_id]


def test_operators_thaw_and_a_frozen_admin_is_not_the_one_who_is_left(session: Session) -> None:
    frozen, other = owner(session, RoleName.ADMIN), owner(session, RoleName.ADMIN)
    freezes.freeze(session, freezes.mint(session, frozen.user_id))
    with pytest.raises(ConflictError):
        last_admin.refuse_losing(session, other.user_id)
    assert standing.enable(session, None, frozen.user_id)
    assert not standing.enable(session, None, frozen.user_id)
    last_admin.refuse_losing(session, other.user_id)
    log_in(session, frozen.login)


def test_of_many_presses_at_once_one_freezes_and_all_are_told_so(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        actor = owner(session)
        token = freezes.mint(session, actor.user_id)

    def press(_turn: int) -> str:
        with sessions.begin() as session:
            freezes.freeze(session, token)
        return "told"

    assert at_once(press, 10) == ["told"] * 10
    with sessions() as session:
        lines = select(func.count()).where(ActivityLog.action == "account.freeze")
        jobs = select(func.count()).where(Job.kind == "password_reset.send")
        assert (session.scalar(lines), session.scalar(jobs)) == (1, 1)


def _log_in(session: Session, actor: Actor, token: str) -> None:
    log_in(session, actor.login)


def _reset(session: Session, actor: Actor, token: str) -> None:
    password_resets.confirm_reset(session, token, NEW_PASSWORD)


@pytest.mark.parametrize("other", [_log_in, _reset])
def test_whatever_races_with_a_freeze_opens_nothing_behind_it(
    sessions: sessionmaker[Session], other: Callable[..., None]
) -> None:
    for _ in range(5):
        with sessions.begin() as session:
            actor = owner(session)
            token = freezes.mint(session, actor.user_id)
            minted = password_resets.mint_token(
                session, hash_email(f"{actor.login}@example.org"), minutes=9, asked_at=utc_now()
            )
        assert isinstance(minted, MintedReset)
        act = partial(other, actor=actor, token=minted.token)
        race_with_a_freeze(sessions, actor, token, act)


def race_with_a_freeze(
    sessions: sessionmaker[Session],
    actor: Actor,
    token: str,
    other: Callable[[Session], None],
) -> None:
    """Freeze an account in one thread, do something else to it in three, and look at what stays."""

    def go(turn: int) -> str:
        try:
            with sessions.begin() as session:
                if turn == 0:
                    freezes.freeze(session, token)
                else:
                    other(session)
        except ServiceError:
            return "refused"
        return "done"

    at_once(go, 4)
    with sessions() as session:
        assert is_frozen(session, actor)
        live = select(AccessToken.id).where(
            AccessToken.user_id == actor.user_id, AccessToken.revoked_at.is_(None)
        )
        assert session.scalars(live).all() == []
