"""Check versions against their digests, all of them, batch by batch."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.models import ContentVersion
from webapp.models.arrays import is_one_of
from webapp.services.content.version_texts import read_stored, stored

VERSIONS_AT_ONCE = 50


@dataclass(frozen=True)
class DamagedVersion:
    """A version whose text is not what was saved."""

    content_id: int
    number: int
    is_packed: bool


@dataclass(frozen=True)
class CheckedVersions:
    """Some versions: the id of the last, how many, how many of them packed, and the damaged."""

    until_id: int
    checked: int
    packed: int
    damaged: list[DamagedVersion]


def check_next(session: Session, after_id: int) -> CheckedVersions | None:
    """Check the next versions, by their ids; None behind the last."""
    following = select(ContentVersion.id).where(ContentVersion.id > after_id)
    ids = session.scalars(following.order_by(ContentVersion.id).limit(VERSIONS_AT_ONCE)).all()
    if not ids:
        return None
    found = read_stored(session, stored(is_one_of(ContentVersion.id, ids)))
    return CheckedVersions(
        until_id=ids[-1],
        checked=len(found),
        packed=sum(version.is_packed for version in found),
        damaged=[
            DamagedVersion(version.row.content_id, version.row.number, version.is_packed)
            for version in found
            if not version.is_intact()
        ],
    )
