"""Promises about guesses: they have to wait ever longer, and the owner never for a stranger."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from tests.factories import make_actor
from webapp.jobs.leases import seconds_from_now
from webapp.kit.roles import RoleName
from webapp.models import SignInThrottle
from webapp.services.accounts import sign_in_throttles
from webapp.services.accounts.sign_in_throttles import FREE_TRIES, LONGEST_WAIT_SECONDS, Attempt
from webapp.services.errors import TooManyTriesError

KEY = "a secret key for these tests"
HOME, ABROAD = "203.0.113.7", "2001:db8:1::/64"


def begin(session: Session, login: str, network: str) -> Attempt:
    return sign_in_throttles.begin(session, KEY, login, network)


def fail(session: Session, login: str, network: str, times: int) -> None:
    """Try in vain, waiting each time for as long as it takes."""
    for _ in range(times):
        begin(session, login, network)
        let_pass(session)


def let_pass(session: Session) -> None:
    session.execute(update(SignInThrottle).values(blocked_until=seconds_from_now(-1)))


def wait_for(session: Session, login: str, network: str) -> int:
    """Return for how many seconds a try has to wait, 0 for none; it leaves no trace."""
    with session.begin_nested() as nested:
        try:
            begin(session, login, network)
        except TooManyTriesError as refused:
            return refused.seconds
        finally:
            nested.rollback()
    return 0


def waits(session: Session) -> list[int]:
    """Return the waits that began with the last try of each count, in seconds, longest last."""
    wait = func.extract("epoch", SignInThrottle.blocked_until - SignInThrottle.failed_at)
    return sorted(max(0, round(float(found))) for found in session.scalars(select(wait)))


def test_the_wait_of_an_account_grows_whoever_asks_and_has_an_end(session: Session) -> None:
    reader = make_actor(session, RoleName.READER)
    for login in (reader.login, "nobody"):
        session.execute(delete(SignInThrottle))
        grown = []
        for number in range(20):
            begin(session, login, f"198.51.100.{number}")
            grown.append(waits(session)[-1])
            let_pass(session)
        free = FREE_TRIES["account"] - 1
        powers = [min(2**number, LONGEST_WAIT_SECONDS) for number in range(20 - free)]
        assert grown == [0] * free + powers


def test_the_wait_of_a_network_grows_whoever_it_asks_for(session: Session) -> None:
    for number in range(FREE_TRIES["network"] + 8):
        fail(session, f"login{number}", ABROAD, 1)
    begin(session, "another", ABROAD)
    assert waits(session)[-1] == 512
    assert wait_for(session, "yet-another", ABROAD) > 60
    assert wait_for(session, "yet-another", HOME) == 0


def test_strangers_hold_up_no_owner_where_the_owner_was_before(session: Session) -> None:
    reader = make_actor(session, RoleName.READER)
    sign_in_throttles.succeed(session, begin(session, reader.login, HOME), reader.user_id)
    fail(session, reader.login, ABROAD, 15)
    begin(session, reader.login, ABROAD)
    assert wait_for(session, reader.login, ABROAD) > 60
    assert wait_for(session, reader.login.upper(), HOME) == 0


def test_a_mailed_token_makes_a_place_familiar(session: Session) -> None:
    reader = make_actor(session, RoleName.READER)
    fail(session, reader.login, ABROAD, 15)
    begin(session, reader.login, ABROAD)
    assert wait_for(session, reader.login, ABROAD) > 60
    sign_in_throttles.welcome(session, KEY, reader.user_id, ABROAD)
    assert wait_for(session, reader.login, ABROAD) == 0


def test_guesses_from_a_familiar_place_have_a_wait_too(session: Session) -> None:
    reader = make_actor(session, RoleName.READER)
    sign_in_throttles.succeed(session, begin(session, reader.login, HOME), reader.user_id)
    fail(session, reader.login, HOME, FREE_TRIES["pair"] + 9)
    begin(session, reader.login, HOME)
    assert wait_for(session, reader.login, HOME) > 0


def test_a_right_password_forgives_its_own_tries_and_no_others(session: Session) -> None:
    reader = make_actor(session, RoleName.READER)
    fail(session, "somebody-else", ABROAD, 3)
    attempt = begin(session, reader.login, ABROAD)
    sign_in_throttles.succeed(session, attempt, reader.user_id)
    kept = session.scalars(select(SignInThrottle.failures).order_by(SignInThrottle.failures)).all()
    assert kept == [3, 3]


def test_a_count_of_the_day_before_is_forgotten(session: Session) -> None:
    fail(session, "maria", HOME, 15)
    session.execute(update(SignInThrottle).values(failed_at=seconds_from_now(-86_401)))
    begin(session, "maria", HOME)
    assert wait_for(session, "maria", HOME) == 0
    assert set(session.scalars(select(SignInThrottle.failures))) == {1}


def test_of_many_guesses_at_once_one_passes_and_the_others_wait(
    sessions: sessionmaker[Session],
) -> None:
    number = 30
    with sessions.begin() as session:
        fail(session, "maria", HOME, 15)
    ready = Barrier(number)

    def guess(turn: int) -> bool:
        ready.wait()
        try:
            with sessions.begin() as session:
                begin(session, "maria", f"198.51.100.{turn}")
        except TooManyTriesError:
            return False
        return True

    with ThreadPoolExecutor(number) as pool:
        assert sum(pool.map(guess, range(number))) == 1
