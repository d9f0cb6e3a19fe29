"""What an author may write: how many drafts at once."""

from typing import Any

from sqlalchemy import BigInteger, bindparam, text
from sqlalchemy.orm import Session

from webapp.adapters import built_statements
from webapp.services.accounts import quotas
from webapp.services.accounts.actors import Actor
from webapp.services.errors import QuotaError

_COUNT = text(
    """
    SELECT count(*) AS drafts FROM (
        SELECT FROM content WHERE author_id = :user_id AND status = 'draft' LIMIT :most
    ) AS drafts
    """
).bindparams(bindparam("user_id", type_=BigInteger()), bindparam("most", type_=BigInteger()))


def require_room_for_draft(session: Session, actor: Actor) -> None:
    """Ask, after an item has become a draft, whether its author may have as many.

    An item that an editor takes back from the public is a draft in any case. Raises QuotaError.
    """
    if actor.quotas.drafts:
        quotas.lock_usage(session, actor)
        require_counted_room(session, actor)


def require_counted_room(session: Session, actor: Actor) -> None:
    """Ask the same where the account's usage has been locked by an earlier statement."""
    most = actor.quotas.drafts
    if not most:
        return
    asked = {"user_id": actor.user_id, "most": most + 1}
    counted: Any = built_statements.first(session.connection(), _COUNT, asked)
    if counted.drafts > most:
        raise QuotaError(
            f"This account has {counted.drafts - 1} of at most {most} drafts. Have some published, "
            "or put some into the trash, and save this one again."
        )
