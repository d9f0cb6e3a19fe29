"""Which account somebody signs in to whom an issuer has named: found, linked or made.

The order is: the account that is linked already; else, where the issuer says that the address is
verified and the settings trust it with addresses, the one that has proven this address; else, where
the settings let it, a new one. Whoever gets none of them is told one and the same.
"""

import re
import secrets
from dataclasses import dataclass

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.adapters.database_errors import constraint_of
from webapp.jobs.account_messages import SendIdentityLinked
from webapp.jobs.outbox import enqueue
from webapp.kit.addresses import mailable_address
from webapp.kit.issuers import IssuedPerson
from webapp.kit.logins import one_form
from webapp.kit.passwords import hash_password
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email, new_token
from webapp.kit.visible_lines import make_line
from webapp.models import Identity, Role, User
from webapp.services import activity
from webapp.services.accounts import addresses, issued_roles, last_admin, verifications
from webapp.services.accounts.holders import is_on
from webapp.services.errors import ForbiddenError

NOT_LET_IN = (
    "The issuer has signed you in, and it opens no account here. Ask those who run this place."
)
LONGEST_NAME = 200
LONGEST_ADDRESS = 254
_LOGIN_TRIES = 5
# Whose keys decide between two first sign-ins at once.
_DECIDING = frozenset(
    {
        "uq_identities_issuer_subject",
        "uq_identities_user_id_issuer",
        "uq_users_email_hash_proven",
    }
)


class NotLetInError(ForbiddenError):
    """No account opens for this person; `reason` is for the record and for nobody else."""

    def __init__(self, reason: str, user_id: int | None = None) -> None:
        """Say the same for every cause."""
        super().__init__(NOT_LET_IN)
        self.reason = reason
        self.user_id = user_id


@dataclass(frozen=True)
class _Found:
    """An account that is linked, by the identity with this id."""

    user_id: int
    identity_id: int
    is_on: bool


def account_of(session: Session, person: IssuedPerson, new_role: RoleName) -> int:
    """Return the id of the account that this person signs in to, with the role of this moment.

    `new_role` is that of a new account where the issuer rules no roles. Of two first sign-ins at
    once, unique keys let one link or make, and the other finds what it did. Raises NotLetInError,
    for an account that is switched off too.
    """
    role = person.issuer.role_of(person.groups) if person.issuer.rules_roles else None
    if person.issuer.rules_roles and role is None:
        raise NotLetInError("no group of theirs lets them in")
    found = _find(session, person)
    if found is None:
        if role is not None:
            # Before the account is locked by its link: who demotes or disables goes the same way.
            last_admin.take_turns(session)
        try:
            with session.begin_nested():
                found = _link_or_make(session, person, role or new_role)
        except IntegrityError as error:
            if constraint_of(error.orig) not in _DECIDING:
                raise
            # Somebody was first; what they committed is seen from here on.
            found = _find(session, person)
    if found is None:
        raise NotLetInError("another sign-in was first and opened another account")
    if not found.is_on:
        raise NotLetInError("the account is switched off", found.user_id)
    session.execute(
        update(Identity)
        .where(Identity.id == found.identity_id)
        .values(last_used_at=func.clock_timestamp())
    )
    if role is not None:
        issued_roles.apply(session, found.user_id, role, person.issuer.name)
    return found.user_id


def _find(session: Session, person: IssuedPerson) -> _Found | None:
    row = session.execute(
        select(Identity.user_id, Identity.id.label("identity_id"), is_on().label("is_on"))
        .join(User, User.id == Identity.user_id)
        .where(Identity.issuer == person.issuer.url, Identity.subject == person.subject)
    ).one_or_none()
    return None if row is None else _Found(**row._asdict())


def _link_or_make(session: Session, person: IssuedPerson, role: RoleName) -> _Found:
    """Link the account that has proven the address, or make one."""
    email = _verified_address(person)
    if person.issuer.trusts_addresses:
        owner = addresses.find_owner(session, hash_email(email))
        if owner is not None:
            return _link(session, person, owner.user_id)
    if not person.issuer.makes_accounts:
        raise NotLetInError("there is no account, and this issuer makes none")
    user_id = _make(session, person, email, role)
    if person.issuer.trusts_addresses:
        addresses.prove_own(session, user_id)
    else:
        # As for whoever registers: the mail decides whose the address is.
        verifications.begin(session, user_id, email)
    return _Found(user_id, _add(session, person, user_id), is_on=True)


def _verified_address(person: IssuedPerson) -> str:
    """Return the address in the form that is kept. Raises NotLetInError before any look-up."""
    if person.email is None or not person.has_verified_email:
        raise NotLetInError("the issuer does not say that their address is verified")
    try:
        email = mailable_address(person.email)
    except ValueError as error:
        raise NotLetInError("their address is none that mail can go to") from error
    if len(email) > LONGEST_ADDRESS:
        raise NotLetInError("their address is too long")
    return email


def _link(session: Session, person: IssuedPerson, user_id: int) -> _Found:
    """Link an account that was there before, and tell its owner."""
    on = select(User.id).where(User.id == user_id, is_on())
    if session.scalar(on.with_for_update(key_share=True)) is None:
        raise NotLetInError("the account is switched off", user_id)
    identity_id = _add(session, person, user_id)
    activity.trace(
        session, user_id, "identity.link", identity_id=identity_id, issuer=person.issuer.name
    )
    enqueue(session, SendIdentityLinked(identity_id=identity_id))
    return _Found(user_id, identity_id, is_on=True)


def _add(session: Session, person: IssuedPerson, user_id: int) -> int:
    identity_id: int = session.execute(
        insert(Identity)
        .values(user_id=user_id, issuer=person.issuer.url, subject=person.subject)
        .returning(Identity.id)
    ).scalar_one()
    return identity_id


def _make(session: Session, person: IssuedPerson, email: str, role: RoleName) -> int:
    """Make an account with a password that nobody knows."""
    wanted = _login_from(person.preferred_login or email.partition("@")[0])
    password_hash = hash_password(new_token())
    for number in range(_LOGIN_TRIES):
        login = wanted if number == 0 else f"{wanted}-{secrets.token_hex(3)}"
        statement = (
            insert_or_not(User)
            .values(
                login=login,
                email=email,
                email_hash=hash_email(email),
                password_hash=password_hash,
                display_name=make_line(person.name, LONGEST_NAME) or login,
                role_id=select(Role.id).where(Role.name == role.value).scalar_subquery(),
            )
            .on_conflict_do_nothing(index_elements=["login"])
            .returning(User.id)
        )
        user_id = session.scalar(statement)
        if user_id is not None:
            activity.record(
                session, user_id, "account.register", "user", user_id,
                role=role.value, issuer=person.issuer.name,
            )  # fmt: skip
            return user_id
    raise NotLetInError("no login was free")


def _login_from(words: str) -> str:
    """Return a login like these words, of the characters that a login may have."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", one_form(words).partition("@")[0])
    plain = plain.lstrip("._-")[:40].rstrip("._-")
    return plain if len(plain) > 1 else "member"
