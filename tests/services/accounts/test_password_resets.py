"""Promises about reset tokens: random, one that works, nobody kept out and nobody let in."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.factories import make_actor
from webapp.kit.clock import utc_now
from webapp.kit.tokens import hash_email, hash_token
from webapp.models import PasswordResetToken, User
from webapp.services.accounts import password_resets
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.password_resets import (
    MOST_MAILS,
    MOST_MAILS_SECONDS,
    MintedReset,
    PostponedReset,
    confirm_reset,
    mint_token,
    note_mailed,
)
from webapp.services.errors import AuthenticationError


@pytest.fixture
def owner(session: Session) -> Actor:
    """An account whose password somebody wants to reset."""
    return make_actor(session)


def ask(session: Session, owner: Actor) -> MintedReset | PostponedReset | None:
    """Mint a token for a request of this moment."""
    email_hash = hash_email(f"{owner.login}@example.org")
    return mint_token(session, email_hash, minutes=10, asked_at=utc_now())


def mail(session: Session, owner: Actor) -> str:
    """Mint a token, mail it, and return it."""
    minted = ask(session, owner)
    assert isinstance(minted, MintedReset)
    note_mailed(session, minted.token)
    return minted.token


def let_time_pass(session: Session, seconds: float) -> None:
    """Make every mail older."""
    older = PasswordResetToken.mailed_at - timedelta(seconds=seconds)
    session.execute(update(PasswordResetToken).values(mailed_at=older))


def test_each_start_makes_a_token_of_chance_that_ends_the_one_before(
    session: Session, owner: Actor
) -> None:
    tokens = []
    for _ in range(20):
        minted = ask(session, owner)
        assert isinstance(minted, MintedReset)
        tokens.append(minted.token)
    assert len(set(tokens)) == 20
    assert {len(token) for token in tokens} == {43}
    live = session.scalars(
        select(PasswordResetToken.token_hash).where(PasswordResetToken.used_at.is_(None))
    ).all()
    assert live == [hash_token(tokens[-1])]
    for ended in tokens[:-1]:
        with pytest.raises(AuthenticationError):
            confirm_reset(session, ended, "a new password")
    confirm_reset(session, tokens[-1], "a new password")


def test_a_request_is_answered_by_any_mail_that_went_out_after_it(
    session: Session, owner: Actor
) -> None:
    email_hash, asked_at = hash_email(f"{owner.login}@example.org"), utc_now()
    token = mail(session, owner)
    assert mint_token(session, email_hash, minutes=10, asked_at=asked_at) is None
    confirm_reset(session, token, "a new password")
    assert mint_token(session, email_hash, minutes=10, asked_at=asked_at) is None


def test_who_asks_all_the_time_neither_floods_the_mailbox_nor_silences_its_owner(
    session: Session, owner: Actor
) -> None:
    for _ in range(MOST_MAILS):
        newest = mail(session, owner)
    waiting = ask(session, owner)
    assert isinstance(waiting, PostponedReset)
    assert 0 < waiting.seconds <= MOST_MAILS_SECONDS
    let_time_pass(session, waiting.seconds + 1)
    owners_own = ask(session, owner)
    assert isinstance(owners_own, MintedReset)
    with pytest.raises(AuthenticationError):
        confirm_reset(session, newest, "of a stranger")
    confirm_reset(session, owners_own.token, "a new password")


def test_the_token_of_an_account_that_was_switched_off_sets_nothing(
    session: Session, owner: Actor
) -> None:
    token = mail(session, owner)
    session.execute(update(User).values(disabled_at=utc_now()))
    with pytest.raises(AuthenticationError):
        confirm_reset(session, token, "a new password")
    user = session.get_one(User, owner.user_id)
    session.refresh(user)
    assert user.password_hash == "no password"
    assert user.email_proven_at is None
    assert ask(session, owner) is None


def test_nobody_gets_a_token_for_an_unknown_address(session: Session) -> None:
    assert mint_token(session, hash_email("no@x.org"), minutes=10, asked_at=utc_now()) is None


def test_only_a_proven_address_is_called_by_the_name_in_its_account(
    session: Session, owner: Actor
) -> None:
    minted = ask(session, owner)
    assert isinstance(minted, MintedReset)
    assert minted.display_name == ""
    confirm_reset(session, minted.token, "a new password")
    again = ask(session, owner)
    assert isinstance(again, MintedReset)
    assert again.display_name == owner.login.title()


def test_a_request_for_a_reset_writes_no_secret(session: Session, owner: Actor) -> None:
    password_resets.request_reset(session, f"{owner.login}@example.org")
    assert session.scalars(select(PasswordResetToken)).all() == []
