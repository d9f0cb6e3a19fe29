"""What an account shows beside its password: which factors it has, and whether one was shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.kit.passkey_sites import Site
from webapp.kit.passkeys import Assertion
from webapp.services.accounts import factor_changes, passkeys, recovery_codes, totp
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.passkeys import PasskeyLine
from webapp.services.accounts.sessions import Login, require_unchanged
from webapp.services.errors import AuthenticationError, NotFoundError

WRONG_FACTOR = "The second factor is wrong or was used."


@dataclass(frozen=True)
class Factors:
    """The second factors of an account."""

    totp_since: datetime | None
    passkeys: list[PasskeyLine]
    recovery_codes_left: int

    @property
    def methods(self) -> list[str]:
        """The names of what may be shown, as the second step takes it."""
        has = {
            "totp": self.totp_since is not None,
            "passkey": bool(self.passkeys),
            "recovery_code": self.recovery_codes_left > 0,
        }
        return [method for method, is_there in has.items() if is_there]


@dataclass(frozen=True)
class Proof:
    """What somebody shows: the code of an app, one for a lost factor, or what a passkey says."""

    code: str | None = field(default=None, repr=False)
    recovery_code: str | None = field(default=None, repr=False)
    assertion: Assertion | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """What was shown, as it was sent."""
        signature = None if self.assertion is None else self.assertion.signature
        return self.code or self.recovery_code or signature or ""


@dataclass(frozen=True)
class Means:
    """What a proof is held against: the secret keys of the settings, and the site of passkeys."""

    secret_keys: Sequence[str] = field(repr=False)
    site: Site


class WrongSecondFactorError(AuthenticationError):
    """What was shown opens nothing; `user_id` is whose it would have been, for the record."""

    def __init__(self, user_id: int | None, message: str = WRONG_FACTOR) -> None:
        """Say the same for every cause."""
        super().__init__(message)
        self.user_id = user_id


def describe(session: Session, user_id: int) -> Factors:
    """Return which factors an account has."""
    return Factors(
        totp.since(session, user_id),
        passkeys.list_passkeys(session, user_id),
        recovery_codes.count_left(session, user_id),
    )


def reset(session: Session, user_id: int) -> list[str]:
    """Take all second factors of an account away, because an operator says so.

    Returns the names of those that it had; none changes nothing.
    """
    factor_changes.lock(session, user_id)
    had = describe(session, user_id).methods
    totp.remove(session, user_id)
    passkeys.remove(session, user_id)
    if had:
        factor_changes.follow(session, user_id, "all_removed", actor_id=None)
    return had


def prove(session: Session, user_id: int, proof: Proof, means: Means) -> None:
    """Use up what somebody shows. Raises WrongSecondFactorError.

    The account has to be locked. Its owner is told when a recovery code was used.
    """
    if proof.code is not None:
        is_right = totp.take(session, user_id, proof.code, means.secret_keys)
    elif proof.assertion is not None:
        is_right = passkeys.take(session, proof.assertion, means.site, "prove", user_id)
    else:
        is_right = recovery_codes.take(session, user_id, proof.recovery_code or "")
    if not is_right:
        raise WrongSecondFactorError(user_id)
    if proof.recovery_code is not None:
        left = recovery_codes.count_left(session, user_id)
        factor_changes.follow(session, user_id, "recovery_code_used", actor_id=user_id, left=left)


def remove_totp(session: Session, actor: Actor, login: Login, proof: Proof, means: Means) -> None:
    """Take the authenticator app away, by the password and a factor.

    Raises AuthenticationError, of a password that was changed since `login` as well, and
    NotFoundError where there is none.
    """
    require_unchanged(session, login)
    if totp.since(session, actor.user_id) is None:
        raise NotFoundError("This account has no authenticator app.")
    prove(session, actor.user_id, proof, means)
    totp.remove(session, actor.user_id)
    factor_changes.follow(session, actor.user_id, "totp_removed", actor_id=actor.user_id)


def remove_passkey(
    session: Session, actor: Actor, login: Login, proof: Proof, means: Means, passkey_id: int
) -> None:
    """Take a passkey away, by the password and a factor, which may be that passkey.

    Raises AuthenticationError, of a password that was changed since `login` as well, and
    NotFoundError where it is not theirs.
    """
    require_unchanged(session, login)
    prove(session, actor.user_id, proof, means)
    if not passkeys.remove(session, actor.user_id, passkey_id):
        raise NotFoundError("You have no such passkey.")
    factor_changes.follow(
        session, actor.user_id, "passkey_removed", actor_id=actor.user_id, passkey_id=passkey_id
    )


def renew_recovery_codes(
    session: Session, actor: Actor, login: Login, proof: Proof, means: Means
) -> list[str]:
    """Replace the recovery codes, by the password and a factor; returns the only copy of them.

    Raises AuthenticationError, of a password that was changed since `login` as well.
    """
    require_unchanged(session, login)
    prove(session, actor.user_id, proof, means)
    codes = recovery_codes.renew(session, actor.user_id)
    factor_changes.follow(session, actor.user_id, "recovery_codes_made", actor_id=actor.user_id)
    return codes
