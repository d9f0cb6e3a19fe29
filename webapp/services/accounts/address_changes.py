"""Another address for an account: asked for by its owner, and proven from where it leads."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import EmailVerification, User
from webapp.services.accounts import verifications
from webapp.services.accounts.actors import Actor
from webapp.services.accounts.sessions import Login, require_unchanged


@dataclass(frozen=True)
class FormerAddress:
    """The address that an account had before.

    One that nobody has proven may be a stranger's: it gets no name, and no way to take it back.
    """

    user_id: int
    address: str
    display_name: str
    is_proven: bool


def ask(session: Session, actor: Actor, login: Login, email: str) -> None:
    """Write the duty to mail a token to the address that the account of the actor shall have.

    `login` is what came of the password. Nothing changes until the token comes back; see
    `verifications.confirm`. The same is done for an address that another account has, and its owner
    is told by the mail alone. Raises AuthenticationError where the password was changed since it
    was checked, and TooManyTriesError.
    """
    require_unchanged(session, login)
    verifications.request(session, actor.user_id, email, "email.change.requested")


def find_former(session: Session, verification_id: int) -> FormerAddress | None:
    """Return the address that the account had before this proof of another one, or None."""
    row = session.execute(
        select(
            User.id,
            User.display_name,
            EmailVerification.former_email,
            EmailVerification.former_email_proven_at,
        )
        .join(User, User.id == EmailVerification.user_id)
        .where(EmailVerification.id == verification_id)
    ).one_or_none()
    if row is None or row.former_email is None:
        return None
    is_proven = row.former_email_proven_at is not None
    name = row.display_name if is_proven else ""
    return FormerAddress(row.id, row.former_email, name, is_proven)
