"""What an author may write: how many drafts at once, and how much in a day."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import Content
from webapp.services.accounts import quotas
from webapp.services.accounts.actors import Actor
from webapp.services.content import versions


def charge_save(session: Session, actor: Actor, content: Content, tags: Sequence[str]) -> None:
    """Count the save of an item, after its version is written. Raises DailyQuotaError."""
    quotas.charge_save(session, actor, versions.size_of(content, tags))


def require_room_for_draft(session: Session, actor: Actor) -> None:
    """Ask, after an item has become a draft, whether its author may have as many.

    An item that an editor takes back from the public is a draft in any case. Raises QuotaError.
    """
    drafts = select(Content.id).where(Content.author_id == actor.user_id, Content.status == "draft")
    quotas.require_room(
        session, actor, drafts, actor.quotas.drafts,
        "drafts. Have some published, or put some into the trash, and save this one again.",
    )  # fmt: skip
