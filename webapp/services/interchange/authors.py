"""The accounts that stand for authors of imported articles."""

import unicodedata
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.kit.roles import RoleName
from webapp.kit.slugs import slugify
from webapp.kit.tokens import hash_email, new_token
from webapp.kit.visible_lines import make_line
from webapp.models import ImportedAuthor, Role, User
from webapp.services.accounts import accounts
from webapp.services.errors import ConflictError

LOGIN_LIMIT = 50
# One statement finds a free login among so many numbers.
NUMBERS_TRIED = 1_000
ATTEMPTS = 5


@dataclass(frozen=True)
class AuthorAccount:
    """The account of an imported author, and whether it was made just now."""

    user_id: int
    is_new: bool


def ensure_author(session: Session, name: str) -> AuthorAccount:
    """Return the account that stands for an author's name, made if it is new.

    It is off: nobody can log in with it and no mail goes to it, until a person takes it over. The
    name alone says whose it is: an account that somebody registered is never taken for it, whatever
    its login, nor is that of another name which makes the same login. Raises ConflictError where no
    login can be had.
    """
    for _ in range(ATTEMPTS):
        known = _find(session, name)
        if known is not None:
            return AuthorAccount(known, is_new=False)
        try:
            with session.begin_nested():
                former = _of_earlier_release(session, name)
                user_id = former or _make(session, name)
                session.execute(insert(ImportedAuthor).values(name=name, user_id=user_id))
                return AuthorAccount(user_id, is_new=former is None)
        except (IntegrityError, ConflictError):
            # Somebody has taken the login or the name at the same time: it is looked up again.
            continue
    raise ConflictError(f"Accounts are being made for {name} at the same time; try again.")


def _find(session: Session, name: str) -> int | None:
    # An earlier release kept a name in the form of Unicode in which it was written.
    forms = [name, unicodedata.normalize("NFD", name)]
    found = select(ImportedAuthor.user_id).where(ImportedAuthor.name.in_(forms))
    return session.scalar(found.order_by(ImportedAuthor.created_at, ImportedAuthor.name).limit(1))


def _of_earlier_release(session: Session, name: str) -> int | None:
    """Find an account that an import made before it kept a list of them.

    Only an import makes an author that is off, under an address that is made of the login.
    """
    login = slugify(name)[:LOGIN_LIMIT]
    return session.scalar(
        select(User.id)
        .join(Role)
        .where(
            User.login == login,
            User.email == f"{login}@import.invalid",
            User.display_name == (make_line(name, 200) or login),
            User.disabled_at.is_not(None),
            Role.name == RoleName.AUTHOR.value,
        )
    )


def _make(session: Session, name: str) -> int:
    login = _free_login(session, _login(name))
    account = accounts.register(
        session,
        login=login,
        email=f"{login}@import.invalid",
        password=new_token(),
        display_name=make_line(name, 200) or login,
        role=RoleName.AUTHOR,
    )
    session.execute(
        update(User).where(User.id == account.id).values(disabled_at=func.clock_timestamp())
    )
    return account.id


def _login(name: str) -> str:
    return slugify(name)[:LOGIN_LIMIT].rstrip("-")


def _free_login(session: Session, wanted: str) -> str:
    """Return `wanted`, or its first number that neither a login nor an address has yet."""
    names = [wanted]
    for number in range(2, NUMBERS_TRIED):
        suffix = f"-{number}"
        names.append(wanted[: LOGIN_LIMIT - len(suffix)].rstrip("-") + suffix)
    hashes = {hash_email(f"{login}@import.invalid"): login for login in names}
    taken = set(session.scalars(select(User.login).where(User.login.in_(names))))
    taken |= {
        hashes[bytes(row)]
        for row in session.scalars(select(User.email_hash).where(User.email_hash.in_(hashes)))
    }
    free = next((login for login in names if login not in taken), None)
    if free is None:
        raise ConflictError(f"There are too many accounts whose logins begin with {wanted}.")
    return free
