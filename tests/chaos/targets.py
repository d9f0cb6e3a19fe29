"""The kinds of work that are killed half-way, and how each is caught in the middle."""

from dataclasses import dataclass
from typing import LiteralString


@dataclass(frozen=True)
class Target:
    """One kind of job, and how it is caught in the middle.

    `hold` is a statement whose locks stop the job inside its transaction; a SELECT must return a
    row. `until` is a query that has rows once the work is under way. One of the two is set.
    """

    name: str
    kind: str
    worker: str
    hold: LiteralString | None = None
    until: LiteralString | None = None


TARGETS = (
    Target(
        "publishing, half-way through the statement",
        "schedules.fire",
        "worker-publishing",
        hold="LOCK TABLE publications IN SHARE MODE",
    ),
    Target(
        "a fan-out chunk",
        "event.fan_out",
        "worker-notifications",
        hold="LOCK TABLE notifications IN SHARE MODE",
    ),
    Target(
        "a fan-out between two chunks",
        "event.fan_out",
        "worker-notifications",
        until="SELECT 1 FROM events WHERE cursor_user_id > 0 AND fanned_out_at IS NULL",
    ),
    Target(
        "a mail that the server took, before that is noted",
        "event_mails.send",
        "worker-mail",
        hold="""
            SELECT 1 FROM mail_deliveries WHERE state = 'queued' AND (event_id, user_id) = (
                SELECT event_id, user_id FROM mail_deliveries WHERE state = 'queued'
                ORDER BY event_id, user_id OFFSET (SELECT floor(random() * 20)) LIMIT 1)
            FOR UPDATE
        """,
    ),
    Target(
        "a batch of mails",
        "event_mails.send",
        "worker-mail",
        until="""
            SELECT 1 FROM (
                SELECT event_id FROM mail_deliveries WHERE state = 'queued'
                GROUP BY event_id HAVING count(*) > 5) AS unfinished
            WHERE 5 < (SELECT count(*) FROM mail_deliveries AS delivery
                       WHERE delivery.event_id = unfinished.event_id AND state = 'sent')
        """,
    ),
    Target(
        "a seal",
        "version.seal",
        "worker-publishing",
        hold="""
            SELECT 1 FROM content_versions WHERE sealed_at IS NULL ORDER BY id DESC LIMIT 1
            FOR NO KEY UPDATE SKIP LOCKED
        """,
    ),
)
