"""The brake for guesses: a wait that grows with the failed logins, and never holds up the owner.

Each try is counted as failed before its password is looked at, and forgiven when it was right, so
tries at once are counted one after the other and none gets past. They are counted

- for a network that is familiar to the account, by both together;
- else by the account, for all unfamiliar networks at once, and by the network;
- by the session alone, where somebody who has signed in gives the password once more.

So a stranger can make an account wait for other strangers alone. Its owner gets in from where they
got in before, goes on in every open session, may change the password there, and makes any place
familiar with a mailed token. A login that belongs to no account is counted like any other. Counts
are in PostgreSQL: they hold while Redis is away, and for all processes. They are committed before
the password is looked at and seen by every process from then on, but nobody waits until they are
on disk: where PostgreSQL itself crashes, the counts of its last second may be gone.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.kit.logins import one_form
from webapp.kit.tokens import keyed_digest
from webapp.models import FamiliarNetwork, SignInThrottle, User
from webapp.services.errors import TooManyTriesError

FREE_TRIES = {"pair": 10, "account": 5, "network": 20, "session": 5}
LONGEST_WAIT_SECONDS = 900
FAMILIAR_DAYS = 90

# What runs at each login is built once and runs past the ORM, which costs a login as much again.
# The setting holds for the transaction, which holds nothing but the count.
_COUNT = text(
    """
    INSERT INTO sign_in_throttles AS kept (key_hash, failures, failed_at, blocked_until)
    VALUES (:key_hash, 1, clock_timestamp(), clock_timestamp())
    ON CONFLICT (key_hash) DO UPDATE SET
        failures = CASE WHEN kept.failed_at < clock_timestamp() - interval '1 day' THEN 1
            ELSE least(kept.failures + 1, 1000) END,
        failed_at = clock_timestamp(),
        blocked_until = clock_timestamp() + make_interval(secs => CASE
            WHEN kept.failed_at < clock_timestamp() - interval '1 day'
                OR kept.failures + 1 < :free THEN 0
            ELSE least(2 ^ (kept.failures + 1 - :free), :longest) END)
    WHERE kept.blocked_until <= clock_timestamp()
    RETURNING kept.failures, set_config('synchronous_commit', 'off', true)
    """
)
_FORGET = delete(SignInThrottle).where(SignInThrottle.key_hash == bindparam("key_hash"))
_FORGIVE = text(
    """
    UPDATE sign_in_throttles
    SET failures = greatest(failures - 1, 0), blocked_until = clock_timestamp()
    WHERE key_hash = :key_hash
    """
)
_KNOW = text(
    """
    INSERT INTO familiar_networks (user_id, network, seen_at)
    VALUES (:user_id, :network, clock_timestamp())
    ON CONFLICT (user_id, network) DO UPDATE SET seen_at = clock_timestamp()
    """
)
_FAMILIAR = (
    select(FamiliarNetwork.user_id)
    .join(User, User.id == FamiliarNetwork.user_id)
    .where(
        User.login == bindparam("login"),
        FamiliarNetwork.network == bindparam("network"),
        FamiliarNetwork.seen_at > seconds_from_now(-FAMILIAR_DAYS * 86_400),
    )
)


@dataclass(frozen=True)
class Attempt:
    """One try to log in, counted as failed so far; `own` is forgotten when it was right."""

    network: str
    own: bytes
    shared: bytes | None


def begin(
    session: Session, secret_key: str, login: str, network: str, *, of_second_step: bool = False
) -> Attempt:
    """Count a try as failed; the caller commits before the password or the code is looked at.

    The commit waits for no disk, so nothing else belongs in the transaction. Codes of the second
    step have counts of their own. Raises TooManyTriesError while the wait
    lasts; then nothing is counted, once rolled back.
    """
    login = one_form(login)
    step = ("second_step",) if of_second_step else ()
    if _is_familiar(session, login, network):
        attempt = Attempt(network, _key(secret_key, *step, "pair", login, network), None)
        _count(session, attempt.own, "pair")
        return attempt
    own = _key(secret_key, *step, "account", login)
    shared = _key(secret_key, *step, "network", network)
    _count(session, own, "account")
    _count(session, shared, "network")
    return Attempt(network, own, shared)


def begin_again(session: Session, secret_key: str, session_id: int, network: str) -> Attempt:
    """Count a try to give the password once more in an open session, as `begin` does.

    Whoever found a session open has its tries alone, and cannot open another one for more.
    """
    attempt = Attempt(network, _key(secret_key, "session", str(session_id)), None)
    _count(session, attempt.own, "session")
    return attempt


def succeed(session: Session, attempt: Attempt, user_id: int, *, is_whole: bool = True) -> None:
    """Forgive a try that was right, and know its network from now on.

    A login that is not whole, because its second step is to come, makes no network known: who has
    the password alone would have the tries of an owner for the code.
    """
    connection = session.connection()
    connection.execute(_FORGET, {"key_hash": attempt.own})
    if attempt.shared is not None:
        connection.execute(_FORGIVE, {"key_hash": attempt.shared})
    if is_whole:
        _know(session, user_id, attempt.network)


def welcome(session: Session, secret_key: str, user_id: int, network: str) -> None:
    """Know the network of an owner who came with a mailed token, and let them log in at once."""
    login = session.scalars(select(User.login).where(User.id == user_id)).one()
    key_hash = _key(secret_key, "pair", login, network)
    session.connection().execute(_FORGET, {"key_hash": key_hash})
    _know(session, user_id, network)


def _is_familiar(session: Session, login: str, network: str) -> bool:
    whose = {"login": login, "network": network}
    return session.connection().execute(_FAMILIAR, whose).one_or_none() is not None


def _know(session: Session, user_id: int, network: str) -> None:
    session.connection().execute(_KNOW, {"user_id": user_id, "network": network})


def _count(session: Session, key_hash: bytes, kind: str) -> None:
    values: dict[str, Any] = {
        "key_hash": key_hash, "free": FREE_TRIES[kind], "longest": LONGEST_WAIT_SECONDS,
    }  # fmt: skip
    if session.connection().execute(_COUNT, values).one_or_none() is not None:
        return
    left = func.extract("epoch", SignInThrottle.blocked_until - func.clock_timestamp())
    seconds = session.scalar(select(left).where(SignInThrottle.key_hash == key_hash))
    raise TooManyTriesError("Too many failed logins.", float(seconds or 1))


def _key(secret_key: str, *parts: str) -> bytes:
    return bytes.fromhex(keyed_digest(secret_key.encode(), "sign_in", *parts))
