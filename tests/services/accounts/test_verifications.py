"""Promises about proofs of addresses: the first to prove one has it, and nobody else is told."""

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from tests.at_once import at_once
from tests.factories import PASSWORD
from webapp.jobs.leases import seconds_from_now
from webapp.kit.clock import utc_now
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email, hash_token
from webapp.models import EmailVerification, User
from webapp.services.accounts import accounts, password_resets, standing, verifications
from webapp.services.accounts.verifications import MintedVerification, PostponedVerification
from webapp.services.errors import AuthenticationError, ConflictError, TooManyTriesError

ADDRESS = "Maria@example.org"


def register(session: Session, login: str, email: str = ADDRESS) -> int:
    """Register an account and return its id."""
    account = accounts.register(
        session, login=login, email=email, password=PASSWORD, display_name=login,
        role=RoleName.READER,
    )  # fmt: skip
    verifications.begin(session, account.id, email)
    return account.id


def newest(session: Session, user_id: int) -> int:
    """Return the newest request of an account."""
    requests = select(EmailVerification.id).where(EmailVerification.user_id == user_id)
    return session.scalars(requests.order_by(EmailVerification.id.desc())).first() or 0


def mint(session: Session, user_id: int) -> str:
    """Make the token of the newest request of an account; there must be one."""
    minted = verifications.mint(session, newest(session, user_id))
    assert isinstance(minted, MintedVerification)
    assert minted.token is not None
    return minted.token


def is_verified(session: Session, user_id: int) -> bool:
    return accounts.get_account(session, user_id).email_verified


def test_a_token_proves_the_address_as_it_was_typed_and_only_once(session: Session) -> None:
    user_id = register(session, "maria")
    token = mint(session, user_id)
    stored = session.scalars(select(EmailVerification.token_hash)).one()
    assert stored == hash_token(token)
    assert verifications.look_at(session, token) == verifications.ShownVerification(
        "maria", ADDRESS
    )
    assert not is_verified(session, user_id)
    verifications.confirm(session, token)
    assert is_verified(session, user_id)
    assert session.get_one(User, user_id).email == ADDRESS
    assert verifications.look_at(session, token) is None
    for spent in (token, "made up"):
        with pytest.raises(AuthenticationError, match=verifications.WRONG_TOKEN):
            verifications.confirm(session, spent)
    with pytest.raises(ConflictError):
        verifications.request_again(session, user_id)


def test_an_expired_token_proves_nothing(session: Session) -> None:
    token = mint(session, register(session, "maria"))
    left = func.extract("epoch", EmailVerification.expires_at - EmailVerification.minted_at)
    assert abs(float(session.scalars(select(left)).one()) - 86_400) < 60
    session.execute(update(EmailVerification).values(expires_at=utc_now()))
    with pytest.raises(AuthenticationError, match=verifications.WRONG_TOKEN):
        verifications.confirm(session, token)


def test_a_newer_token_ends_the_one_before(session: Session) -> None:
    user_id = register(session, "maria")
    first = mint(session, user_id)
    old = newest(session, user_id)
    verifications.request_again(session, user_id)
    second = mint(session, user_id)
    assert verifications.mint(session, old) is None
    with pytest.raises(AuthenticationError):
        verifications.confirm(session, first)
    verifications.confirm(session, second)


def test_the_first_to_prove_an_address_has_it_in_any_case_of_letters(session: Session) -> None:
    first, second = register(session, "first"), register(session, "second", ADDRESS.upper())
    theirs = mint(session, second)
    verifications.confirm(session, mint(session, first))
    with pytest.raises(AuthenticationError, match=verifications.WRONG_TOKEN):
        verifications.confirm(session, theirs)
    assert not is_verified(session, second)
    verifications.request_again(session, second)
    told = verifications.mint(session, newest(session, second))
    assert told == MintedVerification(second, ADDRESS, None)


def test_of_two_who_prove_one_address_at_once_one_has_it(sessions: sessionmaker[Session]) -> None:
    with sessions.begin() as session:
        users = [register(session, login) for login in ("first", "second")]
        tokens = [mint(session, user_id) for user_id in users]

    def confirm(turn: int) -> str:
        try:
            with sessions.begin() as session:
                verifications.confirm(session, tokens[turn])
        except AuthenticationError:
            return "refused"
        return "proven"

    assert at_once(confirm, 2) == ["proven", "refused"]
    with sessions() as session:
        assert sorted(is_verified(session, user_id) for user_id in users) == [False, True]


def test_of_many_confirmations_of_one_token_one_gets_through(
    sessions: sessionmaker[Session],
) -> None:
    with sessions.begin() as session:
        token = mint(session, register(session, "maria"))

    def confirm(_turn: int) -> str:
        try:
            with sessions.begin() as session:
                verifications.confirm(session, token)
        except AuthenticationError:
            return "refused"
        return "proven"

    assert at_once(confirm, 20) == ["proven"] + ["refused"] * 19


def test_two_registrations_of_one_address_at_once_are_answered_alike(
    sessions: sessionmaker[Session],
) -> None:
    def go(turn: int) -> str:
        with sessions.begin() as session:
            return f"made {register(session, f'reader{turn}') > 0}"

    assert at_once(go, 2) == ["made True"] * 2


def test_of_two_registrations_of_one_login_at_once_one_is_made(
    sessions: sessionmaker[Session],
) -> None:
    def go(turn: int) -> str:
        try:
            with sessions.begin() as session:
                register(session, "maria", f"maria{turn}@example.org")
        except ConflictError:
            return "taken"
        return "made"

    assert at_once(go, 2) == ["made", "taken"]


def test_a_reset_of_a_shared_address_is_its_owners_or_the_oldest_claims(session: Session) -> None:
    oldest, named, owner = (register(session, login) for login in ("oldest", "named", "owner"))

    def whose(login: str | None = None) -> int | None:
        minted = password_resets.mint_token(
            session, hash_email(ADDRESS), minutes=10, asked_at=utc_now(), login=login
        )
        return minted.user_id if isinstance(minted, password_resets.MintedReset) else None

    assert (whose(), whose("named"), whose("nobody")) == (oldest, named, None)
    late = password_resets.mint_token(
        session, hash_email(ADDRESS), minutes=10, asked_at=utc_now(), login="named"
    )
    assert isinstance(late, password_resets.MintedReset)
    verifications.confirm(session, mint(session, owner))
    assert (whose(), whose("named"), whose("oldest")) == (owner, None, None)
    with pytest.raises(AuthenticationError, match=password_resets.WRONG_TOKEN):
        password_resets.confirm_reset(session, late.token, "another password")
    standing.disable(session, None, owner, "off")
    assert whose() is None


def test_an_account_asks_for_three_mails_an_hour(session: Session) -> None:
    user_id = register(session, "maria")
    for _ in range(2):
        verifications.request_again(session, user_id)
    with pytest.raises(TooManyTriesError) as refused:
        verifications.request_again(session, user_id)
    assert 3_500 < refused.value.seconds <= 3_600
    session.execute(update(EmailVerification).values(created_at=seconds_from_now(-3_601)))
    verifications.request_again(session, user_id)


def test_a_mailbox_gets_three_mails_an_hour_whoever_asks(session: Session) -> None:
    users = [register(session, f"stranger{number}") for number in range(4)]
    for user_id in users[:3]:
        mint(session, user_id)
    postponed = verifications.mint(session, newest(session, users[3]))
    assert isinstance(postponed, PostponedVerification)
    assert 3_500 < postponed.seconds <= 3_600
    # Another start of a job that had its turn is no further mail.
    mint(session, users[2])
    session.execute(update(EmailVerification).values(minted_at=seconds_from_now(-3_601)))
    mint(session, users[3])


def test_a_request_that_is_over_is_not_mailed(session: Session) -> None:
    old, off = register(session, "old"), register(session, "off", "off@example.org")
    session.execute(
        update(EmailVerification)
        .where(EmailVerification.user_id == old)
        .values(created_at=seconds_from_now(-86_401))
    )
    standing.disable(session, None, off, "off")
    assert verifications.mint(session, newest(session, old)) is None
    assert verifications.mint(session, newest(session, off)) is None
    session.execute(text("DELETE FROM users WHERE id = :id"), {"id": off})
    assert verifications.mint(session, 999_999) is None
