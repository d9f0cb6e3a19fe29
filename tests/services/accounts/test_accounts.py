"""Promises about accounts, sessions and forgotten passwords."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import PASSWORD, as_it_is, make_actor, rows_of
from webapp.kit.clock import utc_now
from webapp.kit.passwords import password_bound_secret
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email, keyed_digest
from webapp.models import AccessToken, Job, PasswordResetToken, User
from webapp.services.accounts import accounts, password_resets, sessions
from webapp.services.accounts.actors import Account
from webapp.services.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)


def register(session: Session, login: str = "maria") -> Account:
    """Register an account with the test password."""
    return accounts.register(
        session, login=login, email=f"{login}@example.org", password=PASSWORD,
        display_name=login.title(), role=RoleName.READER,
    )  # fmt: skip


def open_session(session: Session, user_id: int, repeat_key: str | None = None) -> str:
    """Open a session and return its token."""
    password_hash = session.get_one(User, user_id).password_hash
    login = sessions.Login(user_id, password_hash, PASSWORD)
    opened = sessions.open_session(
        session, login, days=1, user_agent="tests", repeat_key=repeat_key, secret_key="secret"
    )
    return opened.access_token


def mint(session: Session, login: str = "maria") -> str:
    """Mint a reset token, as the job of a request of this moment does; it must succeed."""
    minted = password_resets.mint_token(
        session, hash_email(f"{login}@example.org"), minutes=10, asked_at=utc_now()
    )
    assert isinstance(minted, password_resets.MintedReset)
    return minted.token


@pytest.mark.usefixtures("real_hashes")
def test_neither_token_nor_password_is_kept(session: Session) -> None:
    account = register(session)
    token = open_session(session, account.id)
    user = session.get_one(User, account.id)
    assert user.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    stored = session.scalars(select(AccessToken.token_hash)).one()
    assert token.encode() not in stored
    assert len(token) >= 43


def test_a_login_is_unique_in_any_form_of_its_letters(session: Session) -> None:
    account = register(session, "maria")
    for login in ("MARIA", "\uff2d\uff41\uff52\uff49\uff41", "\u24dcaria"):
        with pytest.raises(ConflictError):
            accounts.register(
                session, login=login, email="x@example.org", password=PASSWORD, display_name="x",
                role=RoleName.READER,
            )  # fmt: skip
        assert sessions.log_in(session, login, PASSWORD).user_id == account.id


def test_wrong_credentials_get_one_answer_for_every_cause(session: Session) -> None:
    account = register(session)
    assert sessions.log_in(session, "Maria", PASSWORD).user_id == account.id
    messages = set()
    for login, password in (("maria", "wrong password"), ("nobody", PASSWORD)):
        with pytest.raises(AuthenticationError) as refused:
            sessions.log_in(session, login, password)
        messages.add(str(refused.value))
    session.execute(update(User).values(disabled_at=utc_now()))
    with pytest.raises(AuthenticationError) as refused:
        sessions.log_in(session, "maria", PASSWORD)
    assert messages == {str(refused.value)}


def test_a_hash_of_before_the_rule_of_forms_still_opens_and_gives_way(session: Session) -> None:
    account, typed = register(session), "cafe\u0301 and more of it"
    old_hash = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(typed)
    session.execute(update(User).values(password_hash=old_hash))
    login = sessions.log_in(session, "maria", typed)
    assert login.password_hash != old_hash
    sessions.open_session(
        session, login, days=1, user_agent="", repeat_key=None, secret_key="secret"
    )
    assert sessions.log_in(session, "maria", "caf\u00e9 and more of it").user_id == account.id


def test_a_revoked_or_expired_token_is_nobody(session: Session) -> None:
    account = register(session)
    token = open_session(session, account.id)
    actor = sessions.find_actor(rows_of(session), token)
    assert actor is not None
    assert (actor.user_id, actor.role) == (account.id, RoleName.READER)
    assert actor.session_id is not None

    sessions.revoke_session(session, account.id, actor.session_id)
    assert sessions.find_actor(rows_of(session), token) is None
    with pytest.raises(NotFoundError):
        sessions.revoke_session(session, account.id, actor.session_id)

    expired = open_session(session, account.id)
    session.execute(update(AccessToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert sessions.find_actor(rows_of(session), expired) is None


def test_nobody_revokes_the_session_of_another(session: Session) -> None:
    account, other = register(session), register(session, "other")
    actor = sessions.find_actor(rows_of(session), open_session(session, account.id))
    assert actor is not None
    assert actor.session_id is not None
    with pytest.raises(NotFoundError):
        sessions.revoke_session(session, other.id, actor.session_id)


def test_a_repeated_login_with_one_key_is_one_session(session: Session) -> None:
    account = register(session)
    assert open_session(session, account.id, "key") == open_session(session, account.id, "key")
    assert open_session(session, account.id, "key") != open_session(session, account.id, "other")
    assert session.scalar(select(func.count()).select_from(AccessToken)) == 2


@pytest.mark.parametrize("ended", [{"revoked_at": utc_now()}, {"expires_at": utc_now()}])
def test_a_key_whose_session_has_ended_opens_no_other(
    session: Session, ended: dict[str, datetime]
) -> None:
    account = register(session)
    open_session(session, account.id, "key")
    session.execute(update(AccessToken).values(ended))
    with pytest.raises(ConflictError, match="new key"):
        open_session(session, account.id, "key")


def test_the_token_of_a_repeated_login_cannot_be_made_without_the_password(
    session: Session,
) -> None:
    account = register(session)
    token = open_session(session, account.id, "key")
    kept = session.get_one(User, account.id).password_hash
    bound = password_bound_secret(PASSWORD, kept, "access_token")
    assert keyed_digest(bound, "secret", str(account.id), "key") == token
    # All that the settings and the database tell, in the place of the password.
    for known in ("secret", kept, kept.rpartition("$")[2], ""):
        guessed = password_bound_secret(known, kept, "access_token")
        assert keyed_digest(guessed, "secret", str(account.id), "key") != token
        assert keyed_digest(known.encode(), "secret", str(account.id), "key") != token
    assert PASSWORD not in repr(sessions.log_in(session, "maria", PASSWORD))


def test_a_login_does_not_outlive_the_reset_that_it_raced_with(session: Session) -> None:
    register(session)
    login = sessions.log_in(session, "maria", PASSWORD)
    password_resets.confirm_reset(session, mint(session), "a new password")
    with pytest.raises(AuthenticationError):
        sessions.open_session(
            session, login, days=1, user_agent="", repeat_key=None, secret_key="secret"
        )


def test_a_reset_sets_the_password_once_and_ends_every_session(session: Session) -> None:
    account = register(session)
    token = open_session(session, account.id)
    older, reset = mint(session), mint(session)

    password_resets.confirm_reset(session, reset, "a new password")

    assert sessions.log_in(session, "maria", "a new password").user_id == account.id
    assert sessions.find_actor(rows_of(session), token) is None
    for used in (reset, older, "never minted"):
        with pytest.raises(AuthenticationError):
            password_resets.confirm_reset(session, used, "yet another password")
    told = select(func.count()).select_from(Job).where(Job.kind == "password_changed.send")
    assert session.scalar(told) == 1


def test_an_expired_reset_token_is_refused(session: Session) -> None:
    register(session)
    token = mint(session)
    session.execute(update(PasswordResetToken).values(expires_at=utc_now()))
    with pytest.raises(AuthenticationError):
        password_resets.confirm_reset(session, token, "a new password")


def test_a_request_for_a_reset_keeps_no_address(session: Session) -> None:
    password_resets.request_reset(session, "Somebody@Example.org")
    payload = session.scalars(select(Job.payload)).one()
    assert payload == {
        "email_hash": hash_email("somebody@example.org").hex(), "login": None, "payload_version": 2,
    }  # fmt: skip


def test_of_many_redemptions_at_once_one_wins(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        register(session)
        token = mint(session)

    def redeem(number: int) -> bool:
        try:
            with sessions.begin() as session:
                password_resets.confirm_reset(session, token, f"a new password {number}")
        except AuthenticationError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(redeem, range(10))) == [False] * 9 + [True]


def test_a_manager_gives_roles_up_to_their_own_to_nobody_above_them(session: Session) -> None:
    manager, admin = make_actor(session, RoleName.MANAGER), make_actor(session, RoleName.ADMIN)
    reader = make_actor(session, RoleName.READER)
    assert (
        accounts.set_role(session, manager, reader.user_id, as_it_is, RoleName.MANAGER).role
        == "manager"
    )
    with pytest.raises(ForbiddenError):
        accounts.set_role(session, manager, reader.user_id, as_it_is, RoleName.ADMIN)
    with pytest.raises(ForbiddenError):
        accounts.set_role(session, manager, admin.user_id, as_it_is, RoleName.READER)
    with pytest.raises(ForbiddenError):
        accounts.set_role(session, reader, reader.user_id, as_it_is, RoleName.ADMIN)


def test_admins_who_demote_each_other_at_once_leave_one(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        admins = [make_actor(session) for _ in range(2)]

    def demote(number: int) -> bool:
        try:
            with sessions.begin() as session:
                target = admins[1 - number].user_id
                accounts.set_role(session, admins[number], target, as_it_is, RoleName.READER)
                session.execute(text("SELECT pg_sleep(0.2)"))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, range(2))) == [False, True]
