"""The erasure of a person: begun in one transaction, which takes the name, then batch by batch.

The account's row stays, under a name that is nobody's: items, versions and the activity log point
to its number. `webapp/models/personal_data.py` says what becomes of each column.
"""

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from webapp.jobs.account_messages import EraseAccount
from webapp.jobs.messages import MESSAGES, RefreshPublications
from webapp.jobs.outbox import enqueue_anew
from webapp.kit.passwords import unmatchable_hash
from webapp.kit.roles import RoleName
from webapp.kit.tokens import hash_email
from webapp.models import Erasure, Job, Role, User
from webapp.services import activity
from webapp.services.accounts import last_admin
from webapp.services.errors import NotFoundError
from webapp.services.operations import erasure_steps

log = structlog.get_logger()

FORMER_AUTHOR = "Former author"
# What was under way for the account when it was erased may still commit; then it is looked for once
# more. No request lasts as long.
LAST_LOOK_SECONDS = 120.0

# An answer that is kept for the client that registered the account is not under its number. It was
# written in the transaction of the registration.
_FORGET_REGISTRATION = text(
    """
    DELETE FROM idempotency_keys
    WHERE created_at BETWEEN :created_at - interval '5 minutes'
                         AND :created_at + interval '5 minutes'
      AND scope LIKE 'anonymous:%' AND position(convert_to(:login, 'UTF8') IN body) > 0
    """
)


def begin(
    session: Session, account_id: int, *, actor_id: int | None, heir_id: int | None = None
) -> bool:
    """Take the name, the address and the way in from an account, and write the job for the rest.

    Its items go to `heir_id`, or stay with the account. From the commit on nobody gets in, no mail
    goes out, and no page has the name but those that `RefreshPublications` is still to write.
    Returns False for an account that was erased already, which changes nothing. Raises
    NotFoundError, and ConflictError where the last admin would be lost.
    """
    last_admin.take_turns(session)
    user = _lock(session, account_id)
    if session.get(Erasure, account_id) is not None:
        return False
    if user.role == RoleName.ADMIN.value:
        last_admin.refuse_losing(session, account_id)
    heir_id = None if heir_id == account_id else heir_id
    # Before the change of the name that is its cause.
    enqueue_anew(session, RefreshPublications(named="author", named_id=account_id))
    session.execute(
        insert(Erasure).values(
            account_id=account_id, account_created_at=user.created_at, heir_id=heir_id
        )
    )
    _forget_jobs(session, account_id, bytes(user.email_hash))
    forgotten = {"created_at": user.created_at, "login": user.login}
    session.execute(_FORGET_REGISTRATION, forgotten)
    _take_name(session, account_id)
    activity.record(session, actor_id, "account.erase", "user", account_id, heir_id=heir_id)
    log.warning(
        "account.erase", user_id=actor_id, subject_id=account_id, heir_id=heir_id,
        account_created_at=user.created_at.isoformat(),
    )  # fmt: skip
    enqueue_anew(session, EraseAccount(account_id=account_id))
    return True


def erase_batch(session: Session, account_id: int) -> bool:
    """Erase one batch of what is left of an account and say whether there may be more.

    It can be done any number of times: each finds what is still there.
    """
    record = session.get(Erasure, account_id)
    return record is not None and erasure_steps.run_one(session, account_id, record.heir_id)


def end(session: Session, account_id: int) -> float:
    """Note that nothing is left, unless it is too early to know; returns for how many seconds."""
    age = func.extract("epoch", func.clock_timestamp() - Erasure.began_at)
    seconds = session.scalar(select(age).where(Erasure.account_id == account_id))
    if seconds is not None and (wait := LAST_LOOK_SECONDS - float(seconds)) > 0:
        return wait
    session.execute(
        update(Erasure)
        .where(Erasure.account_id == account_id, Erasure.ended_at.is_(None))
        .values(ended_at=func.clock_timestamp())
    )
    return 0.0


def is_same_account(session: Session, account_id: int, created_at: datetime) -> bool:
    """Say whether the account of this number is the one that was made at that moment."""
    found = session.scalar(select(User.created_at).where(User.id == account_id))
    return found is not None and found == created_at


def _lock(session: Session, account_id: int) -> Any:  # noqa: ANN401 - a row of the columns below
    user = session.execute(
        select(User.login, User.email_hash, User.created_at, Role.name.label("role"))
        .join(Role)
        .where(User.id == account_id)
        .with_for_update(of=User)
    ).one_or_none()
    if user is None:
        raise NotFoundError("There is no such account.")
    return user


def _take_name(session: Session, account_id: int) -> None:
    """Leave a row that is nobody's: no login that can be registered, and no password that fits."""
    address = f"erased-{account_id}@erased.invalid"
    now = func.clock_timestamp()
    session.execute(
        update(User)
        .where(User.id == account_id)
        .values(
            login=f"erased:{account_id}",
            email=address,
            email_hash=hash_email(address),
            email_proven_at=None,
            password_hash=unmatchable_hash(),
            display_name=FORMER_AUTHOR,
            bio="",
            disabled_at=func.coalesce(User.disabled_at, now),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


def _forget_jobs(session: Session, account_id: int, email_hash: bytes) -> None:
    """Delete the jobs that name the account or its address; a worker that is at one loses it."""
    for field, value in (("user_id", str(account_id)), ("email_hash", email_hash.hex())):
        kinds = [kind for kind, message in MESSAGES.items() if field in message.model_fields]
        session.execute(
            delete(Job)
            .where(Job.kind.in_(kinds), Job.payload[field].astext == value)
            .execution_options(synchronize_session=False)
        )
