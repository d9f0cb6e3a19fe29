"""Tell accounts of the newsroom something about the desk: in their inbox, and by mail.

`tell` is called in the transaction of its cause, which then is told or did not happen. It writes
all rows by one statement and one job for their mails. Each person is told of a cause once: of two
that tell the same at once, the second waits for the first and adds nothing.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Text, bindparam, text
from sqlalchemy.orm import Session

from webapp.jobs.leases import seconds_from_now
from webapp.jobs.notice_messages import MailNotices
from webapp.jobs.outbox import chunked, enqueue
from webapp.kit.notice_kinds import require_details

MOST_IDS = 500
"""So many notices the job of their mails takes."""


@dataclass(frozen=True)
class Cause:
    """Something that some accounts are told, for `tell_all`; the fields are those of `tell`."""

    user_ids: Collection[int]
    kind: str
    subject_kind: str
    subject_id: int
    content_id: int | None = None
    by_id: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    dedupe: str | None = None
    by_mail: bool = True
    mail_group: str | None = None

    def row(self) -> dict[str, Any]:
        """Return it as the statement reads it. Raises KeyError for details that lack something."""
        require_details(self.kind, self.details)
        return {
            "user_ids": sorted(set(self.user_ids)),
            "kind": self.kind,
            "subject_kind": self.subject_kind,
            "subject_id": self.subject_id,
            "content_id": self.content_id,
            "by_id": self.by_id,
            "details": dict(self.details),
            "dedupe_key": self.dedupe or f"{self.kind}:{self.subject_kind}:{self.subject_id}",
            "mail_group": self.mail_group,
            "mail_state": "queued" if self.by_mail else "none",
        }


# In one order, so that no two that tell the same people wait for each other. The lock lets nobody
# be deleted between the question who there is and the row that names them.
_INSERT = text(
    """
    INSERT INTO notices (user_id, kind, subject_kind, subject_id, content_id, by_id, details,
        dedupe_key, mail_group, mail_state)
    SELECT users.id, cause.kind, cause.subject_kind, cause.subject_id, cause.content_id,
        cause.by_id, cause.details, cause.dedupe_key, cause.mail_group, cause.mail_state
    FROM jsonb_to_recordset(CAST(:causes AS jsonb)) AS cause (user_ids jsonb, kind text,
        subject_kind text, subject_id bigint, content_id bigint, by_id bigint, details jsonb,
        dedupe_key text, mail_group text, mail_state text)
    CROSS JOIN LATERAL jsonb_array_elements_text(cause.user_ids) AS told (user_id)
    JOIN users ON users.id = CAST(told.user_id AS bigint)
    WHERE users.disabled_at IS NULL AND users.id IS DISTINCT FROM cause.by_id
    ORDER BY users.id, cause.dedupe_key
    FOR KEY SHARE OF users
    ON CONFLICT (user_id, dedupe_key) DO NOTHING
    RETURNING id, mail_state
    """
).bindparams(bindparam("causes", type_=Text()))


def tell(
    session: Session,
    user_ids: Collection[int],
    kind: str,
    subject_kind: str,
    subject_id: int,
    *,
    content_id: int | None = None,
    by_id: int | None = None,
    details: Mapping[str, Any] | None = None,
    dedupe: str | None = None,
    by_mail: bool = True,
    mail_group: str | None = None,
    mail_after: timedelta = timedelta(0),
) -> int:
    """Tell some accounts something about a subject, and return how many had not heard of it.

    `kind` is one of `NOTICE_KINDS`, of which the words are made. `by_id` is who did it, and is not
    told. A notice with a `content_id` is shown and mailed only while its reader may see that item.
    `dedupe` names the cause within a person's notices; without it that is kind and subject. Mails
    go out `mail_after` this moment, and what is queued for one person with the same `mail_group`
    goes in one. Accounts that are switched off are not told. Raises KeyError for an unknown kind,
    or one whose words want details that are not there.
    """
    cause = Cause(
        user_ids, kind, subject_kind, subject_id, content_id, by_id, details or {}, dedupe,
        by_mail, mail_group,
    )  # fmt: skip
    return tell_all(session, [cause], mail_after=mail_after)


def tell_all(
    session: Session, causes: Sequence[Cause], *, mail_after: timedelta = timedelta(0)
) -> int:
    """Tell of several causes by one statement, as `tell` does of one."""
    rows = [cause.row() for cause in causes if cause.user_ids]
    if not rows:
        return 0
    told = session.execute(_INSERT, {"causes": json.dumps(rows)}).all()
    mailed = sorted(row.id for row in told if row.mail_state == "queued")
    run_at = seconds_from_now(mail_after.total_seconds()) if mail_after else None
    for notice_ids in chunked(mailed, MOST_IDS):
        enqueue(session, MailNotices(notice_ids=tuple(notice_ids)), run_at=run_at)
    return len(told)
