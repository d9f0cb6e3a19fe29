"""Passkeys: added by a person who has signed in, listed, named and removed; and what they prove."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from webapp.kit import passkeys as kit
from webapp.kit.passkey_sites import Site
from webapp.kit.passkeys import Assertion, PasskeyError, Purpose
from webapp.kit.tokens import keyed_digest
from webapp.models import Passkey
from webapp.services import activity
from webapp.services.accounts import factor_changes, passkey_challenges, recovery_codes
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.sessions import Login, require_unchanged
from webapp.services.errors import InvalidInputError, NotFoundError, QuotaError

MOST_PASSKEYS = 20


@dataclass(frozen=True)
class PasskeyLine:
    """A passkey as its owner sees it in a list."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class AddedPasskey:
    """A new passkey, and the recovery codes of an account that had none."""

    line: PasskeyLine
    recovery_codes: list[str]


def begin(
    session: Session, actor: Actor, login: Login, site: Site, secret_key: str
) -> dict[str, Any]:
    """Return what a browser makes a passkey with; `login` is what came of the password once more.

    Raises AuthenticationError where the password was changed since, and QuotaError beyond
    `MOST_PASSKEYS`.
    """
    require_unchanged(session, login)
    known = _credential_ids(session, actor.user_id)
    _require_room(len(known))
    activity.trace(session, actor.user_id, "second_factor.passkey_begun")
    return kit.ask_for_new(
        site,
        challenge=passkey_challenges.make(session, "add", actor.user_id),
        user_handle=_handle_of(actor.user_id, secret_key),
        login=actor.login,
        known=known,
    )


def use_up_question(session: Session, credential: dict[str, Any]) -> bool:
    """Say whether this is the first try of a new passkey at what it was asked; commit before it is
    looked at.
    """
    try:
        challenge = kit.challenge_of_new(credential)
    except PasskeyError:
        return False
    return passkey_challenges.use_up(session, challenge)


def add(
    session: Session,
    actor: Actor,
    credential: dict[str, Any],
    site: Site,
    secret_key: str,
    *,
    name: str,
    is_first_try: bool,
) -> AddedPasskey:
    """Keep the passkey that a browser has made, at the first try of what it was asked.

    Raises InvalidInputError for one that was not asked for just now, is for another site, or is
    known already, and QuotaError.
    """
    factor_changes.lock(session, actor.user_id)
    made = _check_new(session, actor.user_id, credential, site) if is_first_try else None
    if made is None:
        raise InvalidInputError("credential", "is no new passkey for what was asked; begin anew")
    statement = (
        insert(Passkey)
        .values(
            user_id=actor.user_id,
            name=name,
            credential_id=made.credential_id,
            public_key=made.public_key,
            user_handle=_handle_of(actor.user_id, secret_key),
            sign_count=made.sign_count,
        )
        .on_conflict_do_nothing(index_elements=["credential_id"])
        .returning(*_LINE)
    )
    _require_room(len(_credential_ids(session, actor.user_id)))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise InvalidInputError("credential", "is a passkey that is known already")
    codes = recovery_codes.make_first(session, actor.user_id)
    factor_changes.follow(
        session, actor.user_id, "passkey_added", actor_id=actor.user_id, passkey_id=row.id
    )
    return AddedPasskey(PasskeyLine(**row._asdict()), codes)


def _check_new(
    session: Session, user_id: int, credential: dict[str, Any], site: Site
) -> kit.NewPasskey | None:
    """Return the passkey that a browser has made for this account; None for what is none."""
    try:
        challenge = kit.challenge_of_new(credential)
        is_asked = passkey_challenges.is_asked(session, challenge, "add", user_id)
        return kit.check_new(site, credential, challenge) if is_asked else None
    except PasskeyError:
        return None


def list_passkeys(
    session: Session, user_id: int, *, after_id: int = 0, limit: int = MOST_PASSKEYS
) -> list[PasskeyLine]:
    """Return the passkeys of an account, oldest first, from above `after_id`."""
    statement = select(*_LINE).where(Passkey.user_id == user_id, Passkey.id > after_id)
    rows = session.execute(statement.order_by(Passkey.id).limit(limit))
    return [PasskeyLine(**row._asdict()) for row in rows]


def rename(session: Session, actor: Actor, passkey_id: int, name: str) -> PasskeyLine:
    """Give a passkey of the actor another name. Raises NotFoundError."""
    own = (Passkey.id == passkey_id, Passkey.user_id == actor.user_id)
    before = session.scalar(select(Passkey.name).where(*own).with_for_update())
    renamed = session.execute(update(Passkey).where(*own).values(name=name).returning(*_LINE))
    row = renamed.one_or_none()
    if row is None:
        raise NotFoundError("You have no such passkey.")
    changes = activity.difference({"name": before}, {"name": name})
    activity.record(
        session, actor.user_id, "passkey.rename", "user", actor.user_id, changes=changes,
        passkey_id=passkey_id,
    )  # fmt: skip
    return PasskeyLine(**row._asdict())


def remove(session: Session, user_id: int, passkey_id: int | None = None) -> bool:
    """Take a passkey of an account away, or all; says whether there was one."""
    which = true() if passkey_id is None else Passkey.id == passkey_id
    gone = delete(Passkey).where(Passkey.user_id == user_id, which).returning(Passkey.id)
    return bool(session.scalars(gone).all())


def ask(session: Session, site: Site, user_id: int | None) -> dict[str, Any]:
    """Return what a browser asks a passkey with: one of an account, or of whoever it may be."""
    purpose: Purpose = "sign_in" if user_id is None else "prove"
    known = [] if user_id is None else _credential_ids(session, user_id)
    challenge = passkey_challenges.make(session, purpose, user_id)
    return kit.ask_for_known(site, challenge=challenge, known=known)


def find_owner(session: Session, assertion: Assertion) -> int | None:
    """Return whose a passkey is, by what it says of itself; None for one that nobody has."""
    handle = assertion.user_handle
    return session.scalar(
        select(Passkey.user_id).where(
            Passkey.credential_id == assertion.credential_id, Passkey.user_handle == handle
        )
    )


def take(
    session: Session, assertion: Assertion, site: Site, purpose: Purpose, user_id: int
) -> bool:
    """Say whether a passkey of an account has signed what it was asked, and note its use.

    What it was asked has been used up by its first try, and its count is kept by a guarded update:
    of many uses of one answer at once one gets through, and none of a count that has been seen.
    """
    asked_of = None if purpose == "sign_in" else user_id
    own = (Passkey.credential_id == assertion.credential_id, Passkey.user_id == user_id)
    kept = session.execute(select(Passkey.public_key, Passkey.sign_count).where(*own)).one_or_none()
    if kept is None or not assertion.is_first_try:
        return False
    if not passkey_challenges.is_asked(session, assertion.challenge, purpose, asked_of):
        return False
    try:
        count = kit.check_assertion(site, assertion, kept.public_key, kept.sign_count)
    except PasskeyError:
        return False
    # One that counts nothing says 0 each time; the challenge keeps what it says from a second use.
    is_newer = Passkey.sign_count < count if count else Passkey.sign_count == 0
    used = (
        update(Passkey)
        .where(*own, is_newer)
        .values(sign_count=count, last_used_at=func.clock_timestamp())
        .returning(Passkey.id)
    )
    return session.scalar(used) is not None


def _require_room(number: int) -> None:
    if number >= MOST_PASSKEYS:
        raise QuotaError(f"This account has {number} of at most {MOST_PASSKEYS} passkeys.")


def _credential_ids(session: Session, user_id: int) -> list[bytes]:
    known = select(Passkey.credential_id).where(Passkey.user_id == user_id).order_by(Passkey.id)
    return list(session.scalars(known.limit(MOST_PASSKEYS)))


def _handle_of(user_id: int, secret_key: str) -> bytes:
    """Return what devices call an account by: nothing that tells whose it is."""
    return bytes.fromhex(keyed_digest(secret_key.encode(), "passkey_user", str(user_id)))


_LINE = (Passkey.id, Passkey.name, Passkey.created_at, Passkey.last_used_at)
