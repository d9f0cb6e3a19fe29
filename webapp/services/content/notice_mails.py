"""The mails of notices: which are due to whom, and what became of each.

A mail is named by the notice that it was begun for, and belongs to the job that has this notice.
What is queued for the same person in the same group joins it, before it goes out for the first
time. So of two jobs at once each notice is in the mail of one, and a job that runs again sends the
same mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, select, text, update
from sqlalchemy.orm import Session

from webapp.kit.mentions import as_read
from webapp.kit.permissions import PERMISSIONS_OF_ROLE, Permission
from webapp.models import Notice, User
from webapp.models.arrays import IdArray, is_one_of
from webapp.services.content.notice_lines import select_lines
from webapp.services.content.visibility import ROLES_THAT_SEE_ALL, ROLES_THAT_SEE_OWN


@dataclass(frozen=True)
class MailedNotice:
    """One notice of a mail, in the values that its words are made of."""

    kind: str
    values: dict[str, Any]
    words: str


@dataclass(frozen=True)
class NoticeMail:
    """One mail that may go out now; `id` is the same each time that it is tried."""

    id: int
    user_id: int
    address: str
    name: str
    notices: Sequence[MailedNotice]


_ROLES_THAT_SEE_RELEASES = tuple(
    role.value for role, held in PERMISSIONS_OF_ROLE.items() if Permission.SCHEDULE_READ in held
)
_GATHER = text(
    """
    WITH mine AS (
        SELECT DISTINCT ON (user_id, coalesce(mail_group, 'notice:' || id)) id, user_id, mail_group
        FROM notices
        WHERE id = ANY (:ids) AND mail_state = 'queued' AND mailed_with_id IS NULL
        ORDER BY user_id, coalesce(mail_group, 'notice:' || id), id
    ), gathered AS (
        SELECT other.id, mine.id AS mail_id
        FROM mine JOIN notices AS other ON other.user_id = mine.user_id
            AND (other.id = mine.id OR other.mail_group = mine.mail_group)
        WHERE other.mail_state = 'queued' AND other.mailed_with_id IS NULL
        ORDER BY other.id
        FOR UPDATE OF other
    )
    UPDATE notices SET mailed_with_id = gathered.mail_id FROM gathered
    WHERE notices.id = gathered.id
    """
).bindparams(bindparam("ids", type_=IdArray()))

_SUPPRESS = text(
    """
    UPDATE notices SET mail_state = 'suppressed'
    WHERE mailed_with_id = ANY (:ids) AND mail_state = 'queued' AND (
        read_at IS NOT NULL
        OR (subject_kind = 'comment' AND NOT EXISTS (
            SELECT FROM comments WHERE comments.id = subject_id AND deleted_at IS NULL))
        OR NOT EXISTS (
            SELECT FROM users JOIN roles ON roles.id = users.role_id
            WHERE users.id = notices.user_id AND users.email_proven_at IS NOT NULL
                AND users.disabled_at IS NULL AND users.frozen_at IS NULL
                AND NOT EXISTS (
                    SELECT FROM notification_preferences AS preference
                    WHERE preference.user_id = users.id AND NOT preference.notices_by_mail)
                AND (notices.subject_kind <> 'release' OR roles.name = ANY (:see_releases))
                AND (notices.content_id IS NULL OR EXISTS (
                    SELECT FROM content WHERE content.id = notices.content_id AND (
                        roles.name = ANY (:see_all)
                        OR (content.author_id = users.id AND roles.name = ANY (:see_own)))))))
    """
).bindparams(
    bindparam("ids", type_=IdArray()),
    bindparam("see_all", type_=ARRAY(Text())),
    bindparam("see_own", type_=ARRAY(Text())),
    bindparam("see_releases", type_=ARRAY(Text())),
)


def gather(session: Session, notice_ids: Sequence[int]) -> None:
    """Begin the mails of some notices, each with what else is queued for it."""
    session.execute(_GATHER, {"ids": notice_ids})


def suppress_unwanted(session: Session, notice_ids: Sequence[int]) -> None:
    """Take back what was read or deleted meanwhile, and what its reader may not get.

    Mails go to proven addresses of accounts that work and want them, about items that they may
    see.
    """
    roles = {
        "see_all": list(ROLES_THAT_SEE_ALL),
        "see_own": list(ROLES_THAT_SEE_OWN),
        "see_releases": list(_ROLES_THAT_SEE_RELEASES),
    }
    session.execute(_SUPPRESS, {"ids": notice_ids, **roles})


def find_mails(session: Session, notice_ids: Sequence[int], limit: int) -> list[NoticeMail]:
    """Return the first mails that were begun for some notices and have not gone out."""
    is_begun = is_one_of(Notice.mailed_with_id, notice_ids) & (Notice.mail_state == "queued")
    first = (
        select(Notice.mailed_with_id)
        .where(is_begun)
        .distinct()
        .order_by(Notice.mailed_with_id)
        .limit(limit)
    )
    rows = session.execute(
        select_lines(Notice.mailed_with_id, Notice.user_id, User.email, User.display_name)
        .join(User, User.id == Notice.user_id)
        .where(is_begun, Notice.mailed_with_id.in_(first))
        .order_by(Notice.mailed_with_id, Notice.id)
    )
    return [_mail(list(lines)) for _, lines in groupby(rows, lambda row: row.mailed_with_id)]


def settle(session: Session, mail_id: int, state: str) -> None:
    """Note what became of a mail: `sent`, or `failed` for good."""
    session.execute(
        update(Notice)
        .where(Notice.mailed_with_id == mail_id, Notice.mail_state == "queued")
        .values(mail_state=state)
        .execution_options(synchronize_session=False)
    )


def _mail(rows: Sequence[Any]) -> NoticeMail:
    first = rows[0]
    notices = [
        MailedNotice(
            row.kind, {**row.details, "title": row.title, "by": row.by}, as_read(row.words)
        )
        for row in rows
    ]
    return NoticeMail(first.mailed_with_id, first.user_id, first.email, first.display_name, notices)
