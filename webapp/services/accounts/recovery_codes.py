"""The codes for a lost second factor: ten, shown once, each good once."""

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from webapp.kit.one_time_codes import hash_recovery_code, new_recovery_codes
from webapp.models import RecoveryCode


def renew(session: Session, user_id: int) -> list[str]:
    """Replace all codes of an account; returns the only copy of the new ones."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = new_recovery_codes()
    rows = [{"user_id": user_id, "code_hash": hash_recovery_code(code)} for code in codes]
    session.execute(insert(RecoveryCode), rows)
    return codes


def make_first(session: Session, user_id: int) -> list[str]:
    """Make the codes of an account that has none; one that had some keeps them and gets no more."""
    some = select(RecoveryCode.id).where(RecoveryCode.user_id == user_id).limit(1)
    return [] if session.scalar(some) is not None else renew(session, user_id)


def take(session: Session, user_id: int, code: str) -> bool:
    """Use a code up; of many uses of one at once the guarded update lets one through."""
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == hash_recovery_code(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=func.clock_timestamp())
        .returning(RecoveryCode.id)
    )
    return session.scalar(used) is not None


def count_left(session: Session, user_id: int) -> int:
    """Return how many codes of an account are unused."""
    left = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return session.scalar(left) or 0
