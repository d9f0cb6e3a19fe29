"""Erase what is personal in the activity log's lines about one person; the chain stays whole."""

from sqlalchemy import BigInteger, LargeBinary, and_, bindparam, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from webapp.kit.activity_digests import personal_hash
from webapp.models import ActivityLog
from webapp.models.activity_logs import LINE_COLUMNS

LINES_A_BATCH = 1_000

_ERASE = text(
    """
    UPDATE activity_logs SET details = '{}', changes = '{}', address = NULL, user_agent = NULL,
        request_id = NULL, salt = NULL, erased_at = clock_timestamp(), personal_hash = erased.hash
    FROM unnest(:ids, :hashes) AS erased (id, hash)
    WHERE activity_logs.id = erased.id AND erased_at IS NULL
    """
).bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)), bindparam("hashes", type_=ARRAY(LargeBinary))
)


def erase(session: Session, user_id: int) -> int:
    """Erase what is personal in all lines by or about an account; returns how many there were."""
    erased = 0
    while some := erase_some(session, user_id):
        erased += some
    return erased


def erase_some(session: Session, user_id: int, most: int = LINES_A_BATCH) -> int:
    """Erase it in some of the lines that have not been erased yet; returns in how many.

    What stays is what was done to what and when, by the account's number. The salts go as well, so
    that no guess at an address can be tried against what is left.
    """
    about = and_(ActivityLog.subject_kind == "user", ActivityLog.subject_id == user_id)
    lines = select(*LINE_COLUMNS).where(
        or_(ActivityLog.actor_id == user_id, about), ActivityLog.erased_at.is_(None)
    )
    found = session.execute(lines.limit(most)).mappings()
    hashes = {line["id"]: personal_hash(line) for line in found}
    if hashes:
        session.execute(_ERASE, {"ids": list(hashes), "hashes": list(hashes.values())})
    return len(hashes)
