"""The link in each mail of an event that ends such mails, without a login."""

import hmac

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.kit.tokens import keyed_digest
from webapp.models import User
from webapp.services.audience import notifications
from webapp.services.errors import NotFoundError


def unsubscribe_link(base_url: str, secret_key: str, user_id: int) -> str:
    """Return the address that ends the mails of events to this reader.

    It stays the same for as long as the secret key does, because a mail may be read years later.
    """
    return f"{base_url}/unsubscribe?reader={user_id}&key={_key(secret_key, user_id)}"


def unsubscribe(session: Session, secret_key: str, user_id: int, key: str) -> None:
    """End the mails of events to the reader whose link this is. Raises NotFoundError."""
    is_theirs = hmac.compare_digest(_key(secret_key, user_id).encode(), key.encode())
    if not is_theirs or session.scalar(select(User.id).where(User.id == user_id)) is None:
        raise NotFoundError("This link belongs to no reader.")
    notifications.set_wants_mail(session, user_id, by_mail=False, actor_id=None)


def _key(secret_key: str, user_id: int) -> str:
    return keyed_digest(secret_key.encode(), "unsubscribe", str(user_id))[:32]
